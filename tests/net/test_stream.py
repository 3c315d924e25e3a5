import socket

import pytest

from inetcli.errors import EmptyReply, Incomplete, ReceiveFailed, SendFailed, TimedOut
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.stream import MemoryStream, SocketStream
from inetcli.net.trace import EventKind, Trace
from inetcli.net.wait import Cancel, Cancelled, WaitLimits
from inetcli.wire.reader import Parser, Reader


def a_line(reader: Reader) -> Parser[bytes]:
    return (yield from reader.line(1 << 16))


def all_of_it(reader: Reader) -> Parser[bytes]:
    return (yield from reader.rest(1 << 24))


def test_unused_bytes_stay_for_the_next_parser(pair) -> None:
    pair.peer.sendall(b"one\r\ntwo\r\nthr")
    assert pair.stream.read(a_line) == b"one"
    assert pair.stream.read(a_line) == b"two"
    pair.peer.sendall(b"ee\r\n")
    assert pair.stream.read(a_line) == b"three"


def test_data_larger_than_the_buffer_is_complete(pair, background) -> None:
    data = bytes(range(256)) * 4000

    def send() -> None:
        pair.peer.sendall(data)
        pair.peer.close()

    background(send)
    assert pair.stream.read(all_of_it) == data


def test_a_reply_is_timed_from_before_the_call_that_sent_its_request(clock) -> None:
    class Busy(MemoryStream):
        def _send(self, data: memoryview, limits: WaitLimits | None) -> int:
            clock.advance(0.25)  # the peer has the bytes, and its turn
            return super()._send(data[:2], limits)

    trace = Trace(clock)
    stream = Busy(b"OK\r\n", trace=trace)
    stream.send(b"CMD")
    assert stream.read(a_line) == b"OK"
    assert trace.timing_ms() == {"first_byte": 250.0, "total": 500.0}


def test_send_is_complete_with_a_slow_peer(pair, background) -> None:
    data = bytes(range(256)) * 40_000
    came = bytearray()

    def take() -> None:
        while len(came) < len(data):
            came.extend(pair.peer.recv(1 << 16))

    taker = background(take)
    pair.stream.send(data)
    taker.join()
    assert bytes(came) == data


def test_trace_receives_every_byte_with_secrets_masked(pair) -> None:
    pair.stream.send(b"PASS hush\r\n", shown=b"PASS ***\r\n")
    assert pair.peer.recv(100) == b"PASS hush\r\n"
    pair.peer.sendall(b"230 in\r\n")
    pair.stream.read(a_line)
    assert [(event.kind, event.data) for event in pair.events] == [
        (EventKind.SENT, b"PASS ***\r\n"),
        (EventKind.RECEIVED, b"230 in\r\n"),
    ]


def test_end_before_a_reply_differs_from_end_in_a_reply(connect) -> None:
    empty, cut = connect(), connect()
    for pair, data in ((empty, b""), (cut, b"22")):
        pair.peer.sendall(b"220 hello\r\n")
        pair.stream.read(a_line)
        pair.stream.send(b"HELP\r\n")
        pair.peer.recv(100)
        pair.peer.sendall(data)
        pair.peer.close()
    with pytest.raises(EmptyReply):
        empty.stream.read(a_line)
    with pytest.raises(Incomplete):
        cut.stream.read(a_line)


def test_reset_is_raised_after_the_received_bytes(pair) -> None:
    pair.peer.sendall(b"one\r\ntwo")
    pair.reset()
    assert pair.stream.read(a_line) == b"one"
    with pytest.raises(ReceiveFailed) as caught:
        pair.stream.read(a_line)
    assert caught.value.exit_code == 56
    assert caught.value.message == f"{pair.stream.peer}: the peer reset the connection"
    assert pair.stream.reader.drain() == b"two"


def test_sending_to_a_peer_that_has_gone_fails(pair) -> None:
    pair.reset()
    with pytest.raises(SendFailed, match="the peer reset the connection") as caught:
        pair.stream.send(b"x")
    assert caught.value.exit_code == 55
    with pytest.raises(SendFailed, match="the peer closed the connection"):
        pair.stream.send(b"x")


