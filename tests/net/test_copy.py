import contextlib
import fcntl
import os
import random
import resource
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inetcli.errors import Incomplete, LocalRead, LocalWrite, ReceiveFailed, SendFailed, TimedOut
from inetcli.net.copy import Receiver, ReceiveSink, Sender, SendSource
from inetcli.net.deadline import Deadline
from inetcli.net.progress import NoProgress
from inetcli.net.wait import Cancel, Cancelled, WaitLimits, wait_any

PAGE = 4096
F_SETPIPE_SZ = 1031

MORE_THAN_A_PIPE = 60_000
"""Bytes that a pipe of one page cannot take: splice hands over references to 32 KiB and more, each counts as a page.
They fit into a TCP connection's first window, so all have arrived when the peer's end has closed."""


class Follower(NoProgress):
    """A progress that records the sizes and calls a function after each."""

    def __init__(self, after: Callable[[int], object] = int) -> None:
        self.sizes: list[int] = []
        self._after = after

    def advance(self, size: int) -> None:
        self.sizes.append(size)
        self._after(size)


both_ways = pytest.mark.parametrize("observer", [None, len], ids=["splice", "copy"])


def bytes_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def send(pair, data: bytes) -> None:
    """All of it, then the end."""
    pair.peer.sendall(data)
    pair.peer.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


def content(descriptor: int) -> bytes:
    return os.pread(descriptor, 1 << 24, 0)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe of one page, with both ends blocking."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, PAGE)
    yield reading, writing
    for end in (reading, writing):
        with contextlib.suppress(OSError):  # the test has closed it
            os.close(end)


def until_full(writing: int) -> None:
    poll = select.poll()
    poll.register(writing, select.POLLOUT)
    while poll.poll(0):
        os.sched_yield()


