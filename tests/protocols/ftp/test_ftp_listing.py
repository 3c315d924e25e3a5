"""Listings: real servers' listings of a known folder, a table of dialects, dates, and hostile rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import listings
from support.listings import FILES, LINKS, NAMES, OTHERS, TODAY

from inetcli.errors import ProtocolViolation, TooLarge
from inetcli.protocols.ftp.dialects import parse_list
from inetcli.protocols.ftp.listing import MAX_ROW, Listing, parse_mlsx, parse_nlst, parse_rows
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand
from inetcli.protocols.ftp.wire import parse_time
from inetcli.wire.reader import Reader

FILE, DIR, LINK, OTHER = EntryType.FILE, EntryType.DIR, EntryType.LINK, EntryType.OTHER
MINUTE, DAY = 60, 86400
MAX = (1 << 63) - 1


def utc(*parts: int) -> datetime:
    year, month, day, *rest = parts
    return datetime(year, month, day, *rest, tzinfo=UTC)  # type: ignore[arg-type]


def read(source: ListingCommand, rows: list[bytes]) -> dict[str, Entry]:
    """The entries of a whole listing, every row of which is to be understood."""
    listing = Listing(source, TODAY)
    entries = list(listing.entries(rows))
    assert listing.note is None
    assert len({entry.name for entry in entries}) == len(entries)
    return {entry.name: entry for entry in entries}


# -- of a known directory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        (listings.VSFTPD_LIST, set()),
        (listings.PROFTPD_LIST, set()),
        (listings.PUREFTPD_LIST, {"fifo"}),
        (listings.PYFTPDLIB_LIST, {"café"}),
    ],
    ids=["vsftpd", "proftpd", "pureftpd", "pyftpdlib"],
)
def test_list_of_real_servers(rows: list[bytes], missing: set[str]) -> None:
    entries = read(ListingCommand.LIST, rows)
    assert set(entries) == NAMES - missing
    for name, (size, modified) in FILES.items():
        if name in entries:
            entry = entries[name]
            assert (entry.type, entry.size, entry.link_target) == (FILE, size, None)
            # A row shows a time, or, for what is old, the day; never another one.
            step = timedelta(seconds=entry.resolution)
            assert entry.modified is not None
            assert entry.modified <= modified < entry.modified + step
            assert entry.resolution == (MINUTE if modified > utc(2026, 5, 28) else DAY)
    for name, target in LINKS.items():
        assert (entries[name].type, entries[name].size, entries[name].link_target) == (LINK, None, target)
    for name, kind in OTHERS.items():
        assert name in missing or entries[name].type is kind
    assert entries["sub dir"].size is None
    assert entries[" lead"].perm == "rw-------"
    assert entries["setuid"].perm == "rwsr-xr-x"


@pytest.mark.parametrize(
    ("rows", "missing", "links"),
    [
        (listings.PROFTPD_MLSD, {"dang"}, dict.fromkeys(LINKS)),
        (listings.PUREFTPD_MLSD, set(), LINKS),
        (listings.PYFTPDLIB_MLSD, {"café", "dang", "updir"}, {}),
    ],
    ids=["proftpd", "pureftpd", "pyftpdlib"],
)
def test_mlsd_of_real_servers(rows: list[bytes], missing: set[str], links: dict[str, str | None]) -> None:
    entries = read(ListingCommand.MLSD, rows)
    assert NAMES - set(entries) == missing & NAMES
    for name, (size, modified) in FILES.items():
        if name in entries:
            entry = entries[name]
            assert (entry.type, entry.size, entry.modified, entry.resolution) == (FILE, size, modified, 1)
    for name, target in links.items():
        if name in entries:
            assert (entries[name].type, entries[name].size, entries[name].link_target) == (LINK, None, target)
    assert (entries["sub dir"].type, entries["sub dir"].size) == (DIR, None)


@pytest.mark.parametrize(
    ("rows", "missing"),
    [(listings.VSFTPD_NLST, {".hidden"}), (listings.PUREFTPD_NLST, set())],
    ids=["vsftpd", "pureftpd"],
)
def test_nlst_of_real_servers(rows: list[bytes], missing: set[str]) -> None:
    entries = read(ListingCommand.NLST, rows)
    assert set(entries) == NAMES - missing
    assert {(entry.type, entry.size, entry.modified) for entry in entries.values()} == {(OTHER, None, None)}


# -- LIST, row by row -------------------------------------------------------------------------------------------------

ROWS = [
    # row, name, type, size, modified (parts), resolution, perm, link target
    ("-rw-r--r--   1 root     other        531 Jan 29 03:26 README",
     "README", FILE, 531, (2026, 1, 29, 3, 26), MINUTE, "rw-r--r--", None),
    ("dr-xr-xr-x   2 root     other        512 Apr  8  1994 etc",
     "etc", DIR, None, (1994, 4, 8), DAY, "r-xr-xr-x", None),
    ("dr-xr-xr-x   2 root     512 Apr  8  1994 no group",
     "no group", DIR, None, (1994, 4, 8), DAY, "r-xr-xr-x", None),
    ("lrwxrwxrwx   1 root     other          7 Jan 25 00:17 bin -> usr/bin",
     "bin", LINK, None, (2026, 1, 25, 0, 17), MINUTE, "rwxrwxrwx", "usr/bin"),
    ("lrwxrwxrwx   1 root     other          1 Jan 25 00:17 a -> b -> c",
     "a -> b", LINK, None, (2026, 1, 25, 0, 17), MINUTE, "rwxrwxrwx", "c"),
    ("lrwxrwxrwx   1 root     other          0 Jan 25 00:17 a -> b -> c",
     "a", LINK, None, (2026, 1, 25, 0, 17), MINUTE, "rwxrwxrwx", "b -> c"),
    ("lrwxrwxrwx   1 root     other          7 Jan 25 00:17 no target",
     "no target", LINK, None, (2026, 1, 25, 0, 17), MINUTE, "rwxrwxrwx", None),
    ("-rw-r--r--+  1 1000     1000    9223372036854775807 Nov 26 00:00 acl, tomorrow",
     "acl, tomorrow", FILE, MAX, (2026, 11, 26, 0, 0), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--.  1 1000     1000    9223372036854775808 Nov 27 00:00 selinux, last year",
     "selinux, last year", FILE, None, (2025, 11, 27, 0, 0), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--@  1 me  staff  99999999999999999999999 Nov 24 09:00 macos",
     "macos", FILE, None, (2026, 11, 24, 9, 0), MINUTE, "rw-r--r--", None),
    ("-rw-r--r-- 1 group domain user 531 Jan 29 03:26 blanks in the owner",
     "blanks in the owner", FILE, 531, (2026, 1, 29, 3, 26), MINUTE, "rw-r--r--", None),
    ("-rw-r--r-- 1 NT SERVICE Trusted Installer of this host 531 Jan 29 03:26 more blanks",
     "more blanks", FILE, 531, (2026, 1, 29, 3, 26), MINUTE, "rw-r--r--", None),
    ("crw-r--r--  1 root root  10, 235 Nov 20 07:01 autofs",
     "autofs", OTHER, None, (2026, 11, 20, 7, 1), MINUTE, "rw-r--r--", None),
    ("brw-rw----  1 root disk 8,   0 Nov 20 07:01 sda",
     "sda", OTHER, None, (2026, 11, 20, 7, 1), MINUTE, "rw-rw----", None),
    ("srwxrwxrwx  1 root root      0 Nov 20 07:01 socket",
     "socket", OTHER, 0, (2026, 11, 20, 7, 1), MINUTE, "rwxrwxrwx", None),
    # the times of GNU ls --time-style, and of BSD ls -T
    ("-rw------- 1 root root          3 2026-06-01 01:02  lead",
     " lead", FILE, 3, (2026, 6, 1, 1, 2), MINUTE, "rw-------", None),
    ("-rw-r--r-- 1 root root          8 2025-12-31  .hidden",
     ".hidden", FILE, 8, (2025, 12, 31), DAY, "rw-r--r--", None),
    ("-rw-r--r-- 1 root root          8 2025-12-31  08:00 o'clock",
     "08:00 o'clock", FILE, 8, (2025, 12, 31), DAY, "rw-r--r--", None),
    ("drwxr-xr-x 3 root root       4096 11-25 20:03 today",
     "today", DIR, None, (2026, 11, 25, 20, 3), MINUTE, "rwxr-xr-x", None),
    ("-rw-r--r-- 1 root root    531 09-26 2000 iso, old",
     "iso, old", FILE, 531, (2000, 9, 26), DAY, "rw-r--r--", None),
    ("-rw-r--r-- 1 root root  9 2026-06-01 01:02:03.000000000 +0200 full",
     "full", FILE, 9, (2026, 5, 31, 23, 2, 3), 1, "rw-r--r--", None),
    ("-rw-r--r-- 1 root root  9 2026-12-31 23:02:03 -0930 full, of the west",
     "full, of the west", FILE, 9, (2027, 1, 1, 8, 32, 3), 1, "rw-r--r--", None),
    ("-rw-r--r-- 1 root root  9 2026-06-01 01:02 +0200",
     "+0200", FILE, 9, (2026, 6, 1, 1, 2), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--  1 root  wheel  512 Jul  1 02:15:09 2003 bsd",
     "bsd", FILE, 512, (2003, 7, 1, 2, 15, 9), 1, "rw-r--r--", None),
    ("-rw-r--r--   1 root  root   531 29 Feb 12:00 day first",
     "day first", FILE, 531, (2024, 2, 29, 12, 0), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--   1 0  0   12 29 Feb 2020 day first, numbers",
     "day first, numbers", FILE, 12, (2020, 2, 29), DAY, "rw-r--r--", None),
    ("-rwxr-xr-x    1 user group        9 Oct 08, 2002 09:47 VShell",
     "VShell", FILE, 9, (2002, 10, 8, 9, 47), MINUTE, "rwxr-xr-x", None),
    # dates that are none
    ("-rw-r--r--   1 root  root   531 Feb 30 12:00 no such day",
     "no such day", FILE, 531, None, MINUTE, "rw-r--r--", None),
    ("-rw-r--r--   1 root  root   531 Feb 29  2023 no leap year",
     "no leap year", FILE, 531, None, DAY, "rw-r--r--", None),
    ("-rw-r--r--   1 root  root   531 Jan 12 25:61 no such time",
     "no such time", FILE, 531, None, MINUTE, "rw-r--r--", None),
    ("-rw-r--r-- 1 root root  9 0000-00-00 00:00 never",
     "never", FILE, 9, None, MINUTE, "rw-r--r--", None),
    # names that look like what is before them
    ("-rw-r--r--   1 root  root   9 Nov 20 08:00 5 Nov 24 10:05 x",
     "5 Nov 24 10:05 x", FILE, 9, (2026, 11, 20, 8, 0), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--   1 root  root   9 Nov 20  2025 08:00 x",
     "08:00 x", FILE, 9, (2025, 11, 20), DAY, "rw-r--r--", None),
    ("-rw-r--r--   1 root  root   9 Nov 20 08:00  ",
     " ", FILE, 9, (2026, 11, 20, 8, 0), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--   1 root  root   9 Nov 20 08:00 ../../etc/passwd",
     "../../etc/passwd", FILE, 9, (2026, 11, 20, 8, 0), MINUTE, "rw-r--r--", None),
    # IIS in its Unix style, WFTPD, NetPresenz, FileZilla Server, wu-ftpd, busybox, sizes for people
    ("----------   1 owner    group         1803128 Jul 10 10:18 ls-lR.Z",
     "ls-lR.Z", FILE, 1803128, (2026, 7, 10, 10, 18), MINUTE, "---------", None),
    ("d---------   1 owner    group               0 May  9 19:45 Softlib",
     "Softlib", DIR, None, (2026, 5, 9, 19, 45), MINUTE, "---------", None),
    ("-rwxrwxrwx   1 noone    nogroup      322 Aug 19  1996 message.ftp",
     "message.ftp", FILE, 322, (1996, 8, 19), DAY, "rwxrwxrwx", None),
    ("-------r--         326  1391972  1392298 Nov 22  1995 MegaPhone.sit",
     "MegaPhone.sit", FILE, 1392298, (1995, 11, 22), DAY, "------r--", None),
    ("drwxrwxr-x               folder        2 May 10  1996 network",
     "network", DIR, None, (1996, 5, 10), DAY, "rwxrwxr-x", None),
    ("-rw-r--r-- 1 ftp ftp         104857 Feb 03  2021 Setup (x64).exe",
     "Setup (x64).exe", FILE, 104857, (2021, 2, 3), DAY, "rw-r--r--", None),
    ("drwx-wx-wt  2 root  wheel  512 Jul  1 02:15 incoming",
     "incoming", DIR, None, (2026, 7, 1, 2, 15), MINUTE, "rwx-wx-wt", None),
    ("-rw-r--r--    1 root     root            12 Nov 24 10:05 busybox",
     "busybox", FILE, 12, (2026, 11, 24, 10, 5), MINUTE, "rw-r--r--", None),
    ("-rw-r--r--   1 root     other  34.5k Oct 5 21:22 for people",
     "for people", FILE, None, (2026, 10, 5, 21, 22), MINUTE, "rw-r--r--", None),
    # NetWare, new and old
    ("d [R----F--] supervisor            512       Jan 16 18:53    login",
     "login", DIR, None, (2026, 1, 16, 18, 53), MINUTE, "R----F--", None),
    ("- [RWCEAFMS] rwinston                        19968 Mar 12 15:20 Executive Summary.doc",
     "Executive Summary.doc", FILE, 19968, (2026, 3, 12, 15, 20), MINUTE, "RWCEAFMS", None),
    ("-[R----F-]  1 raj           857 Feb 23  2000 !info!",
     "!info!", FILE, 857, (2000, 2, 23), DAY, "R----F-", None),
    # DOS: IIS with both dates, and year first
    ("04-27-00  12:09PM       <DIR>          licensed",
     "licensed", DIR, None, (2000, 4, 27, 12, 9), MINUTE, None, None),
    ("04-27-00  12:09AM       <DIR>           lead",
     " lead", DIR, None, (2000, 4, 27, 0, 9), MINUTE, None, None),
    ("04-14-00  03:47PM                  589 readme.htm",
     "readme.htm", FILE, 589, (2000, 4, 14, 15, 47), MINUTE, None, None),
    ("04-14-69  03:47PM                  589  lead",
     " lead", FILE, 589, (1969, 4, 14, 15, 47), MINUTE, None, None),
    ("02-25-2026  10:05AM           6442450944 four digits",
     "four digits", FILE, 6442450944, (2026, 2, 25, 10, 5), MINUTE, None, None),
    ("02-25-2026  10:05AM       <DIR>          four digits",
     "four digits", DIR, None, (2026, 2, 25, 10, 5), MINUTE, None, None),
    ("2002-09-02  18:48       <DIR>          year first",
     "year first", DIR, None, (2002, 9, 2, 18, 48), MINUTE, None, None),
    ("2002-09-02  19:06                9,730 year first",
     "year first", FILE, 9730, (2002, 9, 2, 19, 6), MINUTE, None, None),
    ("01-31-24  12:00PM    <JUNCTION>     Documents [C:\\Users\\a]",
     "Documents", LINK, None, (2024, 1, 31, 12, 0), MINUTE, None, "C:\\Users\\a"),
    ("01-31-24  12:00PM    <SYMLINKD>     Data", "Data", LINK, None, (2024, 1, 31, 12, 0), MINUTE, None, None),
    ("13-31-24  13:00PM                  589 no date", "no date", FILE, 589, None, MINUTE, None, None),
    # EPLF
    ("+i8388621.48594,m825718503,r,s280,\tdjb.html",
     "djb.html", FILE, 280, (1996, 3, 1, 22, 15, 3), 1, None, None),
    ("+i8388621.50690,m824255907,/,\t514", "514", DIR, None, (1996, 2, 13, 23, 58, 27), 1, None, None),
    ("+m1706702400,up644,r,s1024,\t lead", " lead", FILE, 1024, (2024, 1, 31, 12, 0, 0), 1, "rw-r--r--", None),
    ("+m9223372036854775807,s99999999999999999999,r,\tfar", "far", FILE, None, None, 1, None, None),
    ("+s7,\tneither", "neither", OTHER, 7, None, 1, None, None),
    # IBM i
    ("RGOVINDAN 932 03/29/01 14:59:53 *STMF cert.txt", "cert.txt", FILE, 932, (2001, 3, 29, 14, 59, 53), 1, None, None),
    ("QSYS          77824 12/17/01 15:33:14 *DIR       QOpenSys/",
     "QOpenSys", DIR, None, (2001, 12, 17, 15, 33, 14), 1, None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "name", "kind", "size", "modified", "resolution", "perm", "target"), ROWS, ids=[row[0] for row in ROWS]
)
def test_parse_list(
    row: str,
    name: str,
    kind: EntryType,
    size: int | None,
    modified: tuple[int, ...] | None,
    resolution: int,
    perm: str | None,
    target: str | None,
) -> None:
    expected = Entry(
        name, kind, size, utc(*modified) if modified else None, perm, target, ListingCommand.LIST, resolution
    )
    assert parse_list(row.encode(), TODAY) == expected


@pytest.mark.parametrize(
    "row",
    [
        b"",
        b"   ",
        b"total 14786",
        b"total 1.5M",
        b"Total 0",
        b"insgesamt 4",
        b"drwxr-xr-x   3 root     root         4096 Nov 25 20:03 .",
        b"drwxr-xr-x   3 root     root         4096 Nov 25 20:03 ..",
        b"04-27-00  12:09PM       <DIR>          ..",
        b"+/,\t.",
    ],
)
def test_parse_list_omits(row: bytes) -> None:
    assert parse_list(row, TODAY) is None


UNKNOWN = [
    b"hello",
    b"total",
    b"total of what 5",
    b"./sub:",
    b"ls: cannot open directory '.': Permission denied",
    b"-rw-r--r--",
    b"-rw-r--r-- 1 root root 12 Nov 24 10:05",
    b"-rw-r--r-- 1 root root 12 Nov 24 10:05 ",
    b"-rw-r--r-- 1 root root Nov 24 10:05 no size",
    b"-rw-r--r-- 1 root root 12 Foo 24 10:05 no month",
    b"-rw-r--r--\xa01\xa0root\xa0root\xa012\xa0Nov\xa024\xa010:05\xa0no blanks",
    "-rw-r--r-- 1 root root ١٢ Nov 24 10:05 no digits".encode(),
    b"04-27-00  12:09PM       <DIR>",
    b"04-27-00  12:09PM       <DUR>          x",
    b"04-27-00  12:09PM       12",
    b"+r,s1, no tab",
    b"+r,s1,\t",
    b"d [RWCEAFMS] owner 512",
    b"type=file;size=12; mlsd",
]


@pytest.mark.parametrize("row", UNKNOWN)
def test_parse_list_refuses(row: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="expected a line in Unix"):
        parse_list(row, TODAY)


# -- dates without a year ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "today", "year"),
    [
        ("Dec 31", date(2026, 1, 1), 2025),
        ("Dec 31", date(2026, 12, 30), 2026),
        ("Dec 31", date(2026, 12, 29), 2025),
        ("Jan  1", date(2026, 12, 31), 2027),
        ("Jan  2", date(2026, 12, 31), 2026),
        ("Feb 29", date(2024, 2, 28), 2024),
        ("Feb 29", date(2024, 2, 27), 2020),
        ("Feb 29", date(2025, 3, 1), 2024),
        ("Feb 29", date(2027, 12, 31), 2024),
        ("Feb 29", date(2103, 12, 31), 2096),
        ("Dec 31", date(9999, 12, 31), 9999),
        ("Jan  1", date(1, 1, 1), 1),
    ],
)
def test_date_without_a_year_is_the_latest_past_one(shown: str, today: date, year: int) -> None:
    entry = parse_list(f"-rw-r--r-- 1 ftp ftp 1 {shown} 12:00 a".encode(), today)
    assert entry
    assert entry.modified
    assert entry.modified.year == year


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-1, 363))
def test_time_of_the_last_year_round_trip(written: datetime, age: int) -> None:
    assume(date(1, 1, 3) < written.date() < date(9998, 1, 1))
    today = written.date() + timedelta(days=age)
    row = f"-rw-r--r--   1 ftp      ftp  1 {written:%b %d %H:%M} a"
    entry = parse_list(row.encode(), today)
    assert entry
    assert entry.modified == written.replace(second=0, microsecond=0)


# -- MLSD -------------------------------------------------------------------------------------------------------------

MLSX = [
    # of RFC 3659 section 7.7
    (b"Type=file;Size=1024990;Perm=r; /tmp/cap60.pl198.tar.gz",
     Entry("/tmp/cap60.pl198.tar.gz", FILE, 1024990, None, "r", None, ListingCommand.MLSD)),
    (b"Type=OS.unix=slink:/foobar;Perm=;Unique=keVO1+4G4; foobar",
     Entry("foobar", LINK, None, None, "", "/foobar", ListingCommand.MLSD)),
    (b"Type=OS.unix=chr-13/29;Perm=;Unique=keVO1+5G4; device",
     Entry("device", OTHER, None, None, "", None, ListingCommand.MLSD)),
    (b"Type=file;Perm=r;Unique=keVO1+IH4;  leading space",
     Entry(" leading space", FILE, None, None, "r", None, ListingCommand.MLSD)),
    (b" no facts", Entry("no facts", OTHER, None, None, None, None, ListingCommand.MLSD)),
    # names and values with semicolons and blanks
    (b"type=file; a; b=c;  d ", Entry("a; b=c;  d ", FILE, None, None, None, None, ListingCommand.MLSD)),
    (b"type=OS.unix=slink:no -> where;size=11; dang",
     Entry("dang", LINK, None, None, None, "no -> where", ListingCommand.MLSD)),
    (b"type=OS.unix=slink:a;b:c;size=5; l", Entry("l", LINK, None, None, None, "a;b:c", ListingCommand.MLSD)),
    (b"type=OS.UNIX=slink; l", Entry("l", LINK, None, None, None, None, ListingCommand.MLSD)),
    (b"TYPE=OS.unix=symlink;SIZE=9; l", Entry("l", LINK, None, None, None, None, ListingCommand.MLSD)),
    # times and numbers
    (b"MODIFY=20261124100507.5;tYPE=FILE; x",
     Entry("x", FILE, None, utc(2026, 11, 24, 10, 5, 7, 500000), None, None, ListingCommand.MLSD)),
    (b"type=file;size=9223372036854775807; x", Entry("x", FILE, MAX, None, None, None, ListingCommand.MLSD)),
    (b"type=file;size=9223372036854775808; x", Entry("x", FILE, None, None, None, None, ListingCommand.MLSD)),
    (b"type=file;size=-1;modify=yesterday;perm; x", Entry("x", FILE, None, None, None, None, ListingCommand.MLSD)),
    (b"type=dir;sizd=4096;modify=20250304050600; sub",
     Entry("sub", DIR, None, utc(2025, 3, 4, 5, 6), None, None, ListingCommand.MLSD)),
    (b"sizd=4096; sub", Entry("sub", DIR, None, None, None, None, ListingCommand.MLSD)),
    (b"size=4; x", Entry("x", OTHER, 4, None, None, None, ListingCommand.MLSD)),
    (b"type=unknown;size=0; fifo", Entry("fifo", OTHER, 0, None, None, None, ListingCommand.MLSD)),
    # without the last semicolon
    (b"type=file;size=4 x y", Entry("x y", FILE, 4, None, None, None, ListingCommand.MLSD)),
    # left out
    (b"type=cdir;perm=el; /pub", None),
    (b"Type=pdir; ..", None),
    (b"type=dir; .", None),
    (b"type=file; ", None),
    (b"", None),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), MLSX, ids=[row.decode() for row, _ in MLSX])
def test_parse_mlsx(row: bytes, expected: Entry | None) -> None:
    assert parse_mlsx(row) == expected


@pytest.mark.parametrize(
    "row",
    [
        b"hello",
        b"hello world",
        b"type=file;",
        b"type=file",
        b"=x; y",
        b";type=file; x",
        b"two words=x; y",
        *UNKNOWN[5:11],
    ],
)
def test_parse_mlsx_refuses(row: bytes) -> None:
    with pytest.raises(ProtocolViolation, match='expected "fact=value; name"'):
        parse_mlsx(row)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"20240229235960", utc(2024, 2, 29, 23, 59, 59)),
        (b"20240229000000.1234567", utc(2024, 2, 29, 0, 0, 0, 123456)),
        (b"20230229000000", None),
        (b"2024022900000", None),
        (b"191010229000000", None),
        (b"20240229000000.", None),
        (b"20240229000000.x", None),
        (b"00000000000000", None),
        (b"", None),
    ],
)
def test_parse_time(value: bytes, expected: datetime | None) -> None:
    assert parse_time(value.decode()) == expected


# -- names ------------------------------------------------------------------------------------------------------------

NAME = st.binary(min_size=1, max_size=40).filter(lambda name: b"\n" not in name and name not in (b".", b".."))
FORMS = [
    (ListingCommand.LIST, b"-rw-r--r--    1 ftp      ftp            12 Nov 24 10:05 %s"),
    (ListingCommand.LIST, b"-rw-r--r--    1 ftp      ftp            12 Nov 24  2020 %s"),
    (ListingCommand.LIST, b"-rw-r--r--    1 ftp      ftp            12 2020-11-24 10:05 %s"),
    (ListingCommand.LIST, b"04-14-00  03:47PM                  589 %s"),
    (ListingCommand.LIST, b"04-27-00  12:09PM       <DIR>          %s"),
    (ListingCommand.LIST, b"+r,s1,\t%s"),
    (ListingCommand.MLSD, b"type=file;size=4; %s"),
    (ListingCommand.MLSD, b" %s"),
    (ListingCommand.NLST, b"%s"),
]


@pytest.mark.parametrize(("source", "form"), FORMS)
@given(name=NAME)
def test_name_bytes_round_trip(source: ListingCommand, form: bytes, name: bytes) -> None:
    listing = Listing(source, TODAY)
    (entry,) = listing.entries([form % name])
    assert entry.name.encode("utf-8", "surrogateescape") == name
    assert listing.note is None


def test_a_name_is_in_the_encoding_that_is_given() -> None:
    row = b"-rw-r--r--    1 ftp      ftp            12 Nov 24 10:05 caf\xe9"
    for encoding, name in (("utf-8", "caf\udce9"), ("latin-1", "café"), ("cp866", "cafщ")):
        (entry,) = Listing(ListingCommand.LIST, TODAY, encoding).entries([row])
        assert entry.name == name
    (entry,) = Listing(ListingCommand.MLSD, TODAY, "shift_jis").entries([b"type=file; " + "表".encode("shift_jis")])
    assert entry.name == "表"
    assert parse_nlst(b"..") is None


# -- a whole listing, and hostile ones --------------------------------------------------------------------------------


def test_unparsed_rows_are_counted_and_others_kept() -> None:
    listing = Listing(ListingCommand.MLSD, TODAY)
    assert [entry.name for entry in listing.entries([b"type=file; a", b"what\xff?"])] == ["a"]
    assert listing.note == '1 line of the listing was not understood: "what\udcff?"'
    assert [entry.name for entry in listing.entries([b"x" * 5000, b"type=file; b", b"z"])] == ["b"]
    assert listing.unparsed_count == 3
    assert listing.note == '3 lines of the listing were not understood, the first: "what\udcff?"'
    long = Listing(ListingCommand.LIST, TODAY)
    assert list(long.entries([b"x" * 5000])) == []
    assert long.first_unparsed == "x" * 80 + "..."


def pump(data: bytes, step: int) -> Iterator[list[bytes]]:
    """The batches of rows, from a reader that is fed `step` bytes at a time."""
    reader = Reader()
    pieces = iter([data[start : start + step] for start in range(0, len(data), step)])
    while True:
        parser = parse_rows(reader)
        try:
            while True:
                next(parser)
                piece = next(pieces, None)
                if piece is None:
                    reader.feed_end()
                else:
                    reader.feed(piece)
        except StopIteration as done:
            if not done.value:
                return
            yield done.value


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"", []),
        (b"a\r\nb\nc\r\n", [b"a", b"b", b"c"]),
        (b"a\r\nno end", [b"a", b"no end"]),
        (b"no end\r", [b"no end\r"]),
        (b"\r\n\r\na\r\n", [b"", b"", b"a"]),
    ],
)
def test_parse_rows(data: bytes, rows: list[bytes], step: int) -> None:
    assert [row for batch in pump(data, step) for row in batch] == rows


@pytest.mark.parametrize("data", [b"x" * (MAX_ROW + 1), b"a\r\n" + b"x" * (MAX_ROW + 1) + b"\r\n"])
def test_parse_rows_refuses_a_row_over_the_limit(data: bytes) -> None:
    with pytest.raises(TooLarge, match=f"a line of the listing exceeds {MAX_ROW} bytes"):
        list(pump(data, 4096))


LOOKS = [*(row.encode() for row, *_ in ROWS), *(row for row, _ in MLSX), *UNKNOWN]


@given(
    st.sampled_from(LOOKS),
    st.integers(0, 60),
    st.integers(0, 60),
    st.binary(max_size=12),
    st.sampled_from(ListingCommand),
)
def test_corrupted_row_is_parsed_or_counted(
    row: bytes, start: int, cut: int, put: bytes, source: ListingCommand
) -> None:
    assume(b"\n" not in put)
    listing = Listing(source, TODAY)
    entries = list(listing.entries([row[:start] + put + row[start + cut :]]))
    assert len(entries) + listing.unparsed_count <= 1
    for entry in entries:
        assert entry.name not in ("", ".", "..")
        assert entry.size is None or 0 <= entry.size <= MAX
        assert entry.modified is None or entry.modified.tzinfo is UTC


@pytest.mark.parametrize(
    "row",
    [
        b"-rw-r--r--" + b" 1" * 4090,
        b"-rw-r--r-- 1 0 0 " + b"1" * 8000 + b" Nov 24 10:05 a number that int() refuses",
        b"-rw-r--r-- 1 " + b" " * 8000,
        b"-rw-r--r-- 1 Nov" + b" 1 Nov" * 1300,
        b"lrwxrwxrwx 1 0 0 5 Nov 24 10:05 x" + b" -> " * 2000,
        b"04-14-00  03:47PM" + b" " * 8000,
        b"04-14-00  03:47PM  " + b"1," * 4000,
        b"+" + b"m1," * 2700,
        b"+r,s" + b"1" * 8000 + b",\ta",
        b"size=" + b"1" * 8000 + b"; a",
        b"type=" + b";" * 8000,
        b"type=;" + b"a;" * 4000,
        b"a=b" + b";a=b" * 2000,
    ],
)
@pytest.mark.parametrize("source", ListingCommand)
def test_parse_time_is_linear_for_hostile_rows(source: ListingCommand, row: bytes) -> None:
    """A hundred rows of each kind stay far below the time limit of a test; a backtracking pattern would not."""
    listing = Listing(source, TODAY)
    rows = [row[:MAX_ROW]] * 100
    assert len(list(listing.entries(rows))) + listing.unparsed_count == len(rows)
