"""What a command reads beside its arguments: the targets of `-i`, and the lines of a FILE, both as they arrive."""

import os
from collections.abc import Iterator

from inetcli.errors import LocalRead
from inetcli.net.deadline import Deadline
from inetcli.net.session import Network, Session
from inetcli.net.source import read_lines
from inetcli.net.wait import Cancel

STDIN = "-"

MAX_TARGET = 1 << 16
"""Bytes of a line of `-i`."""


def input_targets(path: str, network: Network) -> Iterator[str]:
    """The targets of `-i`: one a line, without quoting; blank lines and `#` lines are skipped. `-` is standard input,
    which the caller has claimed. `LocalRead`."""
    for line in _lines(path, Deadline(network.clock), network.cancel, MAX_TARGET):
        text = line.decode("utf-8", "surrogateescape").strip()
        if text and not text.startswith("#"):
            yield text


def input_lines(session: Session, path: str, limit: int) -> Iterator[bytes]:
    """The lines of a FILE argument, without their ends, within --max-time. `-` is standard input, which the caller has
    claimed. `LocalRead`."""
    return _lines(path, session.deadline, session.network.cancel, limit)


def _lines(path: str, deadline: Deadline, cancel: Cancel, limit: int) -> Iterator[bytes]:
    """The lines. A file that cannot be opened is told now, and not when the first line is asked for."""
    if path == STDIN:
        return read_lines(0, deadline, cancel, limit=limit, name="standard input")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise LocalRead(f"{path}: cannot be read: {error.strerror}") from error

    def lines() -> Iterator[bytes]:
        try:
            yield from read_lines(descriptor, deadline, cancel, limit=limit, name=path)
        finally:
            os.close(descriptor)

    return lines()
