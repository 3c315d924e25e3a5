"""Conversations in lock-step, against a server played from memory."""

import pytest

from inetcli.errors import EmptyReply, Incomplete, InetError, ReceiveFailed, TooLarge
from inetcli.net.stream import MemoryStream
from inetcli.protocols.talk.client import talk
from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.wire import CRLF, MAX_LINE


def test_talk_sends_the_next_line_only_when_the_reply_is_here() -> None:
    sent_by_then: list[bytes] = []

    def reply(sent: bytes) -> bytes:
        sent_by_then.append(sent)
        return b"ok\n"

    stream = MemoryStream(reply, reply)
    turns = [(turn.sent, turn.received) for turn in talk(stream, [b"one", b"two"])]
    assert turns == [(b"one", b"ok"), (b"two", b"ok")]
    assert sent_by_then == [b"one\n", b"one\ntwo\n"]
    assert stream.finished_sending


def test_talk_byte_by_byte_is_the_same() -> None:
    stream = MemoryStream.byte_by_byte(b"first\r\nsecond\nlast words\nwithout an end")
    turns = [(turn.sent, turn.received) for turn in talk(stream, [b"a", b"b"], CRLF)]
    assert turns == [(b"a", b"first"), (b"b", b"second"), (None, b"last words"), (None, b"without an end")]
    assert stream.sent == b"a\r\nb\r\n"


def test_talk_without_lines_half_closes_and_reads_to_the_end() -> None:
    stream = MemoryStream(b"Sun Nov 22 18:04:11 2026\r\n")
    assert list(talk(stream, [])) == [Turn(None, b"Sun Nov 22 18:04:11 2026", None)]


def test_talk_when_a_reply_is_cut_shows_what_came_and_fails() -> None:
    turns = talk(MemoryStream(b"ok\nhal"), [b"a", b"b"])
    assert next(turns).received == b"ok"
    assert next(turns).received == b"hal"
    with pytest.raises(Incomplete):
        next(turns)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), EmptyReply),
        ((ReceiveFailed("reset"),), ReceiveFailed),
        ((b"x" * MAX_LINE,), TooLarge),
    ],
)
def test_talk_when_no_reply_comes(steps: tuple[bytes | InetError, ...], expected: type[InetError]) -> None:
    with pytest.raises(expected):
        list(talk(MemoryStream(*steps), [b"a"]))


def test_talk_cut_at_every_byte_never_passes_for_whole() -> None:
    replies = b"first\nsecond\n"
    for cut in range(len(replies)):
        with pytest.raises((EmptyReply, Incomplete)):
            list(talk(MemoryStream(replies[:cut]), [b"a", b"b"]))
