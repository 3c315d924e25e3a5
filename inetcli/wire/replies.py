"""Replies that begin with three digits: FTP's (RFC 959 section 4.2) and NNTP's (RFC 3977 section 3.2).

An FTP reply may have several lines:

    123-first line
    any text, even "456 text" or " 123 text"
    123 last line

The last line is the first one that begins with the same code and a space. An NNTP reply is always one line; the
dot-stuffed block that follows some replies is not part of the reply.

Errors: `ProtocolViolation` for a line without three digits, with the line; `TooLarge` for too many lines or bytes.
"""

from dataclasses import dataclass

from inetcli.errors import ProtocolViolation, TooLarge
from inetcli.wire.escape import abbreviate
from inetcli.wire.reader import Parser, Reader

MAX_LINE = 8192
"""Bytes of a reply line: ftplib's limit; RFC 3977 section 3.1 sets 512."""

MAX_LINES = 10_000
"""Lines of one reply: FTP greetings and STAT listings can have hundreds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply: its code, 100 to 599, and its unchanged lines, without line ends."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """The last line without its code."""
        return self.lines[-1][4:].strip()

    @property
    def first(self) -> int:
        """The first digit: 1 preliminary, 2 success, 3 continue, 4 temporary failure, 5 permanent failure."""
        return self.code // 100

    def __str__(self) -> str:
        return self.lines[-1].strip() if len(self.lines) == 1 else f"{self.code} " + " / ".join(_texts(self))


def parse_reply(reader: Reader) -> Parser[Reply]:
    """Parse one FTP reply of one or more lines."""
    line = yield from _reply_line(reader)
    lines = [line]
    code, mark = _code(line), line[3:4]
    if mark == "-":
        last = f"{code:03d} "
        while not (lines[-1].startswith(last) or lines[-1] == last.strip()):
            if len(lines) >= MAX_LINES:
                raise TooLarge(f'a reply exceeds {MAX_LINES} lines; first line "{line}"')
            lines.append((yield from _reply_line(reader)))
    return Reply(code, tuple(lines))


def parse_status(reader: Reader) -> Parser[Reply]:
    """Parse one NNTP status line. A hyphen after the code has no special meaning in NNTP."""
    line = yield from _reply_line(reader)
    return Reply(_code(line), (line,))


def _reply_line(reader: Reader) -> Parser[str]:
    line = yield from reader.line(MAX_LINE, "a reply line")
    return line.decode("utf-8", "surrogateescape")


def _code(line: str) -> int:
    digits, mark, shown = line[:3], line[3:4], abbreviate(line, 200)
    if not (len(digits) == 3 and digits.isascii() and digits.isdigit() and "1" <= digits[0] <= "5"):
        raise ProtocolViolation(f'expected a reply with a three-digit code from 100 to 599, got "{shown}"')
    if mark not in ("", " ", "-"):
        raise ProtocolViolation(f'expected a space after the three-digit code, got "{shown}"')
    return int(digits)


def _texts(reply: Reply) -> list[str]:
    codes = (f"{reply.code} ", f"{reply.code}-")
    bare = (line[4:] if line.startswith(codes) else line for line in reply.lines)
    return [text.strip() for text in bare if text.strip()]
