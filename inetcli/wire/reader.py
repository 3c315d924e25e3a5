"""The buffer of received bytes, and the read operations of parsers.

A parser is a generator. Each yield means "more bytes are needed"; the return value is the parsed value:

    def parse_pair(reader: Reader) -> Parser[tuple[bytes, bytes]]:
        name = yield from reader.line(MAX_LINE)
        body = yield from reader.exact(16)
        return name, body

The owner of the stream runs the parser and feeds the reader after each yield. So a parser is straight-line code without
time and sockets, and a test can feed it byte by byte. Every read has a byte limit.

Errors: `TooLarge` if a limit is exceeded, `EmptyReply` if the peer closed before the first byte since the last request
(`request_offset`), `Incomplete` if the peer closed later, in the middle of an item.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

from inetcli.errors import EmptyReply, Incomplete, TooLarge

T = TypeVar("T")

Parser = Generator[None, None, T]
"""A running parser: yields when more bytes are needed, returns a T."""

Parse = Callable[["Reader"], Parser[T]]
"""A function that starts a parser on a reader; the argument of `Stream.read`."""

_COMPACT = 1 << 16
"""Number of consumed bytes after which the buffer is compacted: few memmoves, bounded memory."""


class Reader:
    """A buffer that a stream fills and parsers read."""

    __slots__ = ("_buffer", "_ended", "_start", "received", "request_offset", "tee")

    def __init__(self, data: bytes = b"") -> None:
        self._buffer = bytearray(data)
        self._start = 0
        self._ended = False
        self.received = len(data)
        """Number of bytes received so far."""
        self.request_offset = 0
        """The value of `received` when the last request was sent: later bytes are the reply."""
        self.tee: Callable[[bytes], object] | None = None
        """Callback that gets a copy of all consumed bytes, in order."""

    def __len__(self) -> int:
        return len(self._buffer) - self._start

    @property
    def position(self) -> int:
        """The offset of the next byte in the stream, from 0."""
        return self.received - len(self)

    @property
    def ended(self) -> bool:
        """Whether the peer has closed its side."""
        return self._ended

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Append received bytes."""
        self._buffer += data
        self.received += len(data)

    def pass_by(self, count: int) -> None:
        """Count bytes that bypassed the reader on the way to their destination; the buffer must be empty.

        `received` and `position` stay correct. `tee` does not get these bytes.
        """
        self.received += count

    def feed_end(self) -> None:
        """Mark the end of the stream."""
        self._ended = True

    def drain(self) -> bytes:
        """Take all buffered bytes, without waiting; may be empty."""
        return self._take(len(self._buffer))

    def take(self, limit: int) -> bytes:
        """Take buffered bytes, at most `limit`, without waiting; may be empty."""
        return self._take(min(len(self._buffer), self._start + limit))

    def peek(self, count: int) -> Parser[bytes]:
        """Return the next `count` bytes without consuming them; fewer at the end of the stream."""
        while len(self) < count and not self._ended:
            yield
        return bytes(memoryview(self._buffer)[self._start : self._start + count])

    def line(self, limit: int, label: str = "a line") -> Parser[bytes]:
        """Read one line without its end: CRLF, or a bare LF, which all common receivers accept.

        `limit` includes the bytes of the line end.
        """
        data = yield from self.until(b"\n", limit, label)
        return data[:-2] if data.endswith(b"\r\n") else data[:-1]

    def last_line(self, limit: int, label: str = "a line") -> Parser[bytes | None]:
        """Read one line without its end, also at the end of the stream without a line end; None = no more lines."""
        try:
            return (yield from self.line(limit, label))
        except (EmptyReply, Incomplete):
            return self.drain() or None

    def until(self, delimiter: bytes, limit: int, label: str = "a line") -> Parser[bytes]:
        """Read up to and including `delimiter`, at most `limit` bytes."""
        searched = 0
        while True:
            found = self._buffer.find(delimiter, self._start + searched, self._start + limit)
            if found >= 0:
                return self._take(found + len(delimiter))
            available = len(self)
            if available >= limit:
                raise TooLarge(f"{label} exceeds {limit} bytes")
            searched = max(0, available - len(delimiter) + 1)
            yield from self._more(label)

    def exact(self, count: int, label: str = "the data") -> Parser[bytes]:
        """Read `count` bytes; the caller has checked the number."""
        while len(self) < count:
            yield from self._more(label, f"{len(self)} of {count} bytes received")
        return self._take(self._start + count)

    def rest(self, limit: int, label: str = "the data") -> Parser[bytes]:
        """Read all bytes up to the end of the stream, at most `limit`."""
        while not self._ended:
            if len(self) > limit:
                break
            yield
        if len(self) > limit:
            raise TooLarge(f"{label} exceeds {limit} bytes")
        return self.drain()

    def some(self, limit: int) -> Parser[bytes]:
        """Read the available bytes, at least one and at most `limit`; empty only at the end of the stream."""
        while not len(self) and not self._ended:
            yield
        return self.take(limit)

    def rows(self, limit: int, label: str = "a line") -> Parser[list[bytes]]:
        """Read all available complete lines, at least one, without line ends; each at most `limit` bytes."""
        first = yield from self.line(limit, label)
        rows = [first]
        last = self._buffer.rfind(b"\n", self._start)
        if last >= 0:
            for row in self._take(last + 1)[:-1].split(b"\n"):
                if len(row) >= limit:
                    raise TooLarge(f"{label} exceeds {limit} bytes")
                rows.append(row.removesuffix(b"\r"))
        return rows

    def _more(self, label: str, progress: str = "") -> Parser[None]:
        if not self._ended:
            yield
            return
        if self.received == self.request_offset and not len(self):
            raise EmptyReply(f"expected {label}, but the peer closed the connection before the first byte of a reply")
        if not progress and not len(self):
            raise Incomplete(f"the peer closed the connection before {label}")
        progress = progress or f"{len(self)} bytes received"
        raise Incomplete(f"the peer closed the connection in the middle of {label}: {progress}")

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
    """Run a parser over complete data. Raises the errors of the parser, and its errors at the end of the data."""
    reader = Reader(data)
    reader.feed_end()
    parser = parse(reader)
    while True:
        try:
            next(parser)
        except StopIteration as done:
            result: T = done.value
            return result
