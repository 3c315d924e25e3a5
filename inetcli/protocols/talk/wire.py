"""Lines on the wire.

TCP: a line ends in LF or CRLF; our lines get the line end of the caller. A reply without a line end was cut off. After
our last line the peer's last line may lack a line end, because many servers close right after it. UDP: a datagram is a
line without a line end.
"""

from inetcli.wire.reader import Parser, Reader

MAX_LINE = 1 << 20
"""Bytes of a line in both directions."""

LF = b"\n"
CRLF = b"\r\n"


def encode_line(line: bytes, end: bytes = LF) -> bytes:
    """Encode a line with its line end."""
    return line + end


def parse_reply(reader: Reader) -> Parser[bytes]:
    """Parse the reply to a line. `EmptyReply` if the peer closed instead; `Incomplete` if the peer closed inside the
    line, with the received part still in the reader."""
    return (yield from reader.line(MAX_LINE, "a reply line"))


def parse_final_line(reader: Reader) -> Parser[bytes | None]:
    """Parse a line after our half-close, also without a line end; None = the peer has closed."""
    return (yield from reader.last_line(MAX_LINE, "a line"))
