"""The problems of a certificate chain: OpenSSL's result, separated by cause and assigned to a certificate.

OpenSSL reports only the first problem, without its certificate: an expired leaf, intermediate and root look the same.
The dates of the served certificates are known, so each expired certificate is named. If OpenSSL accepts the chain
nevertheless, the expired certificate is not on the path to the trusted one (a cross-signed root, served for old
clients): this is a warning, and the verdict stays. All other problems come from OpenSSL, by X509_V_ERR number.
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
from inetcli.protocols.tls.model import PROBLEM_ORDER, Certificate, Problem, ProblemCode

_CODES = {
    9: ProblemCode.NOT_YET_VALID,
    10: ProblemCode.EXPIRED,
    18: ProblemCode.SELF_SIGNED,
    19: ProblemCode.UNTRUSTED,
    20: ProblemCode.UNTRUSTED,
    21: ProblemCode.UNTRUSTED,
    24: ProblemCode.NOT_A_CA,
    26: ProblemCode.PURPOSE,
    34: ProblemCode.UNKNOWN_CRITICAL,
    47: ProblemCode.NAME_CONSTRAINT,
    48: ProblemCode.NAME_CONSTRAINT,
    62: ProblemCode.WRONG_HOST,
    64: ProblemCode.WRONG_HOST,
    66: ProblemCode.WEAK_KEY,
    67: ProblemCode.WEAK_KEY,
    68: ProblemCode.WEAK_SIGNATURE,
    79: ProblemCode.NOT_A_CA,
}
_ISSUER_NOT_FOUND = (20, 21)
_LEAF_KEY_TOO_WEAK = 66

_ERRORS: dict[ProblemCode, type[CertificateProblem]] = {
    ProblemCode.EXPIRED: Expired,
    ProblemCode.NOT_YET_VALID: NotYetValid,
    ProblemCode.WRONG_HOST: WrongHost,
    ProblemCode.SELF_SIGNED: Untrusted,
    ProblemCode.INCOMPLETE_CHAIN: Untrusted,
    ProblemCode.UNTRUSTED: Untrusted,
    ProblemCode.PIN: PinMismatch,
}
"""The error of each problem, and with it the exit code; all other problems are `ChainFault`."""


def find_problems(chain: Sequence[Certificate], error: CertificateProblem | None, now: datetime) -> tuple[Problem, ...]:
    """Return all known problems, the decisive one first, warnings last. `error` comes from OpenSSL or from the pin
    check."""
    problems = [*_find_date_problems(chain, error, now)]
    if error is not None:
        code = _problem_code(chain, error)
        if code not in [problem.code for problem in problems]:
            problems.append(Problem(code, _certificate_index(code, chain, error), error.message.partition(": ")[2]))
    return tuple(sorted(problems, key=lambda problem: (problem.severity != "error", PROBLEM_ORDER.index(problem.code))))


def primary_error(problems: Sequence[Problem], error: CertificateProblem, name: str) -> CertificateProblem:
    """Return the error of the decisive problem: OpenSSL's own, unless OpenSSL reported another problem first."""
    first = problems[0]
    kind = _ERRORS.get(first.code, ChainFault)
    return error if isinstance(error, kind) else kind(f"{name}: {first.message}")


def _find_date_problems(chain: Sequence[Certificate], error: CertificateProblem | None, now: datetime) -> list[Problem]:
    problems = []
    for index, certificate in enumerate(chain):
        severity = "error" if error else "warning"
        if now > certificate.not_after:
            message = f"expired {certificate.not_after:%Y-%m-%d}, {-certificate.days_left(now)} days ago"
            problems.append(Problem(ProblemCode.EXPIRED, index, message, severity))
        elif now < certificate.not_before:
            message = f"valid from {certificate.not_before:%Y-%m-%d} on"
            problems.append(Problem(ProblemCode.NOT_YET_VALID, index, message, severity))
    return problems


def _problem_code(chain: Sequence[Certificate], error: CertificateProblem) -> ProblemCode:
    if error.verify_code is None:
        return ProblemCode.PIN
    if error.verify_code in _ISSUER_NOT_FOUND and len(chain) == 1:
        return ProblemCode.INCOMPLETE_CHAIN
    return _CODES.get(error.verify_code, ProblemCode.OTHER)


def _certificate_index(code: ProblemCode, chain: Sequence[Certificate], error: CertificateProblem) -> int | None:
    """Return the index of the certificate with the problem, if OpenSSL's number tells it: name, key and pin belong to
    the leaf."""
    if not chain:
        return None
    match code:
        case ProblemCode.WRONG_HOST | ProblemCode.SELF_SIGNED | ProblemCode.PIN | ProblemCode.INCOMPLETE_CHAIN:
            return 0
        case ProblemCode.UNTRUSTED:
            return len(chain) - 1
        case ProblemCode.WEAK_KEY if error.verify_code == _LEAF_KEY_TOO_WEAK:
            return 0
        case _:
            return None
