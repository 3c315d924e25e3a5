"""The TLS options of the user, before any TLS is loaded: whether to speak it, and what to trust."""

from dataclasses import dataclass
from enum import StrEnum


class TlsMode(StrEnum):
    """When TLS starts: never, by a command of the protocol (AUTH TLS, STARTTLS), or with the first byte."""

    OFF = "off"
    EXPLICIT = "explicit"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Trust:
    """`--ca`, `--insecure`, `--pin`, `--cert` and `--key`. No CA file = the system's store."""

    ca_file: str | None = None
    insecure: bool = False
    pins: tuple[str, ...] = ()
    certificate: str | None = None
    key: str | None = None
