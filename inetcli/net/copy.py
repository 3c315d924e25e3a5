"""Copies between a stream and a descriptor: `Receiver` writes a stream to a file, `Sender` sends a file to a stream.

    Receiver(stream, ReceiveSink(descriptor, name, ...)).run()      up to the stream's end, or `exact` bytes of it
    Sender(stream, SendSource(descriptor, name, ...)).run()         up to the file's end

On Linux, splice(2) moves the bytes of plain TCP from socket to pipe to file inside the kernel, so that each byte is
moved once. Without splice, one reused buffer of 256 KiB copies them: for TLS, for bytes that are hashed or converted,
and for files that splice(2) rejects with EINVAL (opened for appending, unusual devices). EINVAL may come when bytes are
already in the pipe: these are read from the pipe and written before the copy continues with the buffer.
"""

import os
import select
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from inetcli.errors import Incomplete, LocalWrite, read_error, write_error
from inetcli.net.progress import NO_PROGRESS, Progress
from inetcli.net.rate import LowSpeedGuard, RateLimiter
from inetcli.net.stream import CANNOT_SPLICE, SocketStream
from inetcli.net.wait import READ, WRITE, WaitLimits, wait_any

BUFFER = 256 << 10
"""The size in bytes of the buffer, and of the pipe if the system allows it."""

_F_SETPIPE_SZ = 1031

Observer = Callable[[memoryview], object]
"""A function that receives every byte in order, such as the update of a hash."""


class Converter(Protocol):
    """A conversion of the bytes between stream and descriptor."""

    def convert(self, data: memoryview, /) -> bytes:
        """Return the converted bytes of one chunk."""

    def finish(self) -> bytes:
        """Return the bytes that the converter held back, at the end of the data."""


@dataclass(frozen=True, slots=True)
class ReceiveSink:
    """The local end of a receiving copy: a descriptor and the options of the copy.

    `name` is for messages. `observer` receives every byte that is written, `converter` changes the bytes before.
    Neither can be combined with splice. `rate` is the highest number of bytes per second; None = no limit.
    """

    descriptor: int
    name: str
    progress: Progress = NO_PROGRESS
    observer: Observer | None = None
    converter: Converter | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True)
class SendSource:
    """The local end of a sending copy: a descriptor and the options of the copy.

    `name` is for messages. `may_block`: reading may have to wait, as with a pipe. `observer` receives every byte that
    is sent, `converter` changes the bytes before. `rate` as in `ReceiveSink`.
    """

    descriptor: int
    name: str
    may_block: bool = False
    progress: Progress = NO_PROGRESS
    observer: Observer | None = None
    converter: Converter | None = None
    rate: int | None = None


class Receiver:
    """A copy of one stream to one descriptor.

    `limit`: the copy stops one byte after the limit, and this extra byte proves that the data is too long. `exact`: the
    number of bytes to copy. The bytes after them are not read, and a stream that ends earlier is `Incomplete`.
    """

    def __init__(
        self, stream: SocketStream, sink: ReceiveSink, *, limit: int | None = None, exact: int | None = None
    ) -> None:
        self._stream = stream
        self._sink = sink
        self._writer = _Writer(sink, stream.limits)
        self._max_bytes = exact if exact is not None else limit + 1 if limit is not None else None
        self._exact = exact
        self._guard = LowSpeedGuard(stream.min_rate)
        self._limiter = RateLimiter(sink.rate) if sink.rate else None
        self._paused_s = 0.0
        self.copied_bytes = 0
        """The number of bytes that were received and written, in whole chunks."""

    def run(self) -> int:
        """Copy up to the stream's end, one byte after `limit`, or `exact` bytes; return the number of received bytes.

        Errors: those of the stream; `LocalWrite` if the file cannot be written; `Incomplete`. A closed pipe raises
        BrokenPipeError, because its meaning depends on the owner of the pipe. `copied_bytes` is valid after an error,
        too.
        """
        reader = self._stream.reader
        while len(reader) and (room := self._room()):
            self._put(memoryview(reader.take(room)))
        if not (self._may_splice() and self._splice()):
            self._copy()
        if self._exact is not None and self.copied_bytes < self._exact:
            received = f"{self.copied_bytes} of {self._exact} bytes came"
            raise Incomplete(f"the peer closed the connection in the middle of the data: {received}")
        return self.copied_bytes

    def _may_splice(self) -> bool:
        touched = self._sink.observer is not None or self._sink.converter is not None
        return not touched and self._stream.can_splice and hasattr(os, "splice")

    def _room(self) -> int:
        """Return the largest number of bytes to take next; 0 = the copy is complete."""
        size = self._limiter.chunk_size(BUFFER) if self._limiter else BUFFER
        return size if self._max_bytes is None else max(0, min(size, self._max_bytes - self.copied_bytes))

    def _splice(self) -> bool:
        """Copy with splice(2). False = splice(2) does not work here, and the rest must be copied with the buffer."""
        reading, writing = os.pipe()
        try:
            _enlarge(writing)
            while room := self._room():
                size = self._stream.splice_into(writing, room)
                if size is None:
                    return False
                if size == 0:
                    return True
                unwritten = self._writer.empty(reading, size)
                self._count(size - unwritten)
                if unwritten:
                    self._drain(reading, unwritten)
                    return False
            return True
        finally:
            os.close(reading)
            os.close(writing)

    def _drain(self, pipe: int, size: int) -> None:
        while size:
            chunk = os.read(pipe, size)
            self._put(memoryview(chunk))
            size -= len(chunk)

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
        self.copied_bytes += size
        self._guard.count(size, self._stream.instant() - self._writer.stalled_s - self._paused_s)
        self._sink.progress.advance(size)
        if self._limiter:
            self._paused_s += self._limiter.throttle(size, self._stream.limits)


