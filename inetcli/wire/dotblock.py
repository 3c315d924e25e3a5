"""Blocks of lines that end in a line with a single dot: RFC 3977 section 3.1.1 (also SMTP and POP3).

A line that starts with a dot is sent with one more in front. So `..two` is the line `.two`, and only a line that is
exactly one dot ends the block. A bare LF ends a line, too, as servers in the field send it.
"""

from inetcli.errors import TooLarge
from inetcli.wire.reader import Parser, Reader

MAX_LINE = 1 << 20
"""Bytes of one line: RFC 3977 sets no limit for article lines, and servers pass on what they were given."""

MAX_BLOCK = 64 << 20
"""Bytes of a block that is kept in memory as a whole: 64 times the largest article that servers usually accept."""


def parse_block(reader: Reader, limit: int = MAX_BLOCK, what: str = "the block") -> Parser[list[bytes]]:
    """All lines of a block, unstuffed, without line ends. At most `limit` bytes, else `TooLarge`."""
    lines: list[bytes] = []
    size = 0
    while True:
        line = yield from reader.line(MAX_LINE, f"a line of {what}")
        if line == b".":
            return lines
        size += len(line) + 2
        if size > limit:
            raise TooLarge(f"{what}: over {limit} bytes came")
        lines.append(line[1:] if line.startswith(b".") else line)


def encode_block(lines: list[bytes]) -> bytes:
    """The lines dot-stuffed, each with CRLF, and the final dot. No line may hold a CR or an LF of its own."""
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"".join(line + b"\r\n" for line in [*stuffed, b"."])
