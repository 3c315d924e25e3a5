"""What a refusal means: the error of each reply by what was refused, and whether trying again may help."""

from collections.abc import Callable

import pytest

from inetcli.errors import Denied, InetError, NotFound, Refused, UploadRefused
from inetcli.protocols.ftp.errors import (
    REPLY_ERRORS,
    expect_reply,
    is_denial,
    name_error,
    path_error,
    reply_error,
    upload_error,
)
from inetcli.wire.replies import Reply

Make = Callable[[str, Reply], InetError]


def reply(line: str) -> Reply:
    return Reply(int(line[:3]), (line,))


FOR_NOW = (421, 425, 426, 450, 451)

CASES: list[tuple[Make, str, type[InetError], bool]] = [
    (reply_error, "550 no", Refused, False),
    (reply_error, "500 what?", Refused, False),
    (reply_error, "331 password", Refused, False),
    (reply_error, "452 full", Refused, True),
    (path_error, "550 no such file", NotFound, False),
    (path_error, "550 Permission denied", Denied, False),
    (path_error, "550 /x: Access DENIED.", Denied, False),
    (path_error, "553 permission denied", Refused, False),
    (path_error, "452 full", Refused, True),
    (name_error, "550 exists", Denied, False),
    (name_error, "553 bad name", Denied, False),
    (name_error, "452 full", Refused, True),
    (name_error, "502 not implemented", Refused, False),
    (upload_error, "550 no", UploadRefused, False),
    (upload_error, "553 bad name", UploadRefused, False),
    (upload_error, "500 what?", UploadRefused, False),
    (upload_error, "452 full", UploadRefused, False),
    (upload_error, "331 password", Refused, False),
    *[
        (make, f"{code} later", Refused, True)
        for make in (reply_error, path_error, name_error, upload_error)
        for code in FOR_NOW
    ],
]


@pytest.mark.parametrize(("make", "line", "kind", "transient"), CASES)
def test_error_for_each_reply_code(make: Make, line: str, kind: type[InetError], transient: bool) -> None:
    error = make("/x: not done", reply(line))
    assert type(error) is kind
    assert error.message == f'/x: not done: "{line}"'
    assert (error.reply_code, error.reply, error.transient) == (int(line[:3]), line, transient)


def test_every_code_of_the_table_has_a_test_case() -> None:
    assert REPLY_ERRORS.keys() <= {int(line[:3]) for _, line, _, _ in CASES}


@pytest.mark.parametrize(
    ("line", "denial"),
    [("550 Permission denied", True), ("550 not permitted: PERMISSION", True), ("550 no such file", False)],
)
def test_is_denial(line: str, denial: bool) -> None:
    assert is_denial(reply(line)) is denial


@pytest.mark.parametrize(("wanted", "good"), [(250, True), (2, True), (257, False), (3, False)])
def test_expect_reply_takes_a_code_or_its_first_digit(wanted: int, good: bool) -> None:
    came = reply("250 done")
    if good:
        assert expect_reply(came, wanted, lambda _: Refused("x")) is came
    else:
        with pytest.raises(Refused, match='not done: "250 done"'):
            expect_reply(came, wanted, lambda bad: reply_error("not done", bad))
