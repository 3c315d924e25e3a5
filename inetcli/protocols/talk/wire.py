"""Lines on the wire.

TCP: a line ends in LF or CRLF; ours go out with the end they are given. A reply without an end was cut. What the peer
says after our last line may do without, as many servers end their last words with their connection. UDP: a datagram is
a line, and has no end at all.
"""

from inetcli.wire.reader import Parser, Reader

MAX_LINE = 1 << 20
"""Bytes of a line, ours or the peer's: a megabyte without a line end is no line."""

LF = b"\n"
CRLF = b"\r\n"


def encode_line(line: bytes, end: bytes = LF) -> bytes:
    """A line with its end."""
    return line + end


def parse_reply(reader: Reader) -> Parser[bytes]:
    """The line that answers ours. `EmptyReply` when the peer ends instead, `Incomplete` when it ends inside the line:
    what came of it is still in the reader then."""
    return (yield from reader.line(MAX_LINE, "a reply line"))


def parse_farewell(reader: Reader) -> Parser[bytes | None]:
    """One more line after our end was said, maybe without an end of its own; None = the peer has ended."""
    return (yield from reader.last_line(MAX_LINE, "a line"))
