"""The objects of TLS: certificates, their problems, and one hello.

The problem codes are fixed; the exit code of a target is that of its first problem in `PROBLEM_ORDER`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from inetcli.net.tlsfacts import TlsFacts


class ProblemCode(StrEnum):
    """The codes of problems with a certificate or its chain."""

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


PROBLEM_ORDER: Sequence[ProblemCode] = tuple(ProblemCode)
"""The priority of problems: time first, then the name, then trust, then all others."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A served certificate. Names are RFC 4514 strings; `san` is without its types; `key_bits` belong to the public
    key."""

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
        """Return the whole days until the certificate expires; negative after that."""
        return (self.not_after - now).days


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem; `certificate` is the index in the served chain, 0 = leaf, None = no particular certificate."""

    code: ProblemCode
    certificate: int | None
    message: str
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class Hello:
    """One handshake with a server, and its reply to `--send`."""

    host: str
    port: int
    facts: TlsFacts
    chain: tuple[Certificate, ...]
    problems: tuple[Problem, ...]
    now: datetime
    reply: bytes | None = None

    @property
    def verdict(self) -> str:
        """`ok`, or the code of the decisive problem."""
        errors = [problem.code for problem in self.problems if problem.severity == "error"]
        return min(errors, key=PROBLEM_ORDER.index) if errors else "ok"
