"""Parsers for LIST rows. RFC 959 does not define their format, so that each row is recognised by its form.

    -rw-r--r--   1 root  root     12 Nov 24 10:05 name     Unix: the output of ls -l, with all its formats of times
    d [RWCEAFMS] owner           512 Jan 16 18:53    name  NetWare
    04-27-00  12:09PM       <DIR>          name            DOS: IIS, also with four digits of the year
    2002-09-02  19:06                9,730 name            DOS, year first
    +i8388621.48594,m825718503,r,s280,<TAB>name            EPLF, https://cr.yp.to/ftp/list/eplf.html
    QSYS 77824 12/17/01 15:33:14 *DIR /QOpenSys/           IBM i, outside of its libraries

Times are assumed to be UTC, because LIST does not tell the time zone. A time without a year is the latest one that is
at most one day in the future (`ls` omits the year for the last six months, and the clock of a server may be fast). An
invalid date, such as 30 Feb, becomes an unknown time, and the row is still valid.

A name begins one blank after the field before it, so that a name may begin with blanks. All patterns are bounded and
are tried only at the first fields: the time for a row is proportional to its length, also for a hostile row.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import islice, pairwise
from stat import filemode

from inetcli.errors import ProtocolViolation
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand
from inetcli.protocols.ftp.wire import MAX_SIZE
from inetcli.wire.escape import abbreviate

_MAX_FIELDS = 20
"""The largest number of fields before the name. Mode, links, owner, group, size and date are nine fields; the names of
Windows groups may contain blanks.
"""

MAX_QUOTED = 80
"""The largest number of characters of a row that a note or an error quotes."""

_MINUTE, _DAY = 60, 86400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"]
_TYPES = {b"-": EntryType.FILE, b"d": EntryType.DIR, b"l": EntryType.LINK}

_SUMMARY = re.compile(rb"(?:total|insgesamt)[ \t]{1,9}[0-9][^ \t]{0,30}[ \t]{0,9}\Z", re.IGNORECASE)
_FIELD = re.compile(rb"[^ \t]+")
_MODE = re.compile(rb"[-a-zA-Z?][-rwxsStTlL?]{9}")
_RIGHTS = re.compile(rb"([-d]) ?\[([-A-Z ]{1,10})\]")
_UNIX_SIZE = re.compile(rb"[0-9]+(?:[.,][0-9]+)?[KMGTPkmgtp]?[Bb]?\Z")
_DOS_SIZE = re.compile(rb"[0-9][0-9,]*\Z")
_DOS = re.compile(
    rb"(?:(?P<month>\d\d)[-/](?P<day>\d\d)[-/](?P<year>\d{4}|\d\d)|(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d))"
    rb" {1,4}(?P<hour>\d\d):(?P<minute>\d\d) ?(?P<half>[AaPp][Mm])? {1,40}"
)
_DOS_KINDS = {
    b"<DIR>": EntryType.DIR,
    b"<JUNCTION>": EntryType.LINK,
    b"<SYMLINKD>": EntryType.LINK,
    b"<SYMLINK>": EntryType.LINK,
}
_DOS_INDENT = 15
"""The width of the column in which IIS writes the kind, before the name."""

_IBM_I = re.compile(
    rb"[^ ]{1,10} {1,20}(?P<size>\d{1,20}) {1,10}(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d\d)"
    rb" {1,4}(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d) {1,4}\*(?P<kind>[A-Z0-9]{1,10}) {1,10}"
)
_IBM_I_TYPES = {
    b"STMF": EntryType.FILE,
    b"FILE": EntryType.DIR,  # a database file, which contains members
    b"DIR": EntryType.DIR,
    b"DDIR": EntryType.DIR,
    b"FLR": EntryType.DIR,
    b"LIB": EntryType.DIR,
    b"MEM": EntryType.FILE,
    b"SYMLNK": EntryType.LINK,
}

_EPLF_MODE = re.compile(rb"up([0-7]{1,4})")

_MONTH, _DAY_OF_MONTH = rb"(?P<month>(?i:" + b"|".join(_MONTHS) + rb"))", rb"(?P<day>\d{1,2})"
_TIME = rb"(?P<hour>\d{1,2}):(?P<minute>\d\d)"
_SECOND = rb":(?P<second>\d\d)"
_ISO_DAY = rb"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_DATE_LIKE = re.compile(rb"[A-Za-z]{3} |\d{1,2} |\d{2,4}-")
"""The beginning of all date formats, for a fast check that most fields do not pass."""

_DATES = [
    re.compile(pattern)
    for order in (_MONTH + b" {1,3}" + _DAY_OF_MONTH, _DAY_OF_MONTH + b" {1,3}" + _MONTH)
    for pattern in (
        order + b" {1,3}" + _TIME + b"(?:" + _SECOND + rb"(?: (?P<year>\d{4}))?)? ",  # BSD's ls -lT
        order + rb" {1,3}(?P<year>\d{4}) ",
        order + rb", {1,3}(?P<year>\d{4}) {1,3}" + _TIME + b" ",  # VShell
    )
] + [
    re.compile(_ISO_DAY + b" " + _TIME + b"(?:" + _SECOND + rb"(?:\.\d{1,9})?(?: (?P<zone>[-+]\d{4}))?)? "),
    re.compile(_ISO_DAY + b" {1,2}"),  # --time-style=iso adds a blank after the day
    re.compile(rb"(?P<month>\d\d)-(?P<day>\d\d) {1,2}(?:" + _TIME + rb"|(?P<year>\d{4})) "),
]


def parse_list(row: bytes, today: date, encoding: str = "utf-8") -> Entry | None:
    """Parse a row of LIST in any supported dialect. None = a summary, a blank row, the folder itself or its parent.

    Errors: `ProtocolViolation` if the row has none of the supported formats.
    """
    if not row.strip(b" \t") or _SUMMARY.match(row):
        return None
    for dialect in (_parse_unix, _parse_netware, _parse_dos, _parse_eplf, _parse_ibm_i):
        entry = dialect(row, today, encoding)
        if entry and entry.name:
            return None if entry.name in (".", "..") else entry
    quoted = abbreviate(row.decode(encoding, "surrogateescape"), MAX_QUOTED)
    raise ProtocolViolation(f'LIST: expected a line in Unix, NetWare, DOS, EPLF or IBM i format, got "{quoted}"')


def _parse_unix(row: bytes, today: date, encoding: str) -> Entry | None:
    if not _MODE.match(row):
        return None
    date_match = _find_date(row, today)
    if not date_match:
        return None
    size, modified, resolution, start = date_match
    kind = _TYPES.get(row[:1], EntryType.OTHER)
    raw, target = row[start:], None
    if kind is EntryType.LINK:
        raw, target = _split_link(raw, size)
    return Entry(
        raw.decode(encoding, "surrogateescape"),
        kind,
        size if kind not in (EntryType.DIR, EntryType.LINK) else None,
        modified,
        row[1:10].decode("ascii"),
        target.decode(encoding, "surrogateescape") if target else None,
        ListingCommand.LIST,
        resolution,
    )


def _split_link(raw: bytes, size: int | None) -> tuple[bytes, bytes | None]:
    """Split `name -> target` into the name and the target of a link.

    Both may contain an arrow. The size of a link, if correct, is the length of its target, which resolves the
    ambiguity.
    """
    if size is not None and 0 < size < len(raw) - 4 and raw[-size - 4 : -size] == b" -> ":
        return raw[: -size - 4], raw[-size:]
    name, arrow, target = raw.partition(b" -> ")
    return (name, target or None) if arrow else (raw, None)


def _parse_netware(row: bytes, today: date, encoding: str) -> Entry | None:
    rights = _RIGHTS.match(row)
    date_match = _find_date(row, today) if rights else None
    if not rights or not date_match:
        return None
    size, modified, resolution, start = date_match
    kind = _TYPES[rights[1]]
    name = row[start:].lstrip(b" ").decode(encoding, "surrogateescape")  # One or several blanks are before the name.
    size = None if kind is EntryType.DIR else size
    return Entry(name, kind, size, modified, rights[2].decode("ascii"), None, ListingCommand.LIST, resolution)


def _parse_dos(row: bytes, _today: date, encoding: str) -> Entry | None:
    head = _DOS.match(row)
    if not head:
        return None
    kind_or_size, _, raw = row[head.end() :].partition(b" ")
    kind = _DOS_KINDS.get(kind_or_size)
    size, target = None, None
    if kind:
        indent = _DOS_INDENT - len(kind_or_size) - 1
        raw = raw[indent:] if not raw[:indent].strip(b" ") else raw.lstrip(b" ")
        if kind is EntryType.LINK and raw.endswith(b"]") and b" [" in raw:
            raw, _, target = raw[:-1].rpartition(b" [")
    elif _DOS_SIZE.match(kind_or_size):
        kind, size = EntryType.FILE, parse_number(kind_or_size.replace(b",", b""))
    else:
        return None
    year, month, day = (int(head[long] or head[short]) for long, short in (("year", "y"), ("month", "m"), ("day", "d")))
    hour = int(head["hour"])
    if am_pm := head["half"]:
        hour = hour % 12 + (12 if am_pm.lower() == b"pm" else 0) if 1 <= hour <= 12 else 24
    modified = _to_utc(_complete_year(year), month, day, hour, int(head["minute"]))
    name = raw.decode(encoding, "surrogateescape")
    shown = target.decode(encoding, "surrogateescape") if target else None
    return Entry(name, kind, size, modified, None, shown, ListingCommand.LIST, _MINUTE)


def _parse_eplf(row: bytes, _today: date, encoding: str) -> Entry | None:
    head, tab, name = row.partition(b"\t")
    if not head.startswith(b"+") or not tab:
        return None
    kind, size, modified, perm = EntryType.OTHER, None, None, None
    for fact in head[1:].split(b","):
        number = parse_number(fact[1:])
        match fact[:1]:
            case b"/":
                kind = EntryType.DIR
            case b"r" if kind is EntryType.OTHER:
                kind = EntryType.FILE
            case b"s":
                size = number
            case b"m" if number is not None:
                modified = _from_epoch(number)
            case b"u" if mode := _EPLF_MODE.fullmatch(fact):
                perm = filemode(int(mode[1], 8))[1:]
    size = None if kind is EntryType.DIR else size
    return Entry(name.decode(encoding, "surrogateescape"), kind, size, modified, perm, None, ListingCommand.LIST)


def _parse_ibm_i(row: bytes, _today: date, encoding: str) -> Entry | None:
    head = _IBM_I.match(row)
    if not head:
        return None
    kind = _IBM_I_TYPES.get(head["kind"], EntryType.OTHER)
    year, month, day, hour, minute, second = (
        int(head[part]) for part in ("year", "month", "day", "hour", "minute", "second")
    )
    name = row[head.end() :].decode(encoding, "surrogateescape")
    name = name.removesuffix("/") if kind is EntryType.DIR else name
    size = None if kind in (EntryType.DIR, EntryType.LINK) else parse_number(head["size"])
    modified = _to_utc(_complete_year(year), month, day, hour, minute, second)
    return Entry(name, kind, size, modified, None, None, ListingCommand.LIST)


def _find_date(row: bytes, today: date) -> tuple[int | None, datetime | None, int, int] | None:
    """Find the first date after a size; return the size, the time, its resolution, and the start of the name.

    The fields before it are not counted, because owner and group may be missing or contain blanks, and a name may look
    like a date.
    """
    fields = list(islice(_FIELD.finditer(row), _MAX_FIELDS))
    for size_field, field in pairwise(fields):
        if not _DATE_LIKE.match(row, field.start()) or not _UNIX_SIZE.match(size_field[0]):
            continue
        for pattern in _DATES:
            date_match = pattern.match(row, field.start())
            if date_match:
                # "10, 235" in place of a size: major and minor numbers of a device
                is_device = row[: size_field.start()].rstrip(b" ").endswith(b",")
                size = None if is_device else parse_number(size_field[0])
                return size, *_read_date(date_match, today), date_match.end()
    return None


def _read_date(match: re.Match[bytes], today: date) -> tuple[datetime | None, int]:
    """Return the time (None = the date does not exist) and its resolution in seconds."""
    parts = match.groupdict()
    word = parts["month"].lower()
    month = int(word) if word.isdigit() else _MONTHS.index(word) + 1
    day, hour, minute, second = (int(parts.get(part) or 0) for part in ("day", "hour", "minute", "second"))
    year = int(parts["year"]) if parts.get("year") else _latest_year(month, day, today)
    resolution = 1 if parts.get("second") else _MINUTE if parts.get("hour") else _DAY
    return _to_utc(year, month, day, hour, minute, second, parts.get("zone")), resolution


def _latest_year(month: int, day: int, today: date) -> int:
    """Return the latest year in which the day is at most one day after today; 0 = the day does not exist.

    29 February exists every four years or, around the year 2100, every eight.
    """
    for year in range(today.year + 1, today.year - 9, -1):
        try:
            if (date(year, month, day) - today).days <= 1:
                return year
        except ValueError:
            continue
    return 0


def _to_utc(
    year: int, month: int, day: int, hour: int, minute: int, second: int = 0, zone: bytes | None = None
) -> datetime | None:
    offset = timedelta()
    if zone:
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])) * (-1 if zone[:1] == b"-" else 1)
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_epoch(seconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return None


def _complete_year(year: int) -> int:
    """Complete a year of two digits as POSIX does: 69 to 99 belong to the last century."""
    return year if year > 99 else year + (1900 if year >= 69 else 2000)


def parse_number(digits: bytes) -> int | None:
    """Parse a size in a listing; None = not a number, or more than 2^63 - 1."""
    return int(digits) if digits.isdigit() and len(digits) < 20 and int(digits) <= MAX_SIZE else None
