"""Records from a master file, or from a dict of such lines (RFC 1035 section 5, RFC 2308 section 4).

    entry = "$ORIGIN" name | "$TTL" time | [name] [ttl] [class] type data
    A line that begins with a blank is about the last name. "(" and ")" let an entry go on over several lines, ";"
    begins a comment, quotes keep blanks together, "\\X" and "\\DDD" are escapes.

    {"www.example.test": ["300 A 192.0.2.1", "AAAA 2001:db8::1"]}

In a dict the names are absolute, with or without the dot at their end, and so are the names inside the data. Without a
TTL a record has that of `$TTL`, else of the record before it, else 300 s. Refused, with file and line: another class
than IN, `$INCLUDE` and `$GENERATE`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from mockservers.dns.data import BadData, Token, encode_data, parse_period
from mockservers.dns.name import Name, parse_name
from mockservers.dns.types import CLASS_IN, parse_type

DEFAULT_TTL = 300

ZoneText = str | PathLike[str] | Mapping[str, str | Iterable[str]]
"""The text of a master file, the path of one, or a dict of names to records."""


class BadZone(ValueError):
    """Zone data that cannot be understood; the message says where, what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record of class IN; `data` without compression."""

    name: Name
    ttl: int
    kind: int
    data: bytes


@dataclass(slots=True)
class _Entry:
    """One entry: where it begins, whether with a blank, and its words."""

    line: int
    indented: bool
    tokens: list[Token]


def read_records(zone: ZoneText, origin: str = ".") -> list[Record]:
    """The records of a zone, or of several, in their order. `BadZone`, and OSError when a file cannot be read.

    `origin` is what relative names of a master file are below, until it has an $ORIGIN of its own.
    """
    if isinstance(zone, str):
        return list(parse_records(zone, origin=origin))
    if isinstance(zone, PathLike):
        path = Path(zone)
        return list(parse_records(path.read_text("utf-8", "surrogateescape"), origin=origin, where=str(path)))
    found: list[Record] = []
    for name, lines in zone.items():
        for line in [lines] if isinstance(lines, str) else lines:
            found += parse_records(f"{name or '.'} {line}", where=name)
    return found


def parse_records(text: str, *, origin: str = ".", where: str = "zone") -> Iterator[Record]:
    """The records of a master file."""
    base = parse_name(origin)
    owner: Name | None = None
    ttl: int | None = None
    for entry in _entries(text, where):
        try:
            words = entry.tokens
            directive = words[0].text.upper() if not entry.indented else ""
            if directive.startswith("$"):
                if directive not in ("$ORIGIN", "$TTL") or len(words) != 2:
                    raise BadZone(f"expected $ORIGIN NAME or $TTL TIME, got {' '.join(word.text for word in words)}")
                if directive == "$ORIGIN":
                    base = parse_name(words[1].text, base)
                else:
                    ttl = parse_period(words[1].text)
                continue
            if not entry.indented:
                owner = parse_name(words.pop(0).text, base)
            if owner is None:
                raise BadZone("expected a name: there is none before this line")
            record, explicit = _parse_record(owner, words, base, ttl)
            ttl = record.ttl if ttl is None and explicit else ttl
            yield record
        except ValueError as error:
            raise BadZone(f"{where}:{entry.line}: {error}") from None


def _parse_record(owner: Name, words: Sequence[Token], origin: Name, ttl: int | None) -> tuple[Record, bool]:
    """The record, and whether its TTL was given. TTL and class stand before the type, in either order."""
    given: int | None = None
    at = 0
    for at, word in enumerate(words):
        kind = parse_type(word.text)
        if kind is not None:
            return Record(
                owner, _first(given, ttl), kind, encode_data(kind, words[at + 1 :], origin)
            ), given is not None
        if word.text.upper() in ("CH", "HS", "CS"):
            raise BadData(f"expected class IN, got {word.text}")
        if word.text.upper() not in ("IN", f"CLASS{CLASS_IN}"):
            if not word.text[:1].isdigit():
                raise BadData(f"expected a record type such as A or TYPE65280, got {word.text}")
            given = parse_period(word.text)
        if at == 2:
            break
    raise BadData("expected [TTL] [IN] TYPE DATA")


def _first(given: int | None, ttl: int | None) -> int:
    if given is not None:
        return given
    return DEFAULT_TTL if ttl is None else ttl


def _entries(text: str, where: str) -> Iterator[_Entry]:
    """The entries that have words, parentheses joined."""
    entry: _Entry | None = None
    open_at = 0
    for number, line in enumerate(text.split("\n"), 1):
        if entry is None:
            entry = _Entry(number, line[:1] in (" ", "\t"), [])
        try:
            for token in _tokens(line.removesuffix("\r")):
                if token == Token("(") or token == Token(")"):
                    open_at = number if token.text == "(" else 0
                else:
                    entry.tokens.append(token)
        except ValueError as error:
            raise BadZone(f"{where}:{number}: {error}") from None
        if not open_at:
            if entry.tokens:
                yield entry
            entry = None
    if open_at:
        raise BadZone(f"{where}:{open_at}: expected ) before the end")


def _tokens(line: str) -> Iterator[Token]:
    """The words of a line, up to a comment; parentheses are words of their own."""
    word, quoted, inside, at = "", False, False, 0
    while at < len(line):
        char = line[at]
        at += 1
        if char == "\\":
            word += line[at - 1 : at + 1]
            at += 1
        elif char == '"':
            inside = not inside
            quoted = True
        elif inside or char not in " \t();":
            word += char
        else:
            if word or quoted:
                yield Token(word, quoted)
            word, quoted = "", False
            if char == ";":
                return
            if char in "()":
                yield Token(char)
    if inside:
        raise BadData("expected a closing quote before the end of the line")
    if word or quoted:
        yield Token(word, quoted)
