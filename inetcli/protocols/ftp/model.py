"""The model of FTP: connection options, server features, transfers and their options, and listed entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

HASHES = {"SHA-512": "sha512", "SHA-256": "sha256", "SHA-1": "sha1", "MD5": "md5"}
"""The hash names of draft-bryan-ftpext-hash with Python's names, the strongest first."""


@dataclass(frozen=True, slots=True)
class FtpOptions:
    """The options of every `ftp` command for its control and data connections."""

    tls: str | None = None
    active: bool = False
    trust_pasv_address: bool = False
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """The options of downloads. `text`: TYPE A; `verify`: with the server's hash; `rate` in bytes per second."""

    force: bool = False
    resume: bool = False
    sha256: bool = False
    verify: bool = False
    text: bool = False
    max_size: int | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """The options of uploads. `direct`: under the final name; `verify`: with the server's hash; `text`: TYPE A."""

    append: bool = False
    resume: bool = False
    direct: bool = False
    mkdirs: bool = False
    verify: bool = False
    text: bool = False
    rate: int | None = None

    @property
    def in_place(self) -> bool:
        """Whether the upload writes to the final name."""
        return self.append or self.direct


@dataclass(frozen=True, slots=True)
class Features:
    """The features in a reply to FEAT: names in upper case, with their parameters."""

    names: Mapping[str, str]

    @property
    def utf8(self) -> bool:
        """Whether the server supports UTF-8 names (RFC 2640)."""
        return "UTF8" in self.names

    @property
    def hashes(self) -> list[str]:
        """The algorithms of HASH, the current one (marked with a star) first."""
        offered = [name.strip().upper() for name in self.names.get("HASH", "").split(";") if name.strip()]
        return [name.rstrip("*") for name in sorted(offered, key=lambda name: not name.endswith("*"))]


@dataclass(frozen=True, slots=True)
class Remote:
    """The size and modification time of a remote file. None = the server does not send the fact."""

    size: int | None
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class Download:
    """The result of a download.

    `path` is the local path, "-" = standard output. `size` is the size that the server announced, None = none.
    `verified` is the check that succeeded: size, hash, None = none. `final` is the code of the final reply, or "none".
    """

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
    """The result of an upload. `path` is the remote path; `verified` as in `Download`."""

    path: str
    bytes: int
    verified: str | None
    seconds: float


class EntryType(StrEnum):
    """The type of a listed entry. `OTHER` = a device, a pipe or a socket, or the listing does not tell the type."""

    FILE = "file"
    DIR = "dir"
    LINK = "link"
    OTHER = "other"


class ListingCommand(StrEnum):
    """The command that returned a listing, beginning with the command with the most facts."""

    MLSD = "mlsd"
    LIST = "list"
    NLST = "nlst"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder. None = the listing does not contain the fact.

    `name` is the name from the server: bytes that cannot be decoded are surrogates, and a name may be unsafe. `size` is
    the size of a file; directories and links have none. `modified` is in UTC, with a precision of `resolution` seconds:
    1, 60, or 86400 if the listing contains only the day. `perm` is MLSD's fact (`adfr`) or LIST's mode (`rwxr-xr-x`).
    """

    name: str
    type: EntryType
    size: int | None
    modified: datetime | None
    perm: str | None
    link_target: str | None
    source: ListingCommand
    resolution: int = 1