def test_silence_times_out(connect, cancel: Cancel) -> None:
    pair = connect(WaitLimits(Deadline(), 0.01, cancel))
    with pytest.raises(TimedOut, match=r"silent for 0\.01 s \(--timeout\)"):
        pair.stream.read(a_line)


def test_a_call_may_have_limits_of_its_own(connect, cancel: Cancel) -> None:
    pair = connect(WaitLimits(Deadline(), 20, cancel))
    usual = pair.stream.limits
    with pytest.raises(TimedOut, match=r"silent for 0\.01 s \(--timeout\)"):
        pair.stream.read(a_line, silence_s=0.01)
    with pytest.raises(TimedOut, match="no time left"):
        pair.stream.read(a_line, deadline=Deadline().within(0.01, "no time left"))
    with pytest.raises(TimedOut, match="no time left"):
        pair.stream.send(b"x" * (64 << 20), deadline=Deadline().within(0.01, "no time left"))
    assert pair.stream.limits is usual
    pair.peer.sendall(b"late\r\n")
    assert pair.stream.read(a_line) == b"late"


def test_a_call_may_have_a_later_deadline_than_the_stream(connect, cancel: Cancel) -> None:
    pair = connect(WaitLimits(Deadline().within(0, "over (--max-time)"), 20, cancel))
    pair.peer.sendall(b"one\r\n")
    with pytest.raises(TimedOut, match="over"):
        pair.stream.read(a_line)
    assert pair.stream.read(a_line, deadline=Deadline().within(20, "no time left")) == b"one"


def test_wait_for_end_drops_bytes_and_is_limited(connect, cancel: Cancel) -> None:
    ended, silent = connect(WaitLimits(Deadline(), 20, cancel)), connect(WaitLimits(Deadline(), 20, cancel))
    for pair in (ended, silent):
        pair.stream.reader.feed(b"early")
        pair.peer.sendall(b"late")
    ended.peer.close()
    ended.stream.wait_for_end(20)
    silent.stream.wait_for_end(0.01)
    for pair in (ended, silent):
        assert (len(pair.stream.reader), pair.stream.reader.position) == (0, 9)


def test_peer_that_never_receives_times_out(connect, cancel: Cancel) -> None:
    pair = connect(WaitLimits(Deadline(), 0.05, cancel))
    with pytest.raises(TimedOut, match="--timeout"):
        pair.stream.send(bytes(64 << 20))


def test_a_peer_that_never_pauses_does_not_outlast_the_deadline(connect, cancel: Cancel, clock, monkeypatch) -> None:
    pair = connect(WaitLimits(Deadline(clock).within(60, "over (--max-time)"), 20, cancel))

    def drip(_: WaitLimits, descriptor: int, events: int) -> None:
        clock.advance(1)
        pair.peer.sendall(b"x")

    monkeypatch.setattr(WaitLimits, "wait", drip)
    with pytest.raises(TimedOut, match="--max-time"):
        pair.stream.read(a_line)
    assert pair.stream.reader.received == 60


def test_a_peer_that_takes_everything_does_not_outlast_the_deadline(connect, cancel: Cancel, clock) -> None:
    pair = connect(WaitLimits(Deadline(clock).within(60, "over (--max-time)"), 20, cancel))
    pair.stream.send(b"in time")
    clock.advance(60)
    with pytest.raises(TimedOut, match="--max-time"):
        pair.stream.send(b"too late")


def test_slow_reply_is_below_the_minimum_rate(connect, cancel: Cancel, clock, monkeypatch) -> None:
    pair = connect(WaitLimits(Deadline(clock), 30, cancel), min_rate=16)

    def drip(_: WaitLimits, descriptor: int, events: int) -> None:
        clock.advance(29)
        pair.peer.sendall(b"x")

    monkeypatch.setattr(WaitLimits, "wait", drip)
    with pytest.raises(TimedOut, match=r"less than 16 bytes/s \(--min-rate\)"):
        pair.stream.read(a_line)


