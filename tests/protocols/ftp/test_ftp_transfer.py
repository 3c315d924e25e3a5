"""Whether a transfer is believed: every combination of what came, what was announced, and what was said."""

import pytest

from inetcli.errors import EmptyReply, Incomplete, InetError, ReceiveFailed, TimedOut
from inetcli.protocols.ftp.transfer import judge
from inetcli.wire.replies import Reply

DONE = Reply(226, ("226 Transfer complete",))
OTHER_DONE = Reply(250, ("250 done",))
ABORTED = Reply(426, ("426 aborted",))
LOCAL = Reply(451, ("451 local error",))
SILENT = TimedOut("timed out: silent")
CLOSED = EmptyReply("closed")
RESET = ReceiveFailed("reset")


@pytest.mark.parametrize(
    ("came", "size", "broken", "end", "expected"),
    [
        (10, 10, None, DONE, None),
        (10, 10, None, OTHER_DONE, None),
        (10, None, None, DONE, None),
        (0, 0, None, DONE, None),
        (10, 10, None, SILENT, "all 10 bytes came, but"),
        (10, 10, None, CLOSED, "all 10 bytes came, but"),
    ],
)
def test_a_whole_transfer_is_believed(
    came: int, size: int | None, broken: InetError | None, end: Reply | InetError, expected: str | None
) -> None:
    note = judge("a.bin", came, size, broken, end)
    assert note is None if expected is None else note is not None and note.startswith(expected)


@pytest.mark.parametrize(
    ("came", "size", "broken", "end", "expected"),
    [
        (4, 10, None, DONE, Incomplete),
        (11, 10, None, DONE, Incomplete),
        (4, 10, None, ABORTED, Incomplete),
        (4, 10, None, LOCAL, Incomplete),
        (10, 10, None, ABORTED, Incomplete),
        (10, None, None, ABORTED, Incomplete),
        (4, 10, RESET, CLOSED, Incomplete),
        (4, 10, None, CLOSED, Incomplete),
        (4, None, None, CLOSED, Incomplete),
        (4, None, None, SILENT, TimedOut),
        (4, None, RESET, DONE, ReceiveFailed),
        (10, 10, RESET, DONE, ReceiveFailed),
    ],
)
def test_anything_else_is_not(
    came: int, size: int | None, broken: InetError | None, end: Reply | InetError, expected: type[InetError]
) -> None:
    with pytest.raises(expected):
        judge("a.bin", came, size, broken, end)


def test_the_message_says_what_came_and_what_was_said() -> None:
    with pytest.raises(Incomplete) as caught:
        judge("a.bin", 41943040, 734003200, None, DONE)
    assert caught.value.message == (
        'incomplete: 41943040 of 734003200 bytes came, yet the server said "226 Transfer complete"'
    )
    assert (caught.value.reply_code, caught.value.reply) == (226, "226 Transfer complete")
