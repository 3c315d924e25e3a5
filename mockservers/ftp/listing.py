"""What LIST and MLSD say of an entry, in the styles that servers have.

    unix    -rw-r--r--   1 ftp ftp      1048576 Nov 22 18:04 data.bin      (a year instead of the time: half a year off)
    dos     11-22-26  06:04PM              1048576 data.bin
    eplf    +i1,m1795370651,r,s1048576,<TAB>data.bin                       (https://cr.yp.to/ftp/list/eplf.html)
    MLSx    type=file;size=1048576;modify=20261122180411;perm=adfrw;unique=1; data.bin      (RFC 3659 section 7)

All times are in UTC. Month names are English whatever the locale, as every client expects.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from mockservers.ftp.store import Entry, FileType

FACTS = ("type", "size", "modify", "perm", "unique")
"""The facts of MLSx that there are (RFC 3659 section 7.5)."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RECENT = timedelta(days=182)


def unix_row(entry: Entry, now: datetime) -> str:
    """As `ls -l` has it."""
    bits = "".join(
        letter if entry.mode >> place & 1 else "-" for place, letter in zip(range(8, -1, -1), "rwxrwxrwx", strict=True)
    )
    when = entry.modified
    recent = timedelta() <= now - when < _RECENT
    year_or_time = when.strftime("%H:%M") if recent else f" {when.year:04}"
    date = f"{_MONTHS[when.month - 1]} {when.day:>2} {year_or_time}"
    links = 2 if entry.type is FileType.FOLDER else 1
    name = entry.name if entry.target is None else f"{entry.name} -> {entry.target}"
    return f"{entry.type.value}{bits} {links:>3} ftp ftp {entry.size:>12} {date} {name}"


def dos_row(entry: Entry, now: datetime) -> str:
    """As IIS has it."""
    when = entry.modified
    hour = when.hour % 12 or 12
    date = f"{when:%m-%d-%y}  {hour:02}:{when.minute:02}{'AM' if when.hour < 12 else 'PM'}"
    size = "<DIR>         " if entry.type is FileType.FOLDER else f"{entry.size:>14}"
    return f"{date}       {size} {entry.name}"


def eplf_row(entry: Entry, now: datetime) -> str:
    """Easily parsed list format."""
    kind = "/" if entry.type is FileType.FOLDER else f"r,s{entry.size}"
    return f"+i{entry.unique},m{int(entry.modified.timestamp())},{kind},\t{entry.name}"


STYLES: dict[str, Callable[[Entry, datetime], str]] = {"unix": unix_row, "dos": dos_row, "eplf": eplf_row}
"""`listing=`: what LIST may look like."""


def facts(entry: Entry, wanted: Sequence[str], *, writable: bool = True) -> str:
    """An entry as MLSD and MLST have it: the wanted facts that it has, a blank, the name."""
    values = {
        "type": _type(entry),
        "size": str(entry.size) if entry.type is FileType.FILE else "",
        "modify": timestamp(entry.modified),
        "perm": _perm(entry, writable=writable),
        "unique": entry.unique,
    }
    told = [f"{name}={values[name]};" for name in FACTS if name in wanted and values[name]]
    return f"{''.join(told)} {entry.name}"


def timestamp(moment: datetime) -> str:
    """A time as MDTM, MFMT and MLSx write it, RFC 3659 section 2.3."""
    return f"{moment:%Y%m%d%H%M%S}".rjust(14, "0")


def _type(entry: Entry) -> str:
    match entry.type:
        case FileType.FILE:
            return "file"
        case FileType.FOLDER:
            return "dir"
        case FileType.LINK:
            return f"OS.unix=slink:{entry.target}"


def _perm(entry: Entry, *, writable: bool) -> str:
    """What the client may do with it, RFC 3659 section 7.5.5."""
    if entry.type is FileType.FOLDER:
        return "cdeflmp" if writable else "el"
    return "adfrw" if writable else "r"
