"""What a refusal means: the error, its code, and whether trying again may help."""

from collections.abc import Callable

import pytest

from inetcli.errors import Denied, InetError, NotFound, Refused
from inetcli.protocols.ftp.errors import expect, failed, forbidden, is_denial, missing
from inetcli.wire.replies import Reply


def reply(line: str) -> Reply:
    return Reply(int(line[:3]), (line,))


CASES: list[tuple[Callable[[str, Reply], InetError], str, type[InetError], bool]] = [
    (failed, "550 no", Refused, False),
    (failed, "500 what?", Refused, False),
    (missing, "550 no such file", NotFound, False),
    (missing, "550 Permission denied", Denied, False),
    (missing, "550 /x: Access DENIED.", Denied, False),
    (missing, "553 no", Refused, False),
    (missing, "450 busy", Refused, True),
    (forbidden, "550 exists", Denied, False),
    (forbidden, "553 bad name", Denied, False),
    (forbidden, "452 full", Refused, True),
    (forbidden, "502 not implemented", Refused, False),
    *[(failed, f"{code} later", Refused, True) for code in (421, 425, 426, 450, 451, 452)],
]


@pytest.mark.parametrize(("make", "line", "kind", "transient"), CASES)
def test_a_refusal_is_an_error_with_the_servers_words(
    make: Callable[[str, Reply], InetError], line: str, kind: type[InetError], transient: bool
) -> None:
    error = make("/x: not done", reply(line))
    assert type(error) is kind
    assert error.message == f'/x: not done: "{line}"'
    assert (error.reply_code, error.reply, error.transient) == (int(line[:3]), line, transient)


@pytest.mark.parametrize(
    ("line", "denial"),
    [("550 Permission denied", True), ("550 not permitted: PERMISSION", True), ("550 no such file", False)],
)
def test_is_denial_reads_the_words(line: str, denial: bool) -> None:
    assert is_denial(reply(line)) is denial


@pytest.mark.parametrize(("wanted", "good"), [(250, True), (2, True), (257, False), (3, False)])
def test_expect_takes_a_code_or_its_first_digit(wanted: int, good: bool) -> None:
    came = reply("250 done")
    if good:
        assert expect(came, wanted, lambda _: Refused("x")) is came
    else:
        with pytest.raises(Refused, match='not done: "250 done"'):
            expect(came, wanted, lambda bad: failed("not done", bad))
