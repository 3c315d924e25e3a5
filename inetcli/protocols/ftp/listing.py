"""Parsers for listings: MLSD, which has a standard format, LIST, which has none, and NLST, which gives names alone.

    type=file;size=12;modify=20261124100507; a name         MLSD, RFC 3659 section 7
    -rw-r--r--   1 ftp  ftp    12 Nov 24 10:05 a name       LIST, RFC 959: the format of the server; see `dialects`
    a name                                                  NLST, RFC 959 section 4.1.3

A name is everything after the one blank, including leading and trailing blanks and semicolons. The entries of the
folder itself and of its parent are omitted. A row that cannot be parsed does not affect the other rows: `Listing`
counts such rows and has a note about them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from inetcli.errors import Incomplete, ProtocolViolation
from inetcli.protocols.ftp.dialects import MAX_QUOTED, parse_list, parse_number
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand
from inetcli.protocols.ftp.wire import parse_time
from inetcli.wire.escape import abbreviate
from inetcli.wire.reader import Parser, Reader

MAX_ROW = 8192
"""The longest row in bytes with its line end. PATH_MAX is 4096; MLSD may list a name and the target of a link."""

_SELF_OR_PARENT = ("", ".", "..")

_TYPES = {
    b"file": EntryType.FILE,
    b"dir": EntryType.DIR,
    b"os.unix=slink": EntryType.LINK,  # the example of RFC 3659 section 7.7, and pure-ftpd; both add ":target"
    b"os.unix=symlink": EntryType.LINK,  # ProFTPD
}


@dataclass(slots=True)
class Listing:
    """The parser of the rows of one listing, with the number of rows that could not be parsed.

    `today` is the date in UTC, for LIST rows without a year.
    """

    source: ListingCommand
    today: date
    encoding: str = "utf-8"
    unparsed_count: int = 0
    first_unparsed: str = ""

    def entries(self, rows: Iterable[bytes]) -> Iterator[Entry]:
        """Yield the entries of some rows."""
        for row in rows:
            try:
                entry = self._parse(row)
            except ProtocolViolation:
                self.unparsed_count += 1
                if self.unparsed_count == 1:
                    self.first_unparsed = abbreviate(row.decode(self.encoding, "surrogateescape"), MAX_QUOTED)
            else:
                if entry:
                    yield entry

    @property
    def note(self) -> str | None:
        """The note for the user about rows that could not be parsed; None = there are none."""
        match self.unparsed_count:
            case 0:
                return None
            case 1:
                return f'1 line of the listing was not understood: "{self.first_unparsed}"'
            case _:
                count = f"{self.unparsed_count} lines of the listing were not understood"
                return f'{count}, the first: "{self.first_unparsed}"'

    def _parse(self, row: bytes) -> Entry | None:
        match self.source:
            case ListingCommand.MLSD:
                return parse_mlsx(row, self.encoding)
            case ListingCommand.LIST:
                return parse_list(row, self.today, self.encoding)
            case ListingCommand.NLST:
                return parse_nlst(row, self.encoding)


def parse_rows(reader: Reader) -> Parser[list[bytes]]:
    """Parse the rows that have been received, at least one; an empty list only at the end of the listing.

    The end of the connection also ends a row, because only the final reply tells whether a listing is complete. Errors:
    `TooLarge` for a row of more than 8 KiB.
    """
    if not (yield from reader.peek(1)):
        return []
    try:
        return (yield from reader.rows(MAX_ROW, "a line of the listing"))
    except Incomplete:
        return [reader.drain()]


def parse_nlst(row: bytes, encoding: str = "utf-8") -> Entry | None:
    """Parse a row of NLST: a name without any facts. None = the folder itself or its parent."""
    name = row.decode(encoding, "surrogateescape")
    if name in _SELF_OR_PARENT:
        return None
    return Entry(name, EntryType.OTHER, None, None, None, None, ListingCommand.NLST)


def parse_mlsx(row: bytes, encoding: str = "utf-8") -> Entry | None:
    """Parse a row of MLSD, or of a reply to MLST without its leading blank. None = the folder itself or its parent.

        [ name=value; ... ] SP pathname

    Names of facts are case-insensitive, and unknown facts are ignored. An invalid size or time counts as missing.
    Errors: `ProtocolViolation` if the row has another format.
    """
    if not row:
        return None
    facts, raw = _split_facts(row)
    name = raw.decode(encoding, "surrogateescape")
    type_fact, _, link_target = facts.get(b"type", b"").partition(b":")
    type_fact = type_fact.lower()
    if type_fact in (b"cdir", b"pdir") or name in _SELF_OR_PARENT:
        return None
    # pure-ftpd names the size of a directory sizd, also in rows without a type.
    kind = EntryType.DIR if not type_fact and b"sizd" in facts else _TYPES.get(type_fact, EntryType.OTHER)
    size = None if kind in (EntryType.DIR, EntryType.LINK) else parse_number(facts.get(b"size", b""))
    perm = facts[b"perm"].decode("latin-1") if b"perm" in facts else None
    decoded_target = link_target.decode(encoding, "surrogateescape") if link_target and kind is EntryType.LINK else None
    modified = parse_time(facts.get(b"modify", b"").decode("ascii", "replace"))
    return Entry(name, kind, size, modified, perm, decoded_target, ListingCommand.MLSD)


def _split_facts(row: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """Return the facts of a row by their names in lower case, and the pathname.

    A blank inside a value does not end the facts, because pure-ftpd writes the target of a link into `type`. The facts
    end with a blank after a semicolon. Some servers omit the last semicolon: in such a row the first blank ends the
    facts.
    """
    if row.startswith(b" "):
        return {}, row[1:]
    head, separator, name = row.partition(b"; ")
    if not separator:
        head, separator, name = row.partition(b" ")
    label = head.partition(b"=")[0]
    if not separator or label == head or not label or b" " in label or b";" in label:
        quoted = abbreviate(row.decode("utf-8", "surrogateescape"), MAX_QUOTED)
        raise ProtocolViolation(f'MLSD: expected "fact=value; name", got "{quoted}"')
    facts: dict[bytes, bytes] = {}
    label = b""
    for part in head.split(b";"):
        name_part, equals, value = part.partition(b"=")
        if equals:
            label = name_part.lower()
            facts[label] = value
        elif part:  # A value contains a semicolon.
            facts[label] += b";" + part
    return facts, name
