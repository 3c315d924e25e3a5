"""What FTP talks about: how a connection is secured, what became of a download, and what a listing says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Security(StrEnum):
    """TLS on the control connection: none, by AUTH TLS, or from the first byte."""

    OFF = "off"
    EXPLICIT = "explicit"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was fetched. `size` is what the server announced, None = it did not; `verified` = what the bytes were
    checked against; `path` is the local one, "-" = standard output."""

    path: str
    bytes: int
    size: int | None
    sha256: str | None
    seconds: float
    verified: str | None
    final: str
    skipped: bool = False
    tls: Mapping[str, object] | None = None
    data_resumed: bool = False


class EntryType(StrEnum):
    """What a listed name is. `OTHER` = a device, a pipe, a socket, or the listing does not say."""

    FILE = "file"
    DIR = "dir"
    LINK = "link"
    OTHER = "other"


class Source(StrEnum):
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
    source: Source
    resolution: int = 1