def test_end_is_not_checked_against_the_minimum_rate(connect, cancel: Cancel, clock, monkeypatch) -> None:
    pair = connect(WaitLimits(Deadline(clock), 300, cancel), min_rate=16)
    pair.peer.sendall(b"short")

    def end(_: WaitLimits, descriptor: int, events: int) -> None:
        clock.advance(299)
        pair.peer.close()

    monkeypatch.setattr(WaitLimits, "wait", end)
    assert pair.stream.read(all_of_it) == b"short"


def test_a_stop_ends_every_wait(pair, cancel: Cancel) -> None:
    cancel.set()
    with pytest.raises(Cancelled):
        pair.stream.read(a_line)
    with pytest.raises(Cancelled):
        pair.stream.send(bytes(64 << 20))


def test_the_half_close_is_seen_and_the_rest_still_comes(pair) -> None:
    pair.stream.send(b"last\n")
    pair.stream.finish_sending()
    assert pair.peer.recv(100) == b"last\n"
    assert pair.peer.recv(100) == b""
    pair.peer.sendall(b"farewell")
    pair.peer.close()
    assert pair.stream.read(all_of_it) == b"farewell"


def test_a_half_close_of_a_broken_connection_fails(pair) -> None:
    pair.reset()
    with pytest.raises(ReceiveFailed):
        pair.stream.read(a_line)
    with pytest.raises(SendFailed):
        pair.stream.finish_sending()


def test_close_twice(pair) -> None:
    pair.stream.close()
    pair.stream.close()


class Recording:
    """A socket that records the calls."""

    def __init__(self, sock: socket.socket, calls: list[str]) -> None:
        self._sock = sock
        self._calls = calls

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self._calls.append(f"setsockopt {level} {option} {value}")
        self._sock.setsockopt(level, option, value)

    def recv_into(self, buffer: memoryview) -> int:
        self._calls.append("recv")
        return self._sock.recv_into(buffer)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux only")
@pytest.mark.parametrize("interactive", [True, False])
def test_acknowledgements_are_quick_before_each_read_of_a_line_protocol(connect, interactive: bool) -> None:
    pair = connect(interactive=interactive)
    calls: list[str] = []
    pair.stream.sock = Recording(pair.stream.sock, calls)
    for line in (b"one\n", b"two\n"):
        pair.peer.sendall(line)
        pair.stream.read(a_line)
    arm = f"setsockopt {socket.IPPROTO_TCP} {socket.TCP_QUICKACK} 1"
    assert calls == [arm, "recv", arm, "recv"] if interactive else ["recv", "recv"]


def test_a_socket_that_knows_no_acknowledgements_is_read_all_the_same(limits: WaitLimits) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        stream = SocketStream(ours, Address(socket.AF_INET, ("0.0.0.0", 0)), limits, Trace())
        theirs.sendall(b"one\ntwo\n")
        assert [stream.read(a_line), stream.read(a_line)] == [b"one", b"two"]


def test_memory_stream_plays_a_server() -> None:
    stream = MemoryStream(b"220 hi\r\n", lambda sent: b"re: " + sent, ReceiveFailed("cut"))
    assert stream.read(a_line) == b"220 hi"
    stream.send(b"one\r\n")
    assert stream.read(a_line) == b"re: one"
    with pytest.raises(ReceiveFailed, match="cut"):
        stream.read(a_line)
    with pytest.raises(EmptyReply):
        stream.send(b"two\r\n") or stream.read(a_line)
    assert stream.sent == b"one\r\ntwo\r\n"
    stream.finish_sending()
    stream.close()
    assert stream.finished_sending
    assert stream.closed


def test_memory_stream_splits_a_long_step() -> None:
    stream = MemoryStream(b"x" * 10)
    buffer = bytearray(4)
    sizes = [stream.receive_into(memoryview(buffer)) for _ in range(4)]
    assert sizes == [4, 4, 2, 0]


def test_memory_stream_byte_by_byte() -> None:
    stream = MemoryStream.byte_by_byte(b"ab\r\n")
    assert stream.read(a_line) == b"ab"
    assert stream.reader.ended is False
