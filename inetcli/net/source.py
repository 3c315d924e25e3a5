"""Lines from a local descriptor (a file, a pipe, a terminal) as they arrive, with the limits of every other wait.

A plain `for line in file` would sit in read(2) where neither `--max-time` nor a stop could reach it, and Python's
buffering would hold a line back until its block is full: a pipe that never closes would never give its first line.
"""

import os
from collections.abc import Iterator

from inetcli.errors import LocalRead
from inetcli.net.deadline import Deadline
from inetcli.net.wait import READ, Cancel, wait_any
from inetcli.wire.reader import Reader

_PIECE = 1 << 16


def read_lines(descriptor: int, deadline: Deadline, cancel: Cancel, *, limit: int, name: str) -> Iterator[bytes]:
    """The lines, without their ends (LF or CRLF), the last one also where it has none.

    Errors: `LocalRead` with `name` when reading fails, `TooLarge` for a line of over `limit` bytes, `TimedOut`,
    `Cancelled`.
    """
    reader = Reader()
    while True:
        parser = reader.last_line(limit, f"a line of {name}")
        while True:
            try:
                next(parser)
            except StopIteration as done:
                line: bytes | None = done.value
                break
            if piece := _read(descriptor, deadline, cancel, name):
                reader.feed(piece)
            else:
                reader.feed_end()
        if line is None:
            return
        yield line


def _read(descriptor: int, deadline: Deadline, cancel: Cancel, name: str) -> bytes:
    # Regular files are always ready for poll; a descriptor that poll refuses says so in the read.
    if not wait_any({descriptor: READ}, deadline, cancel):
        raise deadline.expired()
    try:
        return os.read(descriptor, _PIECE)
    except OSError as error:
        raise LocalRead(f"{name}: cannot be read: {error.strerror}") from error
