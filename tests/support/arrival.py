"""The ways in which bytes can arrive: at once, byte by byte, followed by more bytes, and truncated.

`Parses` and `Refuses` test a parser with all of them. A `conftest.py` imports the fixtures by name.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from inetcli.errors import EmptyReply, Incomplete
from inetcli.wire.reader import Parse, Reader

T = TypeVar("T")

TRAILING = b"\x00 what comes behind, \r\n.\r\n"

Parses = Callable[[Parse[object], bytes, object], None]
Refuses = Callable[[Parse[object], bytes, type[Exception], str], None]


def pump(parse: Parse[T], pieces: Iterable[bytes]) -> tuple[T, bytes]:
    """Return the result of a parser, and the bytes that the parser left.

    Each chunk is fed when the parser asks for more data, and the end follows after the last chunk.
    """
    reader = Reader()
    arriving = iter(pieces)
    parser = parse(reader)
    while True:
        try:
            next(parser)
        except StopIteration as done:
            return done.value, reader.drain() + b"".join(arriving)
        piece = next(arriving, None)
        if piece is None:
            assert not reader.ended, "asked for more after the end"
            reader.feed_end()
        else:
            reader.feed(piece)


def one_by_one(data: bytes) -> list[bytes]:
    """Return the bytes in chunks of one byte."""
    return [data[at : at + 1] for at in range(len(data))]


@pytest.fixture
def parses() -> Parses:
    """Check that a parser reads exactly `data` for every way of arrival, and reports a missing end."""

    def check(parse: Parse[object], data: bytes, expected: object) -> None:
        assert pump(parse, [data]) == (expected, b"")
        assert pump(parse, one_by_one(data)) == (expected, b"")
        assert pump(parse, [data + TRAILING]) == (expected, TRAILING)
        assert pump(parse, one_by_one(data + TRAILING)) == (expected, TRAILING)
        for cut in range(len(data)):
            for pieces in ([data[:cut]], one_by_one(data[:cut])):
                with pytest.raises(Incomplete if cut else EmptyReply):
                    pump(parse, pieces)

    return check


@pytest.fixture
def refuses() -> Refuses:
    """Check that a parser rejects `data` with this message for every way of arrival."""

    def check(parse: Parse[object], data: bytes, error: type[Exception], words: str) -> None:
        for pieces in ([data], one_by_one(data), [data + TRAILING]):
            with pytest.raises(error) as caught:
                pump(parse, pieces)
            assert words in str(caught.value)

    return check
