"""`check_transfer`: all combinations of received bytes, announced size and final reply."""

import pytest

from inetcli.errors import EmptyReply, Incomplete, InetError, ReceiveFailed, TimedOut
from inetcli.protocols.ftp.transfer import check_transfer
from inetcli.wire.replies import Reply

DONE = Reply(226, ("226 Transfer complete",))
OTHER_DONE = Reply(250, ("250 done",))
ABORTED = Reply(426, ("426 aborted",))
LOCAL = Reply(451, ("451 local error",))
SILENT = TimedOut("timed out: silent")
CLOSED = EmptyReply("closed")
RESET = ReceiveFailed("reset")


@pytest.mark.parametrize(
    ("received_bytes", "size", "stream_error", "final_reply", "expected"),
    [
        (10, 10, None, DONE, None),
        (10, 10, None, OTHER_DONE, None),
        (10, None, None, DONE, None),
        (0, 0, None, DONE, None),
        (10, 10, None, SILENT, "all 10 bytes came, but"),
        (10, 10, None, CLOSED, "all 10 bytes came, but"),
    ],
)
def test_check_transfer_accepts(
    received_bytes: int,
    size: int | None,
    stream_error: InetError | None,
    final_reply: Reply | InetError,
    expected: str | None,
) -> None:
    note = check_transfer(received_bytes, size, stream_error, final_reply)
    assert note is None if expected is None else note is not None and note.startswith(expected)


@pytest.mark.parametrize(
    ("received_bytes", "size", "stream_error", "final_reply", "expected"),
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
def test_check_transfer_rejects(
    received_bytes: int,
    size: int | None,
    stream_error: InetError | None,
    final_reply: Reply | InetError,
    expected: type[InetError],
) -> None:
    with pytest.raises(expected):
        check_transfer(received_bytes, size, stream_error, final_reply)


def test_message_has_the_byte_counts_and_the_reply() -> None:
    with pytest.raises(Incomplete) as caught:
        check_transfer(41943040, 734003200, None, DONE)
    assert caught.value.message == (
        'incomplete: 41943040 of 734003200 bytes came, yet the server said "226 Transfer complete"'
    )
    assert (caught.value.reply_code, caught.value.reply) == (226, "226 Transfer complete")
