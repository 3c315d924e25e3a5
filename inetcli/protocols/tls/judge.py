"""What is wrong with a chain: OpenSSL's verdict, told apart and told with the certificate it is about.

OpenSSL reports the first problem only, and not where it is: an expired leaf, intermediate and root look the same. The
dates of what was served are here to be read, so each certificate that is out of date is named. Where OpenSSL is content
all the same, it is not on the way to the trusted certificate (a cross-signed root, served for old clients): that is a
warning, and the verdict stays. The rest of the verdict is OpenSSL's, by its X509_V_ERR number.
"""

from collections.abc import Sequence
from datetime import datetime

from inetcli.errors import (
    CertificateProblem,
    ChainFault,
    Expired,
    NotYetValid,
    PinMismatch,
    Untrusted,
    WrongHost,
)
from inetcli.protocols.tls.model import ORDER, Certificate, Code, Problem

_CODES = {
    9: Code.NOT_YET_VALID,
    10: Code.EXPIRED,
    18: Code.SELF_SIGNED,
    19: Code.UNTRUSTED,
    20: Code.UNTRUSTED,
    21: Code.UNTRUSTED,
    24: Code.NOT_A_CA,
    26: Code.PURPOSE,
    34: Code.UNKNOWN_CRITICAL,
    47: Code.NAME_CONSTRAINT,
    48: Code.NAME_CONSTRAINT,
    62: Code.WRONG_HOST,
    64: Code.WRONG_HOST,
    66: Code.WEAK_KEY,
    67: Code.WEAK_KEY,
    68: Code.WEAK_SIGNATURE,
    79: Code.NOT_A_CA,
}
_ISSUER_NOT_FOUND = (20, 21)
_LEAF_KEY_TOO_WEAK = 66

_ERRORS: dict[Code, type[CertificateProblem]] = {
    Code.EXPIRED: Expired,
    Code.NOT_YET_VALID: NotYetValid,
    Code.WRONG_HOST: WrongHost,
    Code.SELF_SIGNED: Untrusted,
    Code.INCOMPLETE_CHAIN: Untrusted,
    Code.UNTRUSTED: Untrusted,
    Code.PIN: PinMismatch,
}
"""The error, and with it the exit code, of each problem; all others are faults of the chain."""


def judge(chain: Sequence[Certificate], error: CertificateProblem | None, now: datetime) -> tuple[Problem, ...]:
    """All problems that are known, the one that counts first, the warnings last. `error` is OpenSSL's, or the pin's."""
    problems = [*_out_of_date(chain, error, now)]
    if error is not None:
        code = _code(chain, error)
        if code not in [problem.code for problem in problems]:
            problems.append(Problem(code, _about(code, chain, error), error.message.partition(": ")[2]))
    return tuple(sorted(problems, key=lambda problem: (problem.severity != "error", ORDER.index(problem.code))))


def primary_error(problems: Sequence[Problem], error: CertificateProblem, name: str) -> CertificateProblem:
    """The error of the problem that counts: OpenSSL's own, unless it saw another one first."""
    first = problems[0]
    kind = _ERRORS.get(first.code, ChainFault)
    return error if isinstance(error, kind) else kind(f"{name}: {first.message}")


def _out_of_date(chain: Sequence[Certificate], error: CertificateProblem | None, now: datetime) -> list[Problem]:
    problems = []
    for index, certificate in enumerate(chain):
        severity = "error" if error else "warning"
        if now > certificate.not_after:
            words = f"expired {certificate.not_after:%Y-%m-%d}, {-certificate.days_left(now)} days ago"
            problems.append(Problem(Code.EXPIRED, index, words, severity))
        elif now < certificate.not_before:
            words = f"valid from {certificate.not_before:%Y-%m-%d} on"
            problems.append(Problem(Code.NOT_YET_VALID, index, words, severity))
    return problems


def _code(chain: Sequence[Certificate], error: CertificateProblem) -> Code:
    if error.verify_code is None:
        return Code.PIN
    if error.verify_code in _ISSUER_NOT_FOUND and len(chain) == 1:
        return Code.INCOMPLETE_CHAIN
    return _CODES.get(error.verify_code, Code.OTHER)


def _about(code: Code, chain: Sequence[Certificate], error: CertificateProblem) -> int | None:
    """The certificate a problem is about, where OpenSSL's number tells: name, key and pin are the leaf's."""
    if not chain:
        return None
    match code:
        case Code.WRONG_HOST | Code.SELF_SIGNED | Code.PIN | Code.INCOMPLETE_CHAIN:
            return 0
        case Code.UNTRUSTED:
            return len(chain) - 1
        case Code.WEAK_KEY if error.verify_code == _LEAF_KEY_TOO_WEAK:
            return 0
        case _:
            return None
