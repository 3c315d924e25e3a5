"""Conversations in lock-step, against a scripted server in memory."""

import socket
import threading

import pytest

from inetcli.errors import EmptyReply, Incomplete, InetError, ReceiveFailed, TimedOut, TooLarge, Unreachable
from inetcli.net.session import Network, Timeouts
from inetcli.net.stream import MemoryStream
from inetcli.net.trace import Event, EventKind
from inetcli.protocols.talk.client import talk, talk_datagrams
from inetcli.protocols.talk.model import LineExchange
from inetcli.protocols.talk.wire import CRLF, MAX_LINE


def test_talk_sends_the_next_line_only_when_the_reply_is_here() -> None:
    sent_by_then: list[bytes] = []

    def reply(sent: bytes) -> bytes:
        sent_by_then.append(sent)
        return b"ok\n"

    stream = MemoryStream(reply, reply)
    exchanges = [(exchange.sent, exchange.received) for exchange in talk(stream, [b"one", b"two"])]
    assert exchanges == [(b"one", b"ok"), (b"two", b"ok")]
    assert sent_by_then == [b"one\n", b"one\ntwo\n"]
    assert stream.finished_sending


def test_talk_byte_by_byte_is_the_same() -> None:
    stream = MemoryStream.byte_by_byte(b"first\r\nsecond\nlast words\nwithout an end")
    exchanges = [(exchange.sent, exchange.received) for exchange in talk(stream, [b"a", b"b"], CRLF)]
    assert exchanges == [(b"a", b"first"), (b"b", b"second"), (None, b"last words"), (None, b"without an end")]
    assert stream.sent == b"a\r\nb\r\n"


def test_talk_without_lines_half_closes_and_reads_to_the_end() -> None:
    stream = MemoryStream(b"Sun Nov 22 18:04:11 2026\r\n")
    assert list(talk(stream, [])) == [LineExchange(None, b"Sun Nov 22 18:04:11 2026", None)]


def test_talk_with_a_cut_reply_yields_the_received_part_and_fails() -> None:
    exchanges = talk(MemoryStream(b"ok\nhal"), [b"a", b"b"])
    assert next(exchanges).received == b"ok"
    assert next(exchanges).received == b"hal"
    with pytest.raises(Incomplete):
        next(exchanges)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), EmptyReply),
        ((ReceiveFailed("reset"),), ReceiveFailed),
        ((b"x" * MAX_LINE,), TooLarge),
    ],
)
def test_talk_without_a_reply(steps: tuple[bytes | InetError, ...], expected: type[InetError]) -> None:
    with pytest.raises(expected):
        list(talk(MemoryStream(*steps), [b"a"]))


def test_talk_cut_at_any_byte_is_never_complete() -> None:
    replies = b"first\nsecond\n"
    for cut in range(len(replies)):
        with pytest.raises((EmptyReply, Incomplete)):
            list(talk(MemoryStream(replies[:cut]), [b"a", b"b"]))


def shared_port(port: int = 0) -> socket.socket:
    """A UDP socket on a port that more than one may have."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    return sock


def test_wait_repeats_a_refused_datagram_until_the_port_is_open() -> None:
    with shared_port() as held:
        held.connect(("127.0.0.1", 9))  # the port is ours, and to everybody else it is closed
        port = held.getsockname()[1]
        sent: list[bytes] = []
        listening = threading.Event()
        server = threading.Thread(target=serve, args=(port, listening), daemon=True)

        def on_event(event: Event) -> None:
            if event.kind is EventKind.SENT:
                sent.append(event.data)
                if len(sent) == 2:
                    server.start()
                    assert listening.wait(20)

        session = Network(timeouts=Timeouts(wait_s=20)).session(on_event)
        exchanges = [
            (exchange.sent, exchange.received)
            for exchange in talk_datagrams(session, "127.0.0.1", port, [b"one", b"two"])
        ]
        server.join(20)
    assert exchanges == [(b"one", b"ONE"), (b"two", b"TWO")]
    assert sent[:2] == [b"one", b"one"]
    assert sent[-1] == b"two"
    assert sent.count(b"two") == 1


def serve(port: int, listening: threading.Event) -> None:
    """Answer two datagrams in capitals."""
    with shared_port(port) as sock:
        sock.settimeout(20)
        listening.set()
        for _ in range(2):
            serve_one(sock)


def serve_one(sock: socket.socket) -> None:
    """Answer one datagram in capitals."""
    data, peer = sock.recvfrom(100)
    sock.sendto(data.upper(), peer)


def test_wait_does_not_repeat_a_datagram_to_a_port_that_closed_after_a_reply() -> None:
    with shared_port() as held:
        held.connect(("127.0.0.1", 9))
        port = held.getsockname()[1]
        sent: list[bytes] = []

        def on_event(event: Event) -> None:
            if event.kind is EventKind.SENT:
                sent.append(event.data)
                if len(sent) == 1:
                    serve_one(server)

        with shared_port(port) as server:
            session = Network(timeouts=Timeouts(wait_s=1)).session(on_event)
            exchanges = talk_datagrams(session, "127.0.0.1", port, [b"one", b"two"])
            assert next(exchanges).received == b"ONE"
        with pytest.raises(Unreachable):
            next(exchanges)
    assert sent == [b"one", b"two"]


@pytest.mark.parametrize("silent", [True, False])
def test_wait_gives_up_on_datagrams_and_never_repeats_one_that_may_have_been_read(silent: bool) -> None:
    with shared_port() as peer:
        if not silent:
            peer.connect(("127.0.0.1", 9))
        sent: list[bytes] = []
        session = Network(timeouts=Timeouts(wait_s=0.2, silence_s=0.1)).session(
            lambda event: sent.append(event.data) if event.kind is EventKind.SENT else None
        )
        with pytest.raises(TimedOut if silent else Unreachable):
            list(talk_datagrams(session, "127.0.0.1", peer.getsockname()[1], [b"one"]))
    assert len(sent) == 1 if silent else len(sent) > 1
