"""Local bytes to be sent: a file, a pipe, standard input."""

import errno
import os
import stat
from types import TracebackType
from typing import Self

from inetcli.errors import LocalRead


class Payload:
    """Local bytes to be sent: a context manager. `size` is known of regular files only, else None.

    Where it is None, poll `fd` before each `read`: a pipe or a terminal may keep us waiting, and a FIFO that has no
    writer yet looks like one at its end.
    """

    def __init__(self, path: str, fd: int, size: int | None, modified: float | None = None) -> None:
        self.path = path
        self.fd = fd
        self.size = size
        self.modified = modified
        """Seconds since 1970, of a regular file."""

    def read(self, limit: int) -> bytes:
        """At most `limit` bytes; none at the end. `LocalRead`."""
        try:
            return os.read(self.fd, limit)
        except OSError as error:
            raise LocalRead(f"{self.path}: cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Give the descriptor back. May be called more than once."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_payload(path: str) -> Payload:
    """A file to be sent; `-` is standard input, which is read from where it stands. `LocalRead` with the reason.

    Opening never waits, not for a FIFO's writer either.
    """
    shown = "standard input" if path == "-" else path
    fd = -1
    try:
        fd = os.dup(0) if path == "-" else os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        size, modified = None, None
        if stat.S_ISREG(status.st_mode):
            size, modified = max(0, status.st_size - os.lseek(fd, 0, os.SEEK_CUR)), status.st_mtime
        given, fd = fd, -1
        return Payload(shown, given, size, modified)
    except OSError as error:
        raise LocalRead(f"{shown}: cannot be read: {error.strerror}") from error
    finally:
        if fd >= 0:
            os.close(fd)
