"""Lines from a local descriptor (a file, a pipe, a terminal) as they arrive, with a deadline.

A plain `for line in file` blocks in read(2), where neither `--max-time` nor `Cancel` can end it. Python's buffering
also delays a line until a whole block is full, so that a pipe that stays open may never yield its first line.
"""

import os
from collections.abc import Iterator

from inetcli.errors import read_error
from inetcli.net.deadline import Deadline
from inetcli.net.wait import READ, Cancel, wait_any
from inetcli.wire.reader import Reader

_CHUNK = 1 << 16


def read_lines(descriptor: int, deadline: Deadline, cancel: Cancel, *, limit: int, name: str) -> Iterator[bytes]:
    """Yield the lines without their ends (LF or CRLF), including a last line without a line end.

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
            if chunk := _read(descriptor, deadline, cancel, name):
                reader.feed(chunk)
            else:
                reader.feed_end()
        if line is None:
            return
        yield line


def _read(descriptor: int, deadline: Deadline, cancel: Cancel, name: str) -> bytes:
    # Regular files are always ready for poll(2). For a descriptor that poll(2) rejects, the read raises the error.
    if not wait_any({descriptor: READ}, deadline, cancel):
        raise deadline.timeout_error()
    try:
        return os.read(descriptor, _CHUNK)
    except OSError as error:
        raise read_error(name, error) from error
