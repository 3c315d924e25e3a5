"""What FTP talks about: how a connection is secured, and what became of a download."""

from collections.abc import Mapping
from dataclasses import dataclass
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
