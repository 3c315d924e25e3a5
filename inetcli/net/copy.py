"""A stream into a file, each byte moved once; and a file into a stream.

    Receiver(stream, ReceiveSink(descriptor, name, ...)).run()      up to the stream's end, or `exact` bytes of it
    Sender(stream, SendSource(descriptor, name, ...)).run()         up to the file's end

On Linux plain TCP goes from socket to pipe to file by splice(2), without coming to user space. TLS cannot, nor what is
to be hashed, nor some files (opened for appending, odd devices): those say EINVAL, maybe with bytes already in the
pipe, which are written out by hand before going on by copying. Copying takes one reused buffer of 256 KiB.
"""

import os
import select
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from inetcli.errors import Incomplete, LocalRead, LocalWrite
from inetcli.net.progress import NO_PROGRESS, Progress
from inetcli.net.rate import LowSpeedGuard, RateLimiter
from inetcli.net.stream import CANNOT_SPLICE, SocketStream
from inetcli.net.wait import READ, WRITE, WaitLimits, wait_any

BUFFER = 256 << 10
"""Bytes per read: of the pipe, if the system lets it grow, and of the buffer."""

_F_SETPIPE_SZ = 1031

Observer = Callable[[memoryview], object]
"""A function that sees every byte in order, such as a hash."""


class Converter(Protocol):
    """A change that the bytes undergo between stream and descriptor."""

    def convert(self, data: memoryview, /) -> bytes:
        """Return a piece, changed."""

    def finish(self) -> bytes:
        """Return the bytes that were held back, at the end."""


@dataclass(frozen=True, slots=True)
class ReceiveSink:
    """The local end of a receiving copy: a descriptor, and what happens to the bytes on the way to it.

    `name` is for messages. `observer` sees every byte that is written, `converter` changes them; both forbid splice.
    `rate` is the highest number of bytes a second, None = as fast as possible.
    """

    descriptor: int
    name: str
    progress: Progress = NO_PROGRESS
    observer: Observer | None = None
    converter: Converter | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class SendSource:
    """The local end of a sending copy: a descriptor, and what happens to its bytes before they are sent.

    `name` is for messages; `waits`: the bytes may take their time to come, as from a pipe. `observer` sees every byte
    that is sent, `converter` changes them before. `rate` as in `ReceiveSink`.
    """

    descriptor: int
    name: str
    waits: bool = False
    progress: Progress = NO_PROGRESS
    observer: Observer | None = None
    converter: Converter | None = None
    rate: int | None = None


class Receiver:
    """A copy of one stream into one descriptor.

    `limit` ends the copy one byte beyond: the surplus byte shows that too many came. `exact` is the number of bytes to
    copy: nothing behind them is read, and a stream that ends before is `Incomplete`.
    """

    def __init__(
        self, stream: SocketStream, sink: ReceiveSink, *, limit: int | None = None, exact: int | None = None
    ) -> None:
        self._stream = stream
        self._sink = sink
        self._writer = _Writer(sink, stream.limits)
        self._most = exact if exact is not None else limit + 1 if limit is not None else None
        self._exact = exact
        self._guard = LowSpeedGuard(stream.min_rate)
        self._limiter = RateLimiter(sink.rate) if sink.rate else None
        self._paused_s = 0.0
        self.moved = 0
        """Bytes that have come and reached the descriptor, in whole pieces."""

    def run(self) -> int:
        """Move what comes up to the stream's end, one byte beyond `limit`, or `exact`; return how many bytes came.

        Errors: those of the stream; `LocalWrite` when the file takes no more; `Incomplete`. A closed pipe is a
        BrokenPipeError: the owner of the pipe knows what that means. `moved` stands also after an error.
        """
        reader = self._stream.reader
        while len(reader) and (room := self._room()):
            self._put(memoryview(reader.take(room)))
        if not (self._may_splice() and self._splice()):
            self._copy()
        if self._exact is not None and self.moved < self._exact:
            came = f"{self.moved} of {self._exact} bytes came"
            raise Incomplete(f"the peer closed the connection in the middle of the data: {came}")
        return self.moved

    def _may_splice(self) -> bool:
        touched = self._sink.observer is not None or self._sink.converter is not None
        return not touched and self._stream.can_splice and hasattr(os, "splice")

    def _room(self) -> int:
        """How many bytes to take at most."""
        piece = self._limiter.piece(BUFFER) if self._limiter else BUFFER
        return piece if self._most is None else max(0, min(piece, self._most - self.moved))

    def _splice(self) -> bool:
        """Move by splice; False = it cannot, and what is left has to be copied."""
        reading, writing = os.pipe()
        try:
            _enlarge(writing)
            while room := self._room():
                size = self._stream.splice_into(writing, room)
                if size is None:
                    return False
                if size == 0:
                    return True
                left = self._writer.empty(reading, size)
                self._count(size - left)
                if left:
                    self._drain(reading, left)
                    return False
            return True
        finally:
            os.close(reading)
            os.close(writing)

    def _drain(self, pipe: int, size: int) -> None:
        while size:
            piece = os.read(pipe, size)
            self._put(memoryview(piece))
            size -= len(piece)

    def _copy(self) -> None:
        with memoryview(bytearray(BUFFER)) as buffer:
            while room := self._room():
                size = self._stream.receive_into(buffer[:room])
                if not size:
                    break
                self._put(buffer[:size])
        if converter := self._sink.converter:
            self._write(memoryview(converter.finish()))

    def _put(self, data: memoryview) -> None:
        converter = self._sink.converter
        self._write(memoryview(converter.convert(data)) if converter else data)
        self._count(len(data))

    def _write(self, data: memoryview) -> None:
        if observer := self._sink.observer:
            observer(data)
        self._writer.write(data)

    def _count(self, size: int) -> None:
        self.moved += size
        self._guard.count(size, self._stream.instant() - self._writer.stalled_s - self._paused_s)
        self._sink.progress.advance(size)
        if self._limiter:
            self._paused_s += self._limiter.keep(size, self._stream.limits)


