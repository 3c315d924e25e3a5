"""Listings: MLSD, whose form is a standard, LIST, which has none, and NLST, which gives names alone.

    type=file;size=12;modify=20261124100507; a name         MLSD, RFC 3659 section 7
    -rw-r--r--   1 ftp  ftp    12 Nov 24 10:05 a name       LIST, RFC 959: whatever the server likes; see `dialects`
    a name                                                  NLST, RFC 959 section 4.1.3

A name is everything behind the one blank, leading and trailing blanks and semicolons included. The directory itself and
the one above are left out. A row that nobody understands is no reason to lose the others: `Listing` counts it, and has
a note about it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from inetcli.errors import Incomplete, ProtocolViolation
from inetcli.protocols.ftp.dialects import SHOWN, parse_list, parse_number
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand
from inetcli.protocols.ftp.wire import parse_time
from inetcli.wire.escape import abbreviate
from inetcli.wire.reader import Parser, Reader

MAX_ROW = 8192
"""Bytes of a row with its end: PATH_MAX is 4096, and MLSD may tell a link's target beside the name."""

_HERE = ("", ".", "..")

_TYPES = {
    b"file": EntryType.FILE,
    b"dir": EntryType.DIR,
    b"os.unix=slink": EntryType.LINK,  # the example of RFC 3659 section 7.7, and pure-ftpd; both add ":target"
    b"os.unix=symlink": EntryType.LINK,  # ProFTPD
}


@dataclass(slots=True)
class Listing:
    """The rows of one listing on their way to entries. `strange` counts those that were not understood.

    `today` is the date in UTC, for LIST rows without a year.
    """

    source: ListingCommand
    today: date
    encoding: str = "utf-8"
    strange: int = 0
    first_strange: str = ""

    def entries(self, rows: Iterable[bytes]) -> Iterator[Entry]:
        """The entries of some rows, as they come."""
        for row in rows:
            try:
                entry = self._parse(row)
            except ProtocolViolation:
                self.strange += 1
                if self.strange == 1:
                    self.first_strange = abbreviate(row.decode(self.encoding, "surrogateescape"), SHOWN)
            else:
                if entry:
                    yield entry

    @property
    def note(self) -> str | None:
        """A note for the user about rows that were not understood; None = there were none."""
        match self.strange:
            case 0:
                return None
            case 1:
                return f'1 line of the listing was not understood: "{self.first_strange}"'
            case _:
                return f'{self.strange} lines of the listing were not understood, the first: "{self.first_strange}"'

    def _parse(self, row: bytes) -> Entry | None:
        match self.source:
            case ListingCommand.MLSD:
                return parse_mlsx(row, self.encoding)
            case ListingCommand.LIST:
                return parse_list(row, self.today, self.encoding)
            case ListingCommand.NLST:
                return parse_nlst(row, self.encoding)


def parse_rows(reader: Reader) -> Parser[list[bytes]]:
    """The rows that are there, at least one; none only at the end of the listing.

    The end of the connection ends a row, too: whether a listing is whole is for the final reply to say. Errors:
    `TooLarge` for a row of over 8 KiB.
    """
    if not (yield from reader.peek(1)):
        return []
    try:
        return (yield from reader.rows(MAX_ROW, "a line of the listing"))
    except Incomplete:
        return [reader.drain()]


def parse_nlst(row: bytes, encoding: str = "utf-8") -> Entry | None:
    """A row of NLST: a name, and nothing about it."""
    name = row.decode(encoding, "surrogateescape")
    return None if name in _HERE else Entry(name, EntryType.OTHER, None, None, None, None, ListingCommand.NLST)


def parse_mlsx(row: bytes, encoding: str = "utf-8") -> Entry | None:
    """A row of MLSD, or of a reply to MLST without its leading blank. None = the directory itself, or the one above.

        [ name=value; ... ] SP pathname

    Names of facts are in any case, unknown facts are passed over, and a size or time that is none is taken for missing.
    Errors: `ProtocolViolation` when it is no such row.
    """
    if not row:
        return None
    facts, raw = _facts(row)
    name = raw.decode(encoding, "surrogateescape")
    said, _, pointed = facts.get(b"type", b"").partition(b":")
    said = said.lower()
    if said in (b"cdir", b"pdir") or name in _HERE:
        return None
    # pure-ftpd calls the size of a directory sizd, and says so also where its type is not asked for
    kind = EntryType.DIR if not said and b"sizd" in facts else _TYPES.get(said, EntryType.OTHER)
    size = None if kind in (EntryType.DIR, EntryType.LINK) else parse_number(facts.get(b"size", b""))
    perm = facts[b"perm"].decode("latin-1") if b"perm" in facts else None
    target = pointed.decode(encoding, "surrogateescape") if pointed and kind is EntryType.LINK else None
    modified = parse_time(facts.get(b"modify", b"").decode("ascii", "replace"))
    return Entry(name, kind, size, modified, perm, target, ListingCommand.MLSD)


def _facts(row: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The facts of a row by their names in lower case, and the pathname.

    A blank inside a value does not end the facts: pure-ftpd writes a link's target into `type`. Only one behind a
    semicolon does, or, for servers that leave the last semicolon out, the first blank of a row that has no such place.
    """
    if row.startswith(b" "):
        return {}, row[1:]
    head, found, name = row.partition(b"; ")
    if not found:
        head, found, name = row.partition(b" ")
    label = head.partition(b"=")[0]
    if not found or label == head or not label or b" " in label or b";" in label:
        shown = abbreviate(row.decode("utf-8", "surrogateescape"), SHOWN)
        raise ProtocolViolation(f'MLSD: expected "fact=value; name", got "{shown}"')
    facts: dict[bytes, bytes] = {}
    label = b""
    for piece in head.split(b";"):
        before, equals, value = piece.partition(b"=")
        if equals:
            label = before.lower()
            facts[label] = value
        elif piece:  # a semicolon inside of a value
            facts[label] += b";" + piece
    return facts, name
