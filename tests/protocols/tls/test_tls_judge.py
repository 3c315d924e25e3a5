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
from inetcli.protocols.tls.judge import judge, primary_error
from inetcli.protocols.tls.model import Code, Problem


def untrusted(code: int) -> Untrusted:
    error = Untrusted("h: no issuer")
    error.verify_code = code
    return error


def test_each_certificate_that_is_out_of_date_is_named() -> None:
    chain = [certificate("CN=leaf"), certificate("CN=middle", not_after=NOW - timedelta(days=3))]
    problems = judge(chain, untrusted(20), NOW)
    assert [(problem.code, problem.certificate) for problem in problems] == [(Code.EXPIRED, 1), (Code.UNTRUSTED, 1)]


def test_what_is_out_of_date_beside_the_way_is_a_warning() -> None:
    chain = [certificate("CN=leaf"), certificate("CN=old root", not_after=NOW - timedelta(days=3))]
    (problem,) = judge(chain, None, NOW)
    assert (problem.code, problem.certificate, problem.severity) == (Code.EXPIRED, 1, "warning")


def test_a_weak_key_is_the_leafs_where_openssl_says_so() -> None:
    assert judge([certificate("CN=leaf")], untrusted(66), NOW)[0].certificate == 0
    assert judge([certificate("CN=leaf")], untrusted(67), NOW)[0].certificate is None


def test_a_leaf_alone_whose_issuer_is_unknown_is_an_incomplete_chain() -> None:
    assert judge([certificate("CN=leaf")], untrusted(20), NOW)[0].code is Code.INCOMPLETE_CHAIN
    assert judge([certificate("CN=leaf")], untrusted(18), NOW)[0].code is Code.SELF_SIGNED
    assert judge([certificate("CN=leaf")], None, NOW) == ()


@pytest.mark.parametrize(
    ("number", "length", "code", "about"),
    [
        (9, 2, Code.NOT_YET_VALID, None),
        (10, 2, Code.EXPIRED, None),
        (18, 2, Code.SELF_SIGNED, 0),
        (19, 3, Code.UNTRUSTED, 2),
        (20, 2, Code.UNTRUSTED, 1),
        (21, 1, Code.INCOMPLETE_CHAIN, 0),
        (24, 2, Code.NOT_A_CA, None),
        (26, 2, Code.PURPOSE, None),
        (34, 2, Code.UNKNOWN_CRITICAL, None),
        (47, 2, Code.NAME_CONSTRAINT, None),
        (62, 2, Code.WRONG_HOST, 0),
        (68, 2, Code.WEAK_SIGNATURE, None),
        (79, 2, Code.NOT_A_CA, None),
        (1, 2, Code.OTHER, None),
        (None, 2, Code.PIN, 0),
    ],
)
def test_openssls_numbers_have_codes_and_some_are_about_a_certificate(
    number: int | None, length: int, code: Code, about: int | None
) -> None:
    error = CertificateProblem("h: words: and more")
    error.verify_code = number
    chain = [certificate(f"CN={index}") for index in range(length)]
    assert judge(chain, error, NOW) == (Problem(code, about, "words: and more"),)


def test_without_a_served_chain_a_problem_is_about_no_certificate() -> None:
    assert judge([], untrusted(18), NOW) == (Problem(Code.SELF_SIGNED, None, "no issuer"),)


def test_a_date_that_openssl_saw_is_told_once_and_with_its_certificate() -> None:
    error = Expired("h: certificate has expired")
    error.verify_code = 10
    (problem,) = judge([certificate("CN=leaf", not_after=NOW - timedelta(days=3))], error, NOW)
    assert problem == Problem(Code.EXPIRED, 0, "expired 2026-11-21, 3 days ago")


def test_the_problems_come_in_the_order_of_the_contract_and_warnings_last() -> None:
    chain = [
        certificate("CN=leaf", not_before=NOW + timedelta(days=1)),
        certificate("CN=middle", not_after=NOW - timedelta(days=1)),
    ]
    assert [problem.code for problem in judge(chain, untrusted(20), NOW)] == [
        Code.EXPIRED,
        Code.NOT_YET_VALID,
        Code.UNTRUSTED,
    ]
    assert judge(chain, None, NOW)[1].message == "valid from 2026-11-25 on"


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_certificate_is_good_to_the_second_of_its_end(seconds: int) -> None:
    chain = [certificate("CN=leaf", not_after=datetime(2026, 11, 24, tzinfo=UTC) - timedelta(seconds=seconds))]
    assert len(judge(chain, None, NOW)) == (seconds > 0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Code.EXPIRED, Expired),
        (Code.NOT_YET_VALID, NotYetValid),
        (Code.WRONG_HOST, WrongHost),
        (Code.SELF_SIGNED, Untrusted),
        (Code.INCOMPLETE_CHAIN, Untrusted),
        (Code.UNTRUSTED, Untrusted),
        (Code.PIN, PinMismatch),
        *[
            (code, ChainFault)
            for code in (
                Code.NOT_A_CA,
                Code.PURPOSE,
                Code.NAME_CONSTRAINT,
                Code.WEAK_KEY,
                Code.WEAK_SIGNATURE,
                Code.UNKNOWN_CRITICAL,
                Code.OTHER,
            )
        ],
    ],
)
def test_the_error_is_that_of_the_first_problem(code: Code, kind: type[CertificateProblem]) -> None:
    seen = CertificateProblem("h: what OpenSSL saw")
    error = primary_error([Problem(code, 0, "words"), Problem(Code.OTHER, 0, "others")], seen, "host")
    assert type(error) is kind
    assert error.message == "host: words"
    own = kind("h: its own words")
    assert primary_error([Problem(code, 0, "words")], own, "host") is own
