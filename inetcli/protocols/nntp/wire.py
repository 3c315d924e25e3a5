"""NNTP's commands, and the replies that carry something (RFC 3977).

211 count low high name         GROUP, section 6.1.1
220 number <message-id>         ARTICLE, section 6.2.1; a dot-stuffed block follows
number TAB ...                  a row of OVER, section 8.3: here only its number counts
"""

from inetcli.errors import MalformedTarget, ProtocolViolation
from inetcli.protocols.nntp.model import Group
from inetcli.wire.dotblock import parse_block
from inetcli.wire.escape import abbreviate
from inetcli.wire.reader import Parser, Reader
from inetcli.wire.replies import Reply

MAX_NUMBER = (1 << 63) - 1
"""Article numbers have at most 16 digits in RFC 3977 section 6; some servers count on."""

MAX_COMMAND = 512
"""Bytes of a command line with its end, section 3.1."""


def encode_command(*words: str) -> bytes:
    """A command line. `MalformedTarget` when a word would break it: blanks, control characters, over 512 bytes."""
    for word in words[1:]:
        if not word or any(character <= " " or character == "\x7f" for character in word):
            raise MalformedTarget(
                f'"{abbreviate(word, 80)}" cannot stand in a command: it is empty, or holds a blank or a control'
            )
    line = " ".join(words).encode("utf-8", "surrogateescape") + b"\r\n"
    if len(line) > MAX_COMMAND:
        raise MalformedTarget(f"a command of {len(line)} bytes; NNTP takes at most {MAX_COMMAND}")
    return line


def parse_group(reply: Reply, name: str) -> Group:
    """A 211 reply. Marks that are no numbers are refused."""
    words = reply.text.split()
    numbers = [_number(word) for word in words[:3]]
    if len(numbers) < 3 or None in numbers:
        raise ProtocolViolation(f'GROUP: expected "211 count low high group", got "{reply}"')
    count, low, high = (number or 0 for number in numbers)
    return Group(name, count, low, high)


def parse_article_number(reply: Reply) -> int | None:
    """The number in a 220 to 223 reply; None where there is none, or 0 (asked for by message-id)."""
    return _number(reply.text.partition(" ")[0]) or None


def parse_numbers(reader: Reader) -> Parser[list[int]]:
    """The article numbers in the rows of a block; rows without one are passed over."""
    rows = yield from parse_block(reader, what="the overview")
    found = (_number(row.partition(b"\t")[0].decode("latin-1").strip()) for row in rows)
    return [number for number in found if number]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_NUMBER else None
