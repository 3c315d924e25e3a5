"""What is wrong with a chain: OpenSSL's verdict, and what the dates of the served certificates add to it."""

from datetime import UTC, datetime, timedelta

import pytest
from support.certificates import NOW, certificate

from inetcli.errors import (
    CertificateProblem,
    ChainFault,
    Expired,
    NotYetValid,
    PinMismatch,
    Untrusted,
    WrongHost,
)
from inetcli.protocols.tls.model import Problem, ProblemCode
from inetcli.protocols.tls.problems import find_problems, primary_error


def untrusted(code: int) -> Untrusted:
    error = Untrusted("h: no issuer")
    error.verify_code = code
    return error


def test_each_certificate_that_is_out_of_date_is_named() -> None:
    chain = [certificate("CN=leaf"), certificate("CN=middle", not_after=NOW - timedelta(days=3))]
    problems = find_problems(chain, untrusted(20), NOW)
    assert [(problem.code, problem.certificate) for problem in problems] == [
        (ProblemCode.EXPIRED, 1),
        (ProblemCode.UNTRUSTED, 1),
    ]


def test_expired_certificate_outside_the_trusted_path_is_a_warning() -> None:
    chain = [certificate("CN=leaf"), certificate("CN=old root", not_after=NOW - timedelta(days=3))]
    (problem,) = find_problems(chain, None, NOW)
    assert (problem.code, problem.certificate, problem.severity) == (ProblemCode.EXPIRED, 1, "warning")


def test_weak_leaf_key_is_assigned_to_the_leaf() -> None:
    assert find_problems([certificate("CN=leaf")], untrusted(66), NOW)[0].certificate == 0
    assert find_problems([certificate("CN=leaf")], untrusted(67), NOW)[0].certificate is None


def test_single_leaf_with_unknown_issuer_is_an_incomplete_chain() -> None:
    assert find_problems([certificate("CN=leaf")], untrusted(20), NOW)[0].code is ProblemCode.INCOMPLETE_CHAIN
    assert find_problems([certificate("CN=leaf")], untrusted(18), NOW)[0].code is ProblemCode.SELF_SIGNED
    assert find_problems([certificate("CN=leaf")], None, NOW) == ()


@pytest.mark.parametrize(
    ("number", "length", "code", "about"),
    [
        (9, 2, ProblemCode.NOT_YET_VALID, None),
        (10, 2, ProblemCode.EXPIRED, None),
        (18, 2, ProblemCode.SELF_SIGNED, 0),
        (19, 3, ProblemCode.UNTRUSTED, 2),
        (20, 2, ProblemCode.UNTRUSTED, 1),
        (21, 1, ProblemCode.INCOMPLETE_CHAIN, 0),
        (24, 2, ProblemCode.NOT_A_CA, None),
        (26, 2, ProblemCode.PURPOSE, None),
        (34, 2, ProblemCode.UNKNOWN_CRITICAL, None),
        (47, 2, ProblemCode.NAME_CONSTRAINT, None),
        (62, 2, ProblemCode.WRONG_HOST, 0),
        (68, 2, ProblemCode.WEAK_SIGNATURE, None),
        (79, 2, ProblemCode.NOT_A_CA, None),
        (1, 2, ProblemCode.OTHER, None),
        (None, 2, ProblemCode.PIN, 0),
    ],
)
def test_openssls_numbers_have_codes_and_some_are_about_a_certificate(
    number: int | None, length: int, code: ProblemCode, about: int | None
) -> None:
    error = CertificateProblem("h: words: and more")
    error.verify_code = number
    chain = [certificate(f"CN={index}") for index in range(length)]
    assert find_problems(chain, error, NOW) == (Problem(code, about, "words: and more"),)


def test_without_a_served_chain_a_problem_is_about_no_certificate() -> None:
    assert find_problems([], untrusted(18), NOW) == (Problem(ProblemCode.SELF_SIGNED, None, "no issuer"),)


def test_a_date_that_openssl_saw_is_told_once_and_with_its_certificate() -> None:
    error = Expired("h: certificate has expired")
    error.verify_code = 10
    (problem,) = find_problems([certificate("CN=leaf", not_after=NOW - timedelta(days=3))], error, NOW)
    assert problem == Problem(ProblemCode.EXPIRED, 0, "expired 2026-11-21, 3 days ago")


def test_the_problems_come_in_the_order_of_the_contract_and_warnings_last() -> None:
    chain = [
        certificate("CN=leaf", not_before=NOW + timedelta(days=1)),
        certificate("CN=middle", not_after=NOW - timedelta(days=1)),
    ]
    assert [problem.code for problem in find_problems(chain, untrusted(20), NOW)] == [
        ProblemCode.EXPIRED,
        ProblemCode.NOT_YET_VALID,
        ProblemCode.UNTRUSTED,
    ]
    assert find_problems(chain, None, NOW)[1].message == "valid from 2026-11-25 on"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_certificate_is_good_to_the_second_of_its_end(seconds: int) -> None:
    chain = [certificate("CN=leaf", not_after=datetime(2026, 11, 24, tzinfo=UTC) - timedelta(seconds=seconds))]
    assert len(find_problems(chain, None, NOW)) == (seconds > 0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (ProblemCode.EXPIRED, Expired),
        (ProblemCode.NOT_YET_VALID, NotYetValid),
        (ProblemCode.WRONG_HOST, WrongHost),
        (ProblemCode.SELF_SIGNED, Untrusted),
        (ProblemCode.INCOMPLETE_CHAIN, Untrusted),
        (ProblemCode.UNTRUSTED, Untrusted),
        (ProblemCode.PIN, PinMismatch),
        *[
            (code, ChainFault)
            for code in (
                ProblemCode.NOT_A_CA,
                ProblemCode.PURPOSE,
                ProblemCode.NAME_CONSTRAINT,
                ProblemCode.WEAK_KEY,
                ProblemCode.WEAK_SIGNATURE,
                ProblemCode.UNKNOWN_CRITICAL,
                ProblemCode.OTHER,
            )
        ],
    ],
)
def test_the_error_is_that_of_the_first_problem(code: ProblemCode, kind: type[CertificateProblem]) -> None:
    seen = CertificateProblem("h: what OpenSSL saw")
    error = primary_error([Problem(code, 0, "words"), Problem(ProblemCode.OTHER, 0, "others")], seen, "host")
    assert type(error) is kind
    assert error.message == "host: words"
    own = kind("h: its own words")
    assert primary_error([Problem(code, 0, "words")], own, "host") is own