class Sender:
    """A copy of one descriptor to one stream."""

    def __init__(self, stream: SocketStream, source: SendSource) -> None:
        self._stream = stream
        self._source = source
        self._guard = LowSpeedGuard(stream.min_rate)
        self._limiter = RateLimiter(source.rate) if source.rate else None
        self._idle_s = 0.0
        self.copied_bytes = 0
        """The number of bytes that the stream accepted."""

    def run(self) -> int:
        """Send everything up to the descriptor's end; return the number of sent bytes.

        Errors: `LocalRead`, those of sending. `copied_bytes` is valid after an error, too.
        """
        converter = self._source.converter
        with memoryview(bytearray(BUFFER)) as buffer:
            while size := self._read(buffer[: self._limiter.chunk_size(BUFFER)] if self._limiter else buffer):
                chunk = buffer[:size]
                self._send(memoryview(converter.convert(chunk)) if converter else chunk)
        if converter:
            self._send(memoryview(converter.finish()))
        return self.copied_bytes

    def _read(self, buffer: memoryview) -> int:
        while True:
            if self._source.may_block:
                self._wait()
            try:
                return os.readv(self._source.descriptor, [buffer])
            except BlockingIOError:
                continue
            except OSError as error:
                raise read_error(self._source.name, error) from error

    def _wait(self) -> None:
        """Wait until the descriptor is readable. This time does not count against the peer's minimum rate."""
        limits = self._stream.limits
        start_s = self._stream.instant()
        if not wait_any({self._source.descriptor: READ}, limits.deadline, limits.cancel):
            raise limits.deadline.timeout_error()
        self._idle_s += self._stream.instant() - start_s

    def _send(self, data: memoryview) -> None:
        if not data:
            return
        if observer := self._source.observer:
            observer(data)
        self._stream.send(data)
        self.copied_bytes += len(data)
        self._guard.count(len(data), self._stream.instant() - self._idle_s)
        self._source.progress.advance(len(data))
        if self._limiter:
            self._idle_s += self._limiter.throttle(len(data), self._stream.limits)


class _Writer:
    """The writes to a local descriptor.

    The reader of a pipe may be slow (a pager, for example). Waiting for that reader ends at the target's deadline or
    when the program is stopped, not after the peer's silence limit. `stalled_s` counts this time, which does not count
    against the peer's minimum rate.
    """

    def __init__(self, sink: ReceiveSink, limits: WaitLimits) -> None:
        self._descriptor = descriptor = sink.descriptor
        self._name = sink.name
        self._limits = limits
        self._blocks = _may_block(descriptor)
        self.stalled_s = 0.0

    def empty(self, pipe: int, size: int) -> int:
        """Move the `size` bytes in the pipe by splice(2); return the number of bytes left if that does not work."""
        while size:
            try:
                # Without SPLICE_F_NONBLOCK, splice(2) into a full pipe would block without any limit.
                size -= os.splice(pipe, self._descriptor, size, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                self._wait()
            except BrokenPipeError:
                raise
            except OSError as error:
                if error.errno in CANNOT_SPLICE:
                    return size
                raise self._write_error(error) from error
        return 0

    def write(self, data: memoryview) -> None:
        """Write all of `data`."""
        while data:
            if self._blocks:
                self._wait()
            try:
                # A pipe that poll(2) reports as writable accepts PIPE_BUF bytes without blocking.
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF] if self._blocks else data) :]
            except BlockingIOError:
                self._wait()
            except BrokenPipeError:
                raise
            except OSError as error:
                raise self._write_error(error) from error

    def _wait(self) -> None:
        deadline = self._limits.deadline
        start_s = deadline.clock.monotonic()
        if not wait_any({self._descriptor: WRITE}, deadline, self._limits.cancel):
            raise deadline.timeout_error()
        self.stalled_s += deadline.clock.monotonic() - start_s

    def _write_error(self, error: OSError) -> LocalWrite:
        return write_error(self._name, error)


def _may_block(descriptor: int) -> bool:
    """Return whether a write to the descriptor may have to wait for a reader."""
    mode = os.fstat(descriptor).st_mode
    may_block = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
    return may_block and os.get_blocking(descriptor)


def _enlarge(pipe: int) -> None:
    """Let a pipe hold more than 64 KiB, if the system allows it, which needs fewer system calls."""
    import fcntl

    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, BUFFER)
    except OSError:
        pass
