"""Input of a command besides its arguments: the targets of `-i` and the lines of a FILE, read as they arrive."""

import os
import sys
from collections.abc import Iterator

from inetcli.errors import LocalRead, Usage, read_error
from inetcli.net.deadline import Deadline
from inetcli.net.session import Network, Session
from inetcli.net.source import read_lines
from inetcli.net.wait import Cancel

STDIN = "-"

MAX_TARGET = 1 << 16
"""Bytes of one line of `-i`."""


def claim_stdin(*readers: str | None) -> None:
    """Check that at most one argument reads standard input.

    Each reader is the argument as it stands on the command line; None = does not read standard input. `Usage` for two
    readers; `LocalRead` if standard input is closed.
    """
    claims = [reader for reader in readers if reader is not None]
    if len(claims) > 1:
        raise Usage(f"{claims[0]} and {claims[1]} cannot both read standard input")
    if claims and sys.stdin is None:
        raise LocalRead("standard input is closed")


def input_targets(path: str, network: Network) -> Iterator[str]:
    """Yield the targets of `-i`: one per line, without quoting; blank lines and `#` lines are skipped.

    `-` is standard input, claimed by the caller. `LocalRead`.
    """
    for line in _lines(path, Deadline(network.clock), network.cancel, MAX_TARGET):
        text = line.decode("utf-8", "surrogateescape").strip()
        if text and not text.startswith("#"):
            yield text


def input_lines(session: Session, path: str, limit: int) -> Iterator[bytes]:
    """Return the lines of a FILE argument, without line ends, within --max-time.

    `-` is standard input, claimed by the caller. `LocalRead`.
    """
    return _lines(path, session.deadline, session.network.cancel, limit)


def _lines(path: str, deadline: Deadline, cancel: Cancel, limit: int) -> Iterator[bytes]:
    """Return the lines of a file. An error while opening is raised at once, not with the first line."""
    if path == STDIN:
        return read_lines(0, deadline, cancel, limit=limit, name="standard input")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise read_error(path, error) from error

    def lines() -> Iterator[bytes]:
        try:
            yield b""
            yield from read_lines(descriptor, deadline, cancel, limit=limit, name=path)
        finally:
            os.close(descriptor)

    started = lines()
    next(started)  # a generator that has not begun would leave the file open when it is given up
    return started