class Sender:
    """A copy of one descriptor into one stream."""

    def __init__(self, stream: SocketStream, source: SendSource) -> None:
        self._stream = stream
        self._source = source
        self._guard = LowSpeedGuard(stream.min_rate)
        self._limiter = RateLimiter(source.rate) if source.rate else None
        self._idle_s = 0.0
        self.moved = 0
        """Bytes that the stream has taken."""

    def run(self) -> int:
        """Send everything up to the descriptor's end; return how many bytes went out.

        Errors: `LocalRead`, those of sending; `moved` stands also after them.
        """
        converter = self._source.converter
        with memoryview(bytearray(BUFFER)) as buffer:
            while size := self._read(buffer[: self._limiter.piece(BUFFER)] if self._limiter else buffer):
                piece = buffer[:size]
                self._send(memoryview(converter.convert(piece)) if converter else piece)
        if converter:
            self._send(memoryview(converter.finish()))
        return self.moved

    def _read(self, buffer: memoryview) -> int:
        while True:
            if self._source.waits:
                self._wait()
            try:
                return os.readv(self._source.descriptor, [buffer])
            except BlockingIOError:
                continue
            except OSError as error:
                raise LocalRead(f"{self._source.name}: cannot be read: {error.strerror or error}") from error

    def _wait(self) -> None:
        """Wait until something is to be read: the time counts as the writer's, not as the peer's slowness."""
        limits = self._stream.limits
        before = self._stream.instant()
        if not wait_any({self._source.descriptor: READ}, limits.deadline, limits.cancel):
            raise limits.deadline.expired()
        self._idle_s += self._stream.instant() - before

    def _send(self, data: memoryview) -> None:
        if not data:
            return
        if observer := self._source.observer:
            observer(data)
        self._stream.send(data)
        self.moved += len(data)
        self._guard.count(len(data), self._stream.instant() - self._idle_s)
        self._source.progress.advance(len(data))
        if self._limiter:
            self._idle_s += self._limiter.keep(len(data), self._stream.limits)


class _Writer:
    """The writes to a local descriptor.

    The reader of a pipe may be slow, as a pager is. So waits for it end with the target's deadline or a stop, not with
    the peer's silence limit, and are not the peer's slowness: `stalled_s` counts them.
    """

    def __init__(self, sink: ReceiveSink, limits: WaitLimits) -> None:
        self._descriptor = descriptor = sink.descriptor
        self._name = sink.name
        self._limits = limits
        self._blocks = _may_block(descriptor)
        self.stalled_s = 0.0

    def empty(self, pipe: int, size: int) -> int:
        """Move the `size` bytes that are in the pipe by splice; return how many are left, because it cannot."""
        while size:
            try:
                # Without SPLICE_F_NONBLOCK a destination that is a full pipe would hold us where no limit counts.
                size -= os.splice(pipe, self._descriptor, size, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                self._wait()
            except BrokenPipeError:
                raise
            except OSError as error:
                if error.errno in CANNOT_SPLICE:
                    return size
                raise self._failure(error) from error
        return 0

    def write(self, data: memoryview) -> None:
        """Write all of it."""
        while data:
            if self._blocks:
                self._wait()
            try:
                # A pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking; of more, nothing is said.
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF] if self._blocks else data) :]
            except BlockingIOError:
                self._wait()
            except BrokenPipeError:
                raise
            except OSError as error:
                raise self._failure(error) from error

    def _wait(self) -> None:
        deadline = self._limits.deadline
        before = deadline.clock.monotonic()
        if not wait_any({self._descriptor: WRITE}, deadline, self._limits.cancel):
            raise deadline.expired()
        self.stalled_s += deadline.clock.monotonic() - before

    def _failure(self, error: OSError) -> LocalWrite:
        return LocalWrite(f"{self._name}: cannot be written: {error.strerror or error}")


def _may_block(descriptor: int) -> bool:
    """Whether a write may have to wait for a reader."""
    mode = os.fstat(descriptor).st_mode
    waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
    return waits and os.get_blocking(descriptor)


def _enlarge(pipe: int) -> None:
    """Let a pipe hold more than 64 KiB, if the system allows it: fewer calls."""
    import fcntl

    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, BUFFER)
    except OSError:
        pass
