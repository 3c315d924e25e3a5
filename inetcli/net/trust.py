"""The TLS options of the user: the TLS mode and the trust options. This module does not load ssl."""

from dataclasses import dataclass
from enum import StrEnum


class TlsMode(StrEnum):
    """The start of TLS: never, after a command of the protocol (AUTH TLS, STARTTLS), or with the first byte."""

    OFF = "off"
    EXPLICIT = "explicit"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust options `--ca`, `--insecure`, `--pin`, `--cert` and `--key`. `ca_file` None = the system's store."""

    ca_file: str | None = None
    insecure: bool = False
    pins: tuple[str, ...] = ()
    certificate: str | None = None
    key: str | None = None
