"""NNTP commands, and replies with arguments (RFC 3977).

211 count low high name         GROUP, section 6.1.1
220 number <message-id>         ARTICLE, section 6.2.1; a dot-stuffed block follows
number TAB ...                  a row of OVER, section 8.3: only the number is used
"""

from inetcli.errors import MalformedTarget, ProtocolViolation
from inetcli.protocols.nntp.model import Group
from inetcli.wire.dotblock import parse_block
from inetcli.wire.escape import abbreviate
from inetcli.wire.reader import Parser, Reader
from inetcli.wire.replies import Reply

MAX_NUMBER = (1 << 63) - 1
"""The largest article number: RFC 3977 section 6 allows 16 digits, some servers use more."""

MAX_COMMAND = 512
"""Bytes of a command line with its end, section 3.1."""


def encode_command(*words: str) -> bytes:
    """Encode a command line. `MalformedTarget` for a blank or control character in an argument, and for over
    512 bytes."""
    for argument in words[1:]:
        if not argument or any(character <= " " or character == "\x7f" for character in argument):
            shown = abbreviate(argument, 80)
            raise MalformedTarget(
                f'"{shown}" cannot be sent in a command: empty, or contains a blank or control character'
            )
    line = " ".join(words).encode("utf-8", "surrogateescape") + b"\r\n"
    if len(line) > MAX_COMMAND:
        raise MalformedTarget(f"command too long: {len(line)} bytes, the limit is {MAX_COMMAND}")
    return line


def parse_group(reply: Reply, name: str) -> Group:
    """Parse a 211 reply. `ProtocolViolation` if the marks are not numbers."""
    words = reply.text.split()
    numbers = [_number(word) for word in words[:3]]
    if len(numbers) < 3 or None in numbers:
        raise ProtocolViolation(f'GROUP: expected "211 count low high group", got "{reply}"')
    count, low, high = (number or 0 for number in numbers)
    return Group(name, count, low, high)


def parse_article_number(reply: Reply) -> int | None:
    """Return the article number of a 220 to 223 reply; None if it is missing or 0 (requested by message-id)."""
    return _number(reply.text.partition(" ")[0]) or None


def parse_numbers(reader: Reader) -> Parser[list[int]]:
    """Return the article numbers in the rows of a block; rows without a number are skipped."""
    rows = yield from parse_block(reader, label="the overview")
    found = (_number(row.partition(b"\t")[0].decode("latin-1").strip()) for row in rows)
    return [number for number in found if number]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_NUMBER else None
