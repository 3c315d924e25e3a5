"""The source of an upload: a local file, a pipe, or standard input."""

import errno
import os
import stat
from types import TracebackType
from typing import Self

from inetcli.errors import read_error


class Payload:
    """Local data to send: a context manager. `size` is None unless the source is a regular file.

    If `size` is None, poll `fd` before each `read`: reading from a pipe or a terminal may block, and a FIFO without a
    writer reads as if it were at its end.
    """

    def __init__(self, path: str, fd: int, size: int | None, modified: float | None = None) -> None:
        self.path = path
        self.fd = fd
        self.size = size
        self.modified = modified
        """The modification time of a regular file, in seconds since 1970."""

    def read(self, limit: int) -> bytes:
        """Read at most `limit` bytes; return no bytes at the end. `LocalRead`."""
        try:
            return os.read(self.fd, limit)
        except OSError as error:
            raise read_error(self.path, error) from error

    def close(self) -> None:
        """Close the descriptor. May be called more than once."""
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
    """Open a file to send. `-` is standard input, read from its current position. `LocalRead` with the reason.

    Opening never blocks, not even on a FIFO without a writer.
    """
    label = "standard input" if path == "-" else path
    fd = -1
    try:
        fd = os.dup(0) if path == "-" else os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        size, modified = None, None
        if stat.S_ISREG(status.st_mode):
            size, modified = max(0, status.st_size - os.lseek(fd, 0, os.SEEK_CUR)), status.st_mtime
        opened, fd = fd, -1
        return Payload(label, opened, size, modified)
    except OSError as error:
        raise read_error(label, error) from error
    finally:
        if fd >= 0:
            os.close(fd)
