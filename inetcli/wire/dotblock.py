"""Multi-line data blocks that end in a line with a single dot: RFC 3977 section 3.1.1 (also SMTP and POP3).

A line that begins with a dot is sent with an additional dot. So `..two` is the line `.two`, and only a line of exactly
one dot ends the block. A bare LF also ends a line, as some servers send it.
"""

from inetcli.errors import TooLarge
from inetcli.wire.reader import Parser, Reader

MAX_LINE = 1 << 20
"""Bytes of one line: RFC 3977 sets no limit for article lines, and servers pass lines on unchanged."""

MAX_BLOCK = 64 << 20
"""Bytes of a block in memory: 64 times the largest article that servers usually accept."""


def parse_block(reader: Reader, limit: int = MAX_BLOCK, label: str = "the block") -> Parser[list[bytes]]:
    """Parse all lines of a block, without dot-stuffing and line ends. At most `limit` bytes, else `TooLarge`."""
    lines: list[bytes] = []
    size = 0
    while True:
        line = yield from reader.line(MAX_LINE, f"a line of {label}")
        if line == b".":
            return lines
        size += len(line) + 2
        if size > limit:
            raise TooLarge(f"{label} exceeds {limit} bytes")
        lines.append(line[1:] if line.startswith(b".") else line)


def encode_block(lines: list[bytes]) -> bytes:
    """Encode lines with dot-stuffing, a CRLF each, and the final dot. No line may contain a CR or an LF."""
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"".join(line + b"\r\n" for line in [*stuffed, b"."])
