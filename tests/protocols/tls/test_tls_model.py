"""The words of TLS: problems in their order, days that are left, the verdict."""

from datetime import timedelta

import pytest
from support.certificates import NOW, certificate

from inetcli.net.tlsfacts import TlsFacts
from inetcli.protocols.tls.model import ORDER, Code, Hello, Problem


def hello(*problems: Problem) -> Hello:
    return Hello("h", 443, TlsFacts(), (), problems, NOW, 0.1)


def test_the_order_is_that_of_the_contract() -> None:
    assert ORDER[:6] == (
        Code.EXPIRED,
        Code.NOT_YET_VALID,
        Code.WRONG_HOST,
        Code.SELF_SIGNED,
        Code.INCOMPLETE_CHAIN,
        Code.UNTRUSTED,
    )
    assert ORDER[-1] is Code.OTHER
    assert set(ORDER) == set(Code)


def test_the_verdict_is_the_first_error_in_the_order() -> None:
    assert hello().verdict == "ok"
    assert hello(Problem(Code.EXPIRED, 1, "old root", "warning")).verdict == "ok"
    problems = (Problem(Code.OTHER, 0, "x"), Problem(Code.WRONG_HOST, 0, "y"), Problem(Code.EXPIRED, 1, "z", "warning"))
    assert hello(*problems).verdict == "wrong_host"


@pytest.mark.parametrize(("hours", "days"), [(49, 2), (47, 1), (1, 0), (-1, -1), (-25, -2)])
def test_days_left_are_whole_ones(hours: int, days: int) -> None:
    assert certificate("CN=x", not_after=NOW + timedelta(hours=hours)).days_left(NOW) == days
