"""A stream into a file, each byte moved once; and a file into a stream.

On Linux plain TCP goes from socket to pipe to file by splice(2), without coming to user space. TLS cannot, nor what is
to be hashed, nor some files (opened for appending, odd devices): those say EINVAL, maybe with bytes already in the
pipe, which are written out by hand before going on by copying. Copying takes one reused buffer of 256 KiB.
"""

import os
import select
import stat
from collections.abc import Callable
from typing import Protocol

from inetcli.errors import LocalRead, LocalWrite
from inetcli.net.rate import LowSpeedGuard, RateLimiter
from inetcli.net.stream import CANNOT_SPLICE, SocketStream
from inetcli.net.wait import READ, WRITE, WaitLimits, wait_any

BUFFER = 256 << 10
"""Bytes per read: of the pipe, if the system lets it grow, and of the buffer."""

_F_SETPIPE_SZ = 1031

Progress = Callable[[int], object]
Observer = Callable[[memoryview], object]


class Converter(Protocol):
    """What changes the bytes on their way."""

    def convert(self, data: memoryview, /) -> bytes:
        """A piece, changed."""

    def finish(self) -> bytes:
        """What was held back, at the end."""


class Receiver:
    """One stream into one descriptor. `name` is for messages.

    `look` sees every byte that is written (a hash), `converter` changes them; both forbid splice. `limit` ends it one
    byte beyond, `rate` is the highest number of bytes a second, None = as fast as it goes.
    """

    def __init__(
        self,
        stream: SocketStream,
        descriptor: int,
        name: str,
        *,
        limit: int | None = None,
        progress: Progress | None = None,
        look: Observer | None = None,
        converter: Converter | None = None,
        rate: int | None = None,
    ) -> None:
        self._stream = stream
        self._sink = _Sink(descriptor, name, stream.limits)
        self._limit = limit
        self._progress = progress
        self._look = look
        self._converter = converter
        self._guard = LowSpeedGuard(stream.min_rate)
        self._pace = RateLimiter(rate) if rate else None
        self._paused_s = 0.0
        self.moved = 0
        """Bytes that have come and reached the descriptor, in whole pieces."""

    def run(self) -> int:
        """Move everything up to the stream's end, or up to one byte beyond `limit`; return how many bytes came.

        Errors: those of the stream; `LocalWrite` when the file takes no more. A closed pipe is a BrokenPipeError: who
        owns the pipe knows what it means. `moved` stands also after an error.
        """
        if early := self._stream.reader.drain():
            self._put(memoryview(early))
        if not (self._may_splice() and self._splice()):
            self._copy()
        return self.moved

    def _may_splice(self) -> bool:
        touched = self._look is not None or self._converter is not None
        return not touched and self._stream.can_splice and hasattr(os, "splice")

    def _room(self) -> int:
        """How many bytes to take at most: one beyond the limit shows that there are too many."""
        piece = self._pace.piece(BUFFER) if self._pace else BUFFER
        return piece if self._limit is None else max(0, min(piece, self._limit + 1 - self.moved))

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
                left = self._sink.empty(reading, size)
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
        if self._converter:
            self._write(memoryview(self._converter.finish()))

    def _put(self, data: memoryview) -> None:
        self._write(memoryview(self._converter.convert(data)) if self._converter else data)
        self._count(len(data))

    def _write(self, data: memoryview) -> None:
        if self._look:
            self._look(data)
        self._sink.write(data)

    def _count(self, size: int) -> None:
        self.moved += size
        self._guard.count(size, self._stream.instant() - self._sink.stalled_s - self._paused_s)
        if self._progress:
            self._progress(size)
        if self._pace:
            self._paused_s += self._pace.keep(size, self._stream.limits)


class Sender:
    """One local descriptor into one stream. `name` is for messages; `waits`: its bytes may take their time to come.

    `look` sees every byte that is sent, `converter` changes them before.
    """

    def __init__(
        self,
        stream: SocketStream,
        descriptor: int,
        name: str,
        *,
        waits: bool,
        progress: Progress | None = None,
        look: Observer | None = None,
        converter: Converter | None = None,
        rate: int | None = None,
    ) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._name = name
        self._waits = waits
        self._progress = progress
        self._look = look
        self._converter = converter
        self._guard = LowSpeedGuard(stream.min_rate)
        self._pace = RateLimiter(rate) if rate else None
        self._idle_s = 0.0
        self.moved = 0
        """Bytes that the stream has taken."""

    def run(self) -> int:
        """Send everything up to the descriptor's end; return how many bytes went out.

        Errors: `LocalRead`, those of sending; `moved` stands also after them.
        """
        with memoryview(bytearray(BUFFER)) as buffer:
            while size := self._read(buffer[: self._pace.piece(BUFFER)] if self._pace else buffer):
                piece = buffer[:size]
                self._send(memoryview(self._converter.convert(piece)) if self._converter else piece)
        if self._converter:
            self._send(memoryview(self._converter.finish()))
        return self.moved

    def _read(self, buffer: memoryview) -> int:
        while True:
            if self._waits:
                self._wait()
            try:
                return os.readv(self._descriptor, [buffer])
            except BlockingIOError:
                continue
            except OSError as error:
                raise LocalRead(f"{self._name}: cannot be read: {error.strerror or error}") from error

    def _wait(self) -> None:
        """Until something is to be read: that is nobody's slowness but its writer's."""
        limits = self._stream.limits
        before = self._stream.instant()
        if not wait_any({self._descriptor: READ}, limits.deadline, limits.cancel):
            raise limits.deadline.expired()
        self._idle_s += self._stream.instant() - before

    def _send(self, data: memoryview) -> None:
        if not data:
            return
        if self._look:
            self._look(data)
        self._stream.send(data)
        self.moved += len(data)
        self._guard.count(len(data), self._stream.instant() - self._idle_s)
        if self._progress:
            self._progress(len(data))
        if self._pace:
            self._idle_s += self._pace.keep(len(data), self._stream.limits)


class _Sink:
    """The local descriptor.

    A pipe's reader may take its time: a pager does. So waits for it end with the target's deadline or a stop, not with
    the peer's silence limit, and are not the peer's slowness: `stalled_s` counts them.
    """

    def __init__(self, descriptor: int, name: str, limits: WaitLimits) -> None:
        self._descriptor = descriptor
        self._name = name
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
    """Whether a write may have to wait for whoever reads."""
    mode = os.fstat(descriptor).st_mode
    waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)
    return waits and os.get_blocking(descriptor)


def _enlarge(pipe: int) -> None:
    """A pipe holds 64 KiB; more means fewer calls. Not everybody may."""
    import fcntl

    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, BUFFER)
    except OSError:
        pass
