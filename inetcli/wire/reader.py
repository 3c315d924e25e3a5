"""The bytes that have arrived, and the ways to take them.

A parser is a generator that yields only to say "more bytes", and returns what it has read:

    def parse_pair(reader: Reader) -> Parser[tuple[bytes, bytes]]:
        name = yield from reader.line(MAX_LINE)
        body = yield from reader.exact(16)
        return name, body

The owner of the stream pumps it: start the parser, feed the reader whenever the parser yields. So a parser is
straight-line code that knows neither time nor sockets, and a test feeds it byte by byte. Every read has a byte limit.

Errors: `TooLarge` when a limit is passed, `EmptyReply` when the peer ended before the first byte since the last
request (`asked`), `Incomplete` when it ended later, in the middle of what was being read.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

from inetcli.errors import EmptyReply, Incomplete, TooLarge

T = TypeVar("T")

Parser = Generator[None, None, T]
"""A read in progress: yields for more bytes, returns a T."""

Parse = Callable[["Reader"], Parser[T]]
"""A function that starts a parser, as `Stream.read` is given it."""

_COMPACT = 1 << 16
"""Consumed bytes are dropped from the front of the buffer when there are this many: memmove seldom, memory bounded."""


class Reader:
    """A buffer that parsers pull from and a stream feeds."""

    __slots__ = ("_buffer", "_ended", "_start", "asked", "received", "tee")

    def __init__(self, data: bytes = b"") -> None:
        self._buffer = bytearray(data)
        self._start = 0
        self._ended = False
        self.received = len(data)
        """How many bytes have come in all."""
        self.asked = 0
        """The value of `received` when the last request went out: what comes after it is its reply."""
        self.tee: Callable[[bytes], object] | None = None
        """A function that gets every byte that is taken, in order: the bytes as they are, beside what they mean."""

    def __len__(self) -> int:
        return len(self._buffer) - self._start

    @property
    def position(self) -> int:
        """The offset in the stream of the next byte to be taken, from 0."""
        return self.received - len(self)

    @property
    def ended(self) -> bool:
        """Whether the peer has said that nothing more comes."""
        return self._ended

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Add what has arrived."""
        self._buffer += data
        self.received += len(data)

    def pass_by(self, count: int) -> None:
        """Count bytes that went past the reader, straight to their destination; the buffer must be empty.

        `received` and `position` stay right. `tee` does not get them.
        """
        self.received += count

    def feed_end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True

    def drain(self) -> bytes:
        """Take everything that is here, without waiting; may be nothing."""
        return self._take(len(self._buffer))

    def take(self, limit: int) -> bytes:
        """Take what is here, at most `limit` bytes, without waiting; may be nothing."""
        return self._take(min(len(self._buffer), self._start + limit))

    def peek(self, count: int) -> Parser[bytes]:
        """The next `count` bytes, or those there are before the end, without taking them."""
        while len(self) < count and not self._ended:
            yield
        return bytes(memoryview(self._buffer)[self._start : self._start + count])

    def line(self, limit: int, what: str = "a line") -> Parser[bytes]:
        """One line without its end. CRLF ends it, and so does a bare LF, as every receiver in the field takes it.

        `limit` counts the line's bytes with its end.
        """
        data = yield from self.until(b"\n", limit, what)
        return data[:-2] if data.endswith(b"\r\n") else data[:-1]

    def last_line(self, limit: int, what: str = "a line") -> Parser[bytes | None]:
        """One line without its end, also where the stream ends without one; None = there is no more."""
        try:
            return (yield from self.line(limit, what))
        except (EmptyReply, Incomplete):
            return self.drain() or None

    def until(self, delimiter: bytes, limit: int, what: str = "a line") -> Parser[bytes]:
        """Everything up to and with `delimiter`, at most `limit` bytes."""
        searched = 0
        while True:
            found = self._buffer.find(delimiter, self._start + searched, self._start + limit)
            if found >= 0:
                return self._take(found + len(delimiter))
            here = len(self)
            if here >= limit:
                raise TooLarge(f"{what} of over {limit} bytes came")
            searched = max(0, here - len(delimiter) + 1)
            yield from self._more(what)

    def exact(self, count: int, what: str = "the data") -> Parser[bytes]:
        """Exactly `count` bytes: the caller has checked the number."""
        while len(self) < count:
            yield from self._more(what, f"{len(self)} of {count} bytes came")
        return self._take(self._start + count)

    def rest(self, limit: int, what: str = "the data") -> Parser[bytes]:
        """Everything up to the end of the stream, at most `limit` bytes."""
        while not self._ended:
            if len(self) > limit:
                break
            yield
        if len(self) > limit:
            raise TooLarge(f"{what}: over {limit} bytes came")
        return self.drain()

    def some(self, limit: int) -> Parser[bytes]:
        """The bytes that are there, at least one and at most `limit`; nothing only at the end of the stream."""
        while not len(self) and not self._ended:
            yield
        return self.take(limit)

    def rows(self, limit: int, what: str = "a line") -> Parser[list[bytes]]:
        """All complete lines that are there, at least one, without their ends; each at most `limit` bytes."""
        first = yield from self.line(limit, what)
        rows = [first]
        last = self._buffer.rfind(b"\n", self._start)
        if last >= 0:
            for row in self._take(last + 1)[:-1].split(b"\n"):
                if len(row) >= limit:
                    raise TooLarge(f"{what} of over {limit} bytes came")
                rows.append(row.removesuffix(b"\r"))
        return rows

    def _more(self, what: str, came: str = "") -> Parser[None]:
        if not self._ended:
            yield
            return
        if self.received == self.asked and not len(self):
            raise EmptyReply(f"expected {what}, but the peer closed the connection before the first byte of a reply")
        if not came and not len(self):
            raise Incomplete(f"the peer closed the connection before {what}")
        came = came or f"{len(self)} bytes of it came"
        raise Incomplete(f"the peer closed the connection in the middle of {what}: {came}")

    def _take(self, end: int) -> bytes:
        data = bytes(memoryview(self._buffer)[self._start : end])
        self._start = end
        if self._start == len(self._buffer):
            self._buffer.clear()
            self._start = 0
        elif self._start >= _COMPACT:
            del self._buffer[: self._start]
            self._start = 0
        if self.tee and data:
            self.tee(data)
        return data


def parse_whole(data: bytes, parse: Parse[T]) -> T:
    """Run a parser over bytes that are complete. Errors: those of the parser, and of the end of the data."""
    reader = Reader(data)
    reader.feed_end()
    parser = parse(reader)
    while True:
        try:
            next(parser)
        except StopIteration as done:
            result: T = done.value
            return result
