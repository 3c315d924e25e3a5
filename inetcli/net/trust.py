"""What the user trusts: the TLS options, before any TLS is loaded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """`--ca`, `--insecure`, `--pin`, `--cert` and `--key`. No CA file = the system's store."""

    ca_file: str | None = None
    insecure: bool = False
    pins: tuple[str, ...] = ()
    certificate: str | None = None
    key: str | None = None