def read_all(reading: int) -> bytes:
    chunks = []
    while chunk := os.read(reading, 1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


@both_ways
@pytest.mark.parametrize("size", [0, 1, 65_536, 262_144, 262_145, 3_000_003])
def test_every_byte_arrives_once_in_order(pair, file: int, background, size: int, observer) -> None:
    data = bytes_of(size)
    background(send, pair, data)
    progress = Follower()
    transfer = Receiver(pair.stream, ReceiveSink(file, "file", observer=observer, progress=progress))
    assert transfer.run() == transfer.copied_bytes == size
    assert content(file) == data
    assert sum(progress.sizes) == pair.stream.trace.received_bytes == size


def test_splice_brings_no_byte_to_user_space_and_copy_shows_them_all(connect, file: int, background) -> None:
    spliced, copied = connect(), connect()
    for pair in (spliced, copied):
        background(send, pair, b"x" * 9000)
    Receiver(spliced.stream, ReceiveSink(file, "file")).run()
    Receiver(copied.stream, ReceiveSink(file, "file", observer=len)).run()
    assert {event.data for event in spliced.events} == {b""}
    assert b"".join(event.data for event in copied.events) == b"x" * 9000


def test_observer_receives_every_byte_in_order(pair, file: int, background) -> None:
    seen = bytearray()
    pair.stream.reader.feed(b"early ")
    background(send, pair, b"late")
    Receiver(pair.stream, ReceiveSink(file, "file", observer=seen.extend)).run()
    assert bytes(seen) == content(file) == b"early late"


@both_ways
def test_bytes_in_the_reader_are_copied_first(pair, file: int, observer) -> None:
    pair.stream.reader.feed(b"early ")
    send(pair, b"late")
    assert Receiver(pair.stream, ReceiveSink(file, "file", observer=observer)).run() == 10
    assert content(file) == b"early late"
    assert not len(pair.stream.reader)


@both_ways
@pytest.mark.parametrize("size", [10, 300_000])
def test_a_file_opened_for_appending_gets_every_byte_once(
    pair, tmp_path: Path, background, observer, size: int
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before ")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    background(send, pair, bytes_of(size))
    assert Receiver(pair.stream, ReceiveSink(descriptor, "log", observer=observer)).run() == size
    os.close(descriptor)
    assert path.read_bytes() == b"before " + bytes_of(size)


@pytest.mark.parametrize("refused", ["socket", "file"])
def test_a_system_without_splice_copies(pair, file: int, monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    splice = os.splice
    from_socket = pair.stream.sock.fileno()

    def refuse(source: int, *arguments, **options):
        if (source == from_socket) is (refused == "socket"):
            raise OSError(38, "Function not implemented")
        return splice(source, *arguments, **options)

    monkeypatch.setattr(os, "splice", refuse)
    send(pair, b"x" * 9000)
    assert Receiver(pair.stream, ReceiveSink(file, "file")).run() == 9000
    assert content(file) == b"x" * 9000


@both_ways
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_a_slow_reader_of_a_pipe_gets_it_all(pair, pipe, background, observer, blocking: bool) -> None:
    reading, writing = pipe
    os.set_blocking(writing, blocking)
    data = bytes_of(200_000)
    background(send, pair, data)
    came: list[bytes] = []
    reader = background(lambda: came.append(read_all(reading)))
    assert Receiver(pair.stream, ReceiveSink(writing, "a pipe", observer=observer)).run() == len(data)
    os.close(writing)
    reader.join()
    assert came == [data]


@both_ways
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_reader_of_the_pipe_may_be_slower_than_the_silence_limit(
    connect, cancel: Cancel, pipe, background, observer, blocking
):
    """A pager that shows its first page reads nothing for a while, which is no error."""
    reading, writing = pipe
    os.set_blocking(writing, blocking)
    pair = connect(WaitLimits(Deadline(), 0.0, cancel))  # not a moment's silence of the peer
    send(pair, bytes_of(MORE_THAN_A_PIPE))
    came: list[bytes] = []

    def page() -> None:
        until_full(writing)
        came.append(read_all(reading))

    reader = background(page)
    Receiver(pair.stream, ReceiveSink(writing, "a pipe", observer=observer)).run()
    os.close(writing)
    reader.join()
    assert came == [bytes_of(MORE_THAN_A_PIPE)]


@both_ways
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_stalled_reader_ends_at_the_deadline(connect, cancel: Cancel, pipe, observer, blocking):
    _, writing = pipe
    os.set_blocking(writing, blocking)
    pair = connect(WaitLimits(Deadline().within(0.05, "over (--max-time)"), 20, cancel))
    send(pair, bytes_of(MORE_THAN_A_PIPE))
    with pytest.raises(TimedOut, match="--max-time"):
        Receiver(pair.stream, ReceiveSink(writing, "a pipe", observer=observer)).run()


@both_ways
def test_cancel_ends_the_wait_for_a_stalled_reader(pair, cancel: Cancel, pipe, background, observer) -> None:
    _, writing = pipe
    send(pair, bytes_of(MORE_THAN_A_PIPE))

    def stop() -> None:
        until_full(writing)
        cancel.set()

    background(stop)
    with pytest.raises(Cancelled):
        Receiver(pair.stream, ReceiveSink(writing, "a pipe", observer=observer)).run()


@both_ways
def test_closed_pipe_raises_broken_pipe_error(pair, pipe, observer) -> None:
    reading, writing = pipe
    os.close(reading)
    send(pair, b"data")
    with pytest.raises(BrokenPipeError):
        Receiver(pair.stream, ReceiveSink(writing, "standard output", observer=observer)).run()


@both_ways
def test_a_fifo_gets_it_all(pair, tmp_path: Path, background, observer) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    came: list[bytes] = []
    reader = background(lambda: came.append(path.read_bytes()))
    writing = os.open(path, os.O_WRONLY)
    background(send, pair, bytes_of(200_000))
    Receiver(pair.stream, ReceiveSink(writing, "fifo", observer=observer)).run()
    os.close(writing)
    reader.join()
    assert came == [bytes_of(200_000)]


@both_ways
def test_a_device_takes_it_all(pair, observer) -> None:
    send(pair, b"x" * 9000)
    with open("/dev/null", "wb") as null:
        assert Receiver(pair.stream, ReceiveSink(null.fileno(), "/dev/null", observer=observer)).run() == 9000


@both_ways
def test_a_full_disk_is_a_local_write(pair, observer) -> None:
    send(pair, b"data")
    with open("/dev/full", "wb") as full_disk, pytest.raises(LocalWrite) as caught:
        Receiver(pair.stream, ReceiveSink(full_disk.fileno(), "a.bin", observer=observer)).run()
    assert caught.value.message == "a.bin: cannot be written: No space left on device"


@both_ways
def test_full_disk_keeps_the_bytes_before_it(pair, file: int, observer) -> None:
    send(pair, bytes_of(10_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, hard))
    try:
        with pytest.raises(LocalWrite, match=r"a\.bin: cannot be written: File too large"):
            Receiver(pair.stream, ReceiveSink(file, "a.bin", observer=observer)).run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert content(file) == bytes_of(10_000)[:PAGE]


@both_ways
def test_bytes_before_a_reset_are_copied(pair, file: int, observer) -> None:
    pair.peer.sendall(bytes_of(5000))
    pair.reset()
    transfer = Receiver(pair.stream, ReceiveSink(file, "file", observer=observer))
    with pytest.raises(ReceiveFailed, match="the peer reset the connection"):
        transfer.run()
    assert transfer.copied_bytes == 5000
    assert content(file) == bytes_of(5000)


@both_ways
def test_copy_stops_one_byte_after_the_limit(pair, file: int, observer) -> None:
    pair.peer.sendall(bytes_of(5000))
    assert Receiver(pair.stream, ReceiveSink(file, "file", observer=observer), limit=1000).run() == 1001
    pair.peer.close()
    assert content(file) == bytes_of(5000)[:1001]
    assert Receiver(pair.stream, ReceiveSink(file, "file", observer=observer)).run() == 3999


@both_ways
def test_a_stream_that_ends_at_the_limit_is_whole(pair, file: int, observer) -> None:
    send(pair, bytes_of(1000))
    assert Receiver(pair.stream, ReceiveSink(file, "file", observer=observer), limit=1000).run() == 1000


@both_ways
def test_bytes_before_a_timeout_are_copied(connect, cancel: Cancel, file: int, observer) -> None:
    pair = connect(WaitLimits(Deadline(), 0.02, cancel))
    pair.peer.sendall(b"x" * 100)
    transfer = Receiver(pair.stream, ReceiveSink(file, "file", observer=observer))
    with pytest.raises(TimedOut, match=r"silent for 0\.02 s \(--timeout\)"):
        transfer.run()
    assert transfer.copied_bytes == 100


@both_ways
@pytest.mark.parametrize("why", ["deadline", "stop"])
def test_deadline_ends_a_peer_that_never_pauses(connect, cancel: Cancel, clock, file: int, observer, why: str) -> None:
    pair = connect(WaitLimits(Deadline(clock).within(60, "over (--max-time)"), 20, cancel))
    pair.peer.sendall(b"x")

    def more(_: int) -> None:
        pair.peer.sendall(b"x")
        if transfer.copied_bytes == 5:
            clock.advance(60) if why == "deadline" else cancel.set()

    transfer = Receiver(pair.stream, ReceiveSink(file, "file", observer=observer, progress=Follower(more)))
    with pytest.raises(TimedOut if why == "deadline" else Cancelled):
        transfer.run()
    assert transfer.copied_bytes == 5


@both_ways
def test_slow_peer_is_below_the_minimum_rate(connect, cancel: Cancel, clock, file: int, observer) -> None:
    pair = connect(WaitLimits(Deadline(clock), 20, cancel), min_rate=16)
    pair.peer.sendall(b"x" * 100)

    def drip(_: int) -> None:
        clock.advance(61)
        pair.peer.sendall(b"x")

    transfer = Receiver(pair.stream, ReceiveSink(file, "file", observer=observer, progress=Follower(drip)))
    with pytest.raises(TimedOut, match=r"101 bytes came in 61 s, less than 16 bytes/s \(--min-rate\)"):
        transfer.run()
    assert content(file) == b"x" * 101


@both_ways
def test_stalled_reader_does_not_count_against_the_minimum_rate(
    connect, cancel: Cancel, clock, pipe, background, monkeypatch: pytest.MonkeyPatch, observer
) -> None:
    reading, writing = pipe
    pair = connect(WaitLimits(Deadline(clock), 20, cancel), min_rate=1 << 20)
    send(pair, bytes_of(MORE_THAN_A_PIPE))

    def wait_an_hour(*arguments):
        clock.advance(3600)
        return wait_any(*arguments)

    monkeypatch.setattr("inetcli.net.copy.wait_any", wait_an_hour)
    reader = background(read_all, reading)
    assert Receiver(pair.stream, ReceiveSink(writing, "a pipe", observer=observer)).run() == MORE_THAN_A_PIPE
    os.close(writing)
    reader.join()


# An exact length


@both_ways
@pytest.mark.parametrize("early", [0, 400, 1000, 1500])
def test_exact_length_leaves_the_following_bytes_in_the_stream(pair, file: int, observer, early: int) -> None:
    data = bytes_of(1700)
    pair.stream.reader.feed(data[:early])
    pair.peer.sendall(data[early:])
    assert Receiver(pair.stream, ReceiveSink(file, "file", observer=observer), exact=1000).run() == 1000
    assert content(file) == data[:1000]
    assert pair.stream.reader.position == 1000
    assert pair.stream.read(lambda reader: reader.exact(700)) == data[1000:]


@both_ways
@pytest.mark.parametrize("size", [0, 999])
def test_a_stream_that_ends_before_the_exact_length_is_incomplete(pair, file: int, observer, size: int) -> None:
    send(pair, bytes_of(size))
    receiver = Receiver(pair.stream, ReceiveSink(file, "file", observer=observer), exact=1000)
    with pytest.raises(Incomplete) as caught:
        receiver.run()
    came = f"{size} of 1000 bytes came"
    assert caught.value.message == f"the peer closed the connection in the middle of the data: {came}"
    assert (receiver.copied_bytes, content(file)) == (size, bytes_of(size))


@both_ways
def test_exact_length_of_zero_reads_nothing(pair, file: int, observer) -> None:
    assert Receiver(pair.stream, ReceiveSink(file, "file", observer=observer), exact=0).run() == 0


def test_exact_length_counts_bytes_before_conversion(pair, file: int) -> None:
    pair.peer.sendall(b"abcd")
    assert Receiver(pair.stream, ReceiveSink(file, "file", converter=Upper()), exact=3).run() == 3
    assert content(file) == b"ABC"


@both_ways
def test_end_after_a_copied_body_is_not_an_empty_reply(pair, file: int, observer) -> None:
    pair.stream.send(b"GET")
    assert pair.peer.recv(3) == b"GET"
    send(pair, bytes_of(1000))
    Receiver(pair.stream, ReceiveSink(file, "file", observer=observer), exact=1000).run()
    with pytest.raises(Incomplete, match="closed the connection before a line"):
        pair.stream.read(lambda reader: reader.line(10))


class Upper:
    """A converter that changes every byte and holds back the last byte of each chunk."""

    def __init__(self) -> None:
        self.held = b""

    def convert(self, data: memoryview) -> bytes:
        text = self.held + bytes(data).upper()
        self.held = text[-1:]
        return text[:-1]

    def finish(self) -> bytes:
        return self.held


def test_converter_changes_written_and_observed_bytes(pair, file: int) -> None:
    seen = bytearray()
    send(pair, b"abc")
    transfer = Receiver(pair.stream, ReceiveSink(file, "file", observer=seen.extend, converter=Upper()))
    assert transfer.run() == 3  # bytes that came, in the network's form
    assert content(file) == bytes(seen) == b"ABC"


@both_ways
def test_rate_limit_uses_small_chunks_and_does_not_count_against_the_minimum_rate(
    connect, cancel: Cancel, clock, file: int, monkeypatch: pytest.MonkeyPatch, observer
) -> None:
    def wait_an_hour(*_: object) -> float:
        clock.advance(3600)
        return 3600.0

    monkeypatch.setattr("inetcli.net.rate.RateLimiter.throttle", wait_an_hour)
    pair = connect(WaitLimits(Deadline(clock), 20, cancel), min_rate=1 << 20)
    send(pair, bytes_of(5000))
    progress = Follower()
    Receiver(pair.stream, ReceiveSink(file, "file", observer=observer, rate=10_000, progress=progress)).run()
    assert content(file) == bytes_of(5000)
    assert max(progress.sizes) <= 1000


# The other way


def sent(pair, background, descriptor: int, **options) -> tuple[int, bytes]:
    came: list[bytes] = []
    done = background(lambda: came.extend(iter(lambda: pair.peer.recv(1 << 16), b"")))
    size = Sender(pair.stream, SendSource(descriptor, "file", **options)).run()
    pair.stream.finish_sending()
    done.join()
    return size, b"".join(came)


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 3_000_003])
def test_file_is_sent_from_its_current_offset(pair, file: int, background, size: int) -> None:
    os.write(file, b"before " + bytes_of(size))
    os.lseek(file, 7, os.SEEK_SET)
    seen, progress = bytearray(), Follower()
    assert sent(pair, background, file, may_block=False, observer=seen.extend, progress=progress) == (
        size,
        bytes_of(size),
    )
    assert bytes(seen) == bytes_of(size)
    assert sum(progress.sizes) == size


def test_converter_changes_sent_and_counted_bytes(pair, file: int, background) -> None:
    os.write(file, b"abc")
    os.lseek(file, 0, os.SEEK_SET)
    seen = bytearray()
    assert sent(pair, background, file, may_block=False, converter=Upper(), observer=seen.extend) == (3, b"ABC")
    assert seen == b"ABC"


def test_a_pipe_is_read_as_its_bytes_come(pair, pipe, background) -> None:
    reading, writing = pipe

    def write() -> None:
        for chunk in (b"one ", b"two ", b"three"):
            os.write(writing, chunk)
        os.close(writing)

    background(write)
    assert sent(pair, background, reading, may_block=True) == (13, b"one two three")


def test_slow_writer_of_the_pipe_does_not_count_against_the_minimum_rate(
    connect, cancel: Cancel, clock, pipe, background, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = pipe
    pair = connect(WaitLimits(Deadline(clock), 20, cancel), min_rate=1 << 20)

    def write() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(bytes_of(3 * PAGE))

    def wait_an_hour(*arguments):
        clock.advance(3600)
        return wait_any(*arguments)

    monkeypatch.setattr("inetcli.net.copy.wait_any", wait_an_hour)
    background(write)
    assert sent(pair, background, reading, may_block=True) == (3 * PAGE, bytes_of(3 * PAGE))


def test_silent_writer_of_the_pipe_ends_at_the_deadline(connect, cancel: Cancel, pipe) -> None:
    pair = connect(WaitLimits(Deadline().within(0.05, "over (--max-time)"), 0.0, cancel))
    with pytest.raises(TimedOut, match="--max-time"):
        Sender(pair.stream, SendSource(pipe[0], "a pipe", may_block=True)).run()


def test_a_file_that_cannot_be_read_is_a_local_read(pair) -> None:
    with open("/proc/self/mem", "rb", buffering=0) as memory, pytest.raises(LocalRead, match="mem: cannot be read"):
        Sender(pair.stream, SendSource(memory.fileno(), "mem", may_block=False)).run()


def test_peer_that_stops_receiving_times_out(connect, cancel: Cancel, file: int) -> None:
    os.ftruncate(file, 64 << 20)
    pair = connect(WaitLimits(Deadline(), 0.05, cancel))
    sending = Sender(pair.stream, SendSource(file, "file", may_block=False))
    with pytest.raises(TimedOut, match="silent"):
        sending.run()
    assert sending.copied_bytes < 64 << 20


def test_closed_peer_is_send_failed(pair, file: int) -> None:
    os.ftruncate(file, 64 << 20)
    pair.reset()
    with pytest.raises(SendFailed):
        Sender(pair.stream, SendSource(file, "file", may_block=False)).run()
