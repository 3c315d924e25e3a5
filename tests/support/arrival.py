"""Every way in which bytes can arrive: whole, one by one, with more behind them, and cut short.

`Parses` and `Refuses` hold a parser to all of them. A `conftest.py` that wants the fixtures imports them by name.
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

    The pieces come only when the parser asks for more, and the end comes after the last of them.
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
    """Return the bytes as pieces of one byte each."""
    return [data[at : at + 1] for at in range(len(data))]


@pytest.fixture
def parses() -> Parses:
    """Checks that a parser reads all of `data`, and not a byte more, however it arrives; and misses its end."""

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
    """Checks that a parser refuses `data` with these words, however it arrives, and though more follows."""

    def check(parse: Parse[object], data: bytes, error: type[Exception], words: str) -> None:
        for pieces in ([data], one_by_one(data), [data + TRAILING]):
            with pytest.raises(error) as caught:
                pump(parse, pieces)
            assert words in str(caught.value)

    return check
