"""The words of TLS: problems in their order, days that are left, the verdict."""

from datetime import timedelta

import pytest
from support.certificates import NOW, certificate

from inetcli.net.tlsfacts import TlsFacts
from inetcli.protocols.tls.model import PROBLEM_ORDER, Hello, Problem, ProblemCode


def hello(*problems: Problem) -> Hello:
    return Hello("h", 443, TlsFacts(), (), problems, NOW, 0.1)


def test_the_order_is_that_of_the_contract() -> None:
    assert PROBLEM_ORDER[:6] == (
        ProblemCode.EXPIRED,
        ProblemCode.NOT_YET_VALID,
        ProblemCode.WRONG_HOST,
        ProblemCode.SELF_SIGNED,
        ProblemCode.INCOMPLETE_CHAIN,
        ProblemCode.UNTRUSTED,
    )
    assert PROBLEM_ORDER[-1] is ProblemCode.OTHER
    assert set(PROBLEM_ORDER) == set(ProblemCode)


def test_the_verdict_is_the_first_error_in_the_order() -> None:
    assert hello().verdict == "ok"
    assert hello(Problem(ProblemCode.EXPIRED, 1, "old root", "warning")).verdict == "ok"
    problems = (
        Problem(ProblemCode.OTHER, 0, "x"),
        Problem(ProblemCode.WRONG_HOST, 0, "y"),
        Problem(ProblemCode.EXPIRED, 1, "z", "warning"),
    )
    assert hello(*problems).verdict == "wrong_host"


@pytest.mark.parametrize(("hours", "days"), [(49, 2), (47, 1), (1, 0), (-1, -1), (-25, -2)])
def test_days_left_are_whole_ones(hours: int, days: int) -> None:
    assert certificate("CN=x", not_after=NOW + timedelta(hours=hours)).days_left(NOW) == days
