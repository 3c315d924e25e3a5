"""What TLS talks about: certificates, what is wrong with them, and one hello.

The codes of problems are a fixed vocabulary; the exit code of a target is that of the first in `ORDER`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inetcli.net.tlsfacts import TlsFacts


class Code(StrEnum):
    """What can be wrong with a certificate or its chain."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_HOST = "wrong_host"
    SELF_SIGNED = "self_signed"
    INCOMPLETE_CHAIN = "incomplete_chain"
    UNTRUSTED = "untrusted"
    NOT_A_CA = "not_a_ca"
    PURPOSE = "purpose"
    NAME_CONSTRAINT = "name_constraint"
    WEAK_KEY = "weak_key"
    WEAK_SIGNATURE = "weak_signature"
    UNKNOWN_CRITICAL = "unknown_critical"
    PIN = "pin"
    OTHER = "other"


ORDER: Sequence[Code] = tuple(Code)
"""Which problem counts when there are several: time first, then the name, then the trust, then everything else."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A served certificate. Names as RFC 4514 strings; `san` without its types; `key_bits` of the public key."""

    subject: str
    issuer: str
    san: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    serial: str
    key_type: str
    key_bits: int | None
    signature: str
    sha256: str
    spki_sha256: str

    def days_left(self, now: datetime) -> int:
        """Whole days until it expires; negative when it has."""
        return (self.not_after - now).days


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong; `certificate` is its index in the served chain, 0 = leaf, None = about no served one."""

    code: Code
    certificate: int | None
    message: str
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class Hello:
    """One handshake with a server, and what it said after `--send`."""

    host: str
    port: int
    facts: TlsFacts
    chain: tuple[Certificate, ...]
    problems: tuple[Problem, ...]
    now: datetime
    handshake_s: float
    reply: bytes | None = None

    @property
    def verdict(self) -> str:
        """`ok`, or the code of the problem that counts."""
        errors = [problem.code for problem in self.problems if problem.severity == "error"]
        return min(errors, key=ORDER.index) if errors else "ok"
