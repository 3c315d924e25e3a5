"""The model of FTP: how to speak to a server, what it can do, transfers and their options, and listed entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

HASHES = {"SHA-512": "sha512", "SHA-256": "sha256", "SHA-1": "sha1", "MD5": "md5"}
"""The hash names of draft-bryan-ftpext-hash, and Python's, the strongest first."""


@dataclass(frozen=True, slots=True)
class FtpOptions:
    """How to speak to servers: the options of every `ftp` command."""

    tls: str | None = None
    active: bool = False
    trust_pasv_address: bool = False
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How the user wants files fetched. `text`: TYPE A; `verify`: by the server's hash; `rate` in bytes per second."""

    force: bool = False
    resume: bool = False
    sha256: bool = False
    verify: bool = False
    text: bool = False
    max_size: int | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How the user wants files sent. `direct`: under their own name; `verify`: by the server's hash; `text`: TYPE A."""

    append: bool = False
    resume: bool = False
    direct: bool = False
    mkdirs: bool = False
    verify: bool = False
    text: bool = False
    rate: int | None = None

    @property
    def in_place(self) -> bool:
        """Whether the bytes go to the file's own name."""
        return self.append or self.direct


@dataclass(frozen=True, slots=True)
class Features:
    """The features that FEAT told: names in upper case, with what stands behind them."""

    names: Mapping[str, str]

    @property
    def utf8(self) -> bool:
        """Names are UTF-8 (RFC 2640)."""
        return "UTF8" in self.names

    @property
    def hashes(self) -> list[str]:
        """The hashes that HASH can make, the one that is set first; it is marked with a star."""
        offered = [name.strip().upper() for name in self.names.get("HASH", "").split(";") if name.strip()]
        return [name.rstrip("*") for name in sorted(offered, key=lambda name: not name.endswith("*"))]


@dataclass(frozen=True, slots=True)
class Remote:
    """The facts that a server tells of a file. None = it does not tell."""

    size: int | None
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was fetched. `size` is what the server announced, None = it did not; `verified` = what the bytes were
    checked against (size, hash, None = nothing); `path` is the local one, "-" = standard output."""

    path: str
    bytes: int = 0
    size: int | None = None
    sha256: str | None = None
    resumed_from: int | None = None
    seconds: float = 0.0
    verified: str | None = None
    final: str = "none"
    skipped: bool = False
    tls: Mapping[str, object] | None = None
    data_resumed: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent. `path` is the remote one; `verified` = what the server's file was checked by."""

    path: str
    bytes: int
    verified: str | None
    seconds: float


class EntryType(StrEnum):
    """The kind of a listed name. `OTHER` = a device, a pipe, a socket, or the listing does not say."""

    FILE = "file"
    DIR = "dir"
    LINK = "link"
    OTHER = "other"


class ListingCommand(StrEnum):
    """The command that gave a listing, in the order of how much it says."""

    MLSD = "mlsd"
    LIST = "list"
    NLST = "nlst"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a directory. None = the listing does not say.

    `name` is as the server sent it: bytes that do not decode are surrogates, and nothing about it is safe. `size` is
    that of what can be fetched, so directories and links have none. `modified` is in UTC, and known to `resolution`
    seconds: 1, 60, or 86400, where the listing gave only the day. `perm` is MLSD's fact (`adfr`) or LIST's mode
    (`rwxr-xr-x`).
    """

    name: str
    type: EntryType
    size: int | None
    modified: datetime | None
    perm: str | None
    link_target: str | None
    source: ListingCommand
    resolution: int = 1
