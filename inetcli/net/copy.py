"""A stream into a file, each byte moved once.

On Linux plain TCP goes from socket to pipe to file by splice(2), without coming to user space. TLS cannot, nor what is
to be hashed, nor some files (opened for appending, odd devices): those say EINVAL, maybe with bytes already in the
pipe, which are written out by hand before going on by copying. Copying takes one reused buffer of 256 KiB.
"""

import os
from collections.abc import Callable

from inetcli.errors import LocalWrite, ReceiveFailed
from inetcli.net.rate import RateGuard
from inetcli.net.stream import SocketStream
from inetcli.net.wait import READ, WRITE

BUFFER = 256 << 10
"""Bytes per read: of the pipe, if the system lets it grow, and of the buffer."""

_F_SETPIPE_SZ = 1031
_CANNOT_SPLICE = (22, 38)  # EINVAL, ENOSYS

Progress = Callable[[int], object]
Look = Callable[[memoryview], object]


class Transfer:
    """One stream into one descriptor. `name` is for messages; `look` sees every byte (a hash), and forbids splice."""

    def __init__(
        self,
        stream: SocketStream,
        descriptor: int,
        name: str,
        *,
        limit: int | None = None,
        progress: Progress | None = None,
        look: Look | None = None,
    ) -> None:
        self._stream = stream
        self._descriptor = descriptor
        self._name = name
        self._limit = limit
        self._progress = progress
        self._look = look
        self._guard = RateGuard(stream.min_rate)
        self.moved = 0
        """Bytes that have reached the descriptor."""

    def run(self) -> int:
        """Move everything up to the stream's end, or up to one byte beyond `limit`; return how many bytes came.

        Errors: those of the stream; `LocalWrite` when the file takes no more. A closed pipe is a BrokenPipeError: who
        owns the pipe knows what it means. `moved` stands also after an error.
        """
        early = self._stream.reader.drain()
        if early:
            self._write(memoryview(early))
            self._count(len(early))
        if self._look is None and self._stream.can_splice and hasattr(os, "splice") and self._splice():
            return self.moved
        self._copy()
        return self.moved

    def _room(self) -> int:
        """How many bytes to take at most: one beyond the limit shows that there are too many."""
        return BUFFER if self._limit is None else max(0, min(BUFFER, self._limit + 1 - self.moved))

    def _splice(self) -> bool:
        """Move by splice; False = it cannot, and what is left has to be copied."""
        reading, writing = os.pipe()
        try:
            _enlarge(writing)
            while room := self._room():
                size = self._into_pipe(writing, room)
                if size is None:
                    return False
                if size == 0:
                    return True
                if not self._out_of_pipe(reading, size):
                    self._count(size)
                    return False
                self._count(size)
            return True
        finally:
            os.close(reading)
            os.close(writing)

    def _into_pipe(self, writing: int, room: int) -> int | None:
        stream = self._stream
        while True:
            try:
                size = os.splice(stream.fileno(), writing, room, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
                stream.trace.moved(stream.channel, size)
                return size
            except (BlockingIOError, InterruptedError):
                stream.patience.wait(stream.fileno(), READ)
            except OSError as error:
                if error.errno in _CANNOT_SPLICE:
                    return None
                raise ReceiveFailed(f"{stream.peer}: the peer reset the connection") from error

    def _out_of_pipe(self, reading: int, size: int) -> bool:
        """Empty the pipe into the file; False = by hand, because the file cannot take it otherwise."""
        while size:
            try:
                size -= os.splice(reading, self._descriptor, size, flags=os.SPLICE_F_MOVE)
            except InterruptedError:
                continue
            except BlockingIOError:
                self._stream.patience.wait(self._descriptor, WRITE)
            except BrokenPipeError:
                raise
            except OSError as error:
                if error.errno not in _CANNOT_SPLICE:
                    raise LocalWrite(f"{self._name}: {(error.strerror or str(error)).lower()}") from error
                while size:
                    piece = os.read(reading, size)
                    self._write(memoryview(piece))
                    size -= len(piece)
                return False
        return True

    def _copy(self) -> None:
        buffer = bytearray(BUFFER)
        with memoryview(buffer) as view:
            while room := self._room():
                size = self._stream.receive_into(view[:room])
                if not size:
                    return
                self._write(view[:size])
                self._count(size)

    def _write(self, data: memoryview) -> None:
        if self._look:
            self._look(data)
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except InterruptedError:
                continue
            except BlockingIOError:
                self._stream.patience.wait(self._descriptor, WRITE)
            except BrokenPipeError:
                raise
            except OSError as error:
                raise LocalWrite(f"{self._name}: {(error.strerror or str(error)).lower()}") from error

    def _count(self, size: int) -> None:
        self.moved += size
        self._guard.count(size, self._stream.now())
        if self._progress:
            self._progress(size)


def _enlarge(pipe: int) -> None:
    """A pipe holds 64 KiB; more means fewer calls. Not everybody may."""
    import fcntl

    try:
        fcntl.fcntl(pipe, _F_SETPIPE_SZ, BUFFER)
    except OSError:
        pass
