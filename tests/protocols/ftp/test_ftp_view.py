"""Files, uploads and listings as the lines people see, and as JSON."""

from datetime import UTC, datetime

import pytest

from inetcli.protocols.ftp.model import Download, Entry, EntryType, ListingCommand, Upload
from inetcli.protocols.ftp.view import (
    download_to_json,
    entry_to_json,
    format_download,
    format_entry,
    format_time,
    format_upload,
    upload_to_json,
)

MIB = 1 << 20


@pytest.mark.parametrize(
    ("download", "line"),
    [
        (
            Download(
                "nightly.iso",
                700 * MIB,
                seconds=6.2,
                verified="size",
                final="226",
                tls={"version": "TLSv1.3"},
                data_resumed=True,
            ),
            "nightly.iso  700.0 MiB  6.2 s  112.9 MiB/s  size verified, 226 seen, TLS 1.3, data session resumed",
        ),
        (Download("a", 10, seconds=0.0), "a  10 B  0.0 s  0 B/s  size not known, no final reply"),
        (
            Download("a", 3000, seconds=1.0, verified="hash", final="250", resumed_from=1000),
            "a  2.0 KiB  1.0 s  2.0 KiB/s  hash verified, 250 seen, resumed from 1000",
        ),
        (Download("a\x1b[m", skipped=True), r"a\x1b[m  skipped: the file exists"),
    ],
)
def test_format_download(download: Download, line: str) -> None:
    assert format_download(download) == line


def test_download_to_json_has_the_keys_of_the_contract() -> None:
    download = Download("a", 10, 10, "00ff", 5, 1.0, "size", "226", tls={"version": "TLSv1.3"})
    assert download_to_json(download) == {
        "path": "a",
        "bytes": 10,
        "size": 10,
        "sha256": "00ff",
        "resumed_from": 5,
        "verified": "size",
        "skipped": False,
    }


@pytest.mark.parametrize(("verified", "words"), [("hash", "hash verified"), (None, "size not checked")])
def test_format_upload_and_upload_to_json(verified: str | None, words: str) -> None:
    upload = Upload("pub/a", 2048, verified, 2.0)
    assert format_upload(upload) == f"pub/a  2.0 KiB  2.0 s  1.0 KiB/s  {words}"
    assert upload_to_json(upload) == {"path": "pub/a", "bytes": 2048, "verified": verified}


MODIFIED = datetime(2026, 11, 22, 18, 4, 11, tzinfo=UTC)


def entry(name: str = "a", kind: EntryType = EntryType.FILE, **facts: object) -> Entry:
    values: dict[str, object] = {"size": None, "modified": None, "perm": None, "link_target": None}
    return Entry(name, kind, source=ListingCommand.LIST, **{**values, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listed", "line"),
    [
        (entry(size=5, modified=MODIFIED), "file\t5\t2026-11-22T18:04:11Z\ta"),
        (entry("sub", EntryType.DIR), "dir\t-\t-\tsub"),
        (entry("l", EntryType.LINK, link_target="t\n"), "link\t-\t-\tl -> t\\n"),
        (entry("a\tb\udcff", EntryType.OTHER, size=0), "other\t0\t-\ta\\tb\\xff"),
    ],
)
def test_format_entry_long_has_four_columns(listed: Entry, line: str) -> None:
    assert format_entry(listed, long=True) == line
    assert format_entry(listed, long=False) == line.split("\t")[3].partition(" -> ")[0]


@pytest.mark.parametrize(
    ("resolution", "shown"), [(1, "2026-11-22T18:04:11Z"), (60, "2026-11-22T18:04Z"), (86400, "2026-11-22")]
)
def test_format_time_has_the_precision_of_the_listing(resolution: int, shown: str) -> None:
    assert format_time(entry(modified=MODIFIED, resolution=resolution)) == shown
    assert format_time(entry(resolution=resolution)) is None


def test_entry_to_json_has_the_keys_of_the_contract() -> None:
    listed = entry("l\udcff", EntryType.LINK, modified=MODIFIED, resolution=60, perm="rwxrwxrwx", link_target="t")
    assert entry_to_json(listed) == {
        "name": "l\udcff",
        "type": "link",
        "size": None,
        "modified": "2026-11-22T18:04Z",
        "perm": "rwxrwxrwx",
        "link_target": "t",
        "source": "list",
    }
