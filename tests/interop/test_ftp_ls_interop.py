"""FTP: what our client lists of vsftpd, ProFTPD and pure-ftpd is what is in the real folder."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from support.cutting import session_for
from support.ftpservers import PASSWORD, USER, FtpPeer

from inetcli.net.credentials import Credentials
from inetcli.protocols.ftp.connect import open_control
from inetcli.protocols.ftp.directory import list_folder
from inetcli.protocols.ftp.model import ListingCommand
from inetcli.protocols.ftp.server_state import ANONYMOUS, ServerKey, ServerState
from inetcli.secret import Secret

DAY = 86_400
AGES = [0, 60, 5 * DAY, 100 * DAY, 170 * DAY, 200 * DAY, 400 * DAY, 5000 * DAY]
NAMES = ["a.bin", "b c", "-d", "[e]", "ä", " leading", "trailing ", ".hidden", "a -> b", "1,2"]


def fill(folder: Path) -> None:
    now = int(time.time())
    for number, name in enumerate(NAMES):
        path = folder / name
        path.write_bytes(bytes(number * 1000))
        then = now - AGES[number % len(AGES)]
        os.utime(path, (then, then))
    (folder / "sub").mkdir()
    (folder / "link").symlink_to("a.bin")


def real(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Name: type, size and time of what is no link."""
    return {
        path.name: ("dir" if path.is_dir() else "file", path.stat().st_size, int(path.stat().st_mtime))
        for path in folder.iterdir()
        if not path.is_symlink()
    }


def check(listed: dict[str, tuple[str, int | None, datetime | None, int]], folder: Path) -> None:
    """Names, types, sizes and times are those of the folder, as exactly as the listing has them."""
    wanted = real(folder)
    assert set(listed) - {"link"} == set(wanted)
    for name, (kind, size, then) in wanted.items():
        got_kind, got_size, modified, resolution = listed[name]
        assert got_kind == kind, name
        assert kind == "dir" or got_size == size, name
        assert modified is not None, name
        assert int(modified.timestamp()) == then - then % resolution, name


def test_the_listing_is_what_is_there(ftp_peer: FtpPeer) -> None:
    folder = ftp_peer.root / "pub"
    fill(folder)
    done = ftp_peer.run("ls", "--json", ftp_peer.url("pub"))
    assert done.code == 0, done.err
    source = "list" if ftp_peer.kind == "vsftpd" else "mlsd"
    rows = {row["name"]: row for row in done.rows}
    assert {row["source"] for row in rows.values()} == {source}
    exact = 1 if source == "mlsd" else 60
    check(
        {
            name: (
                row["type"],
                row["size"],
                _time(row["modified"]),
                exact if source == "mlsd" or "T" in row["modified"] else DAY,
            )
            for name, row in rows.items()
        },
        folder,
    )
    lines = ftp_peer.run("ls", "-l", ftp_peer.url("pub/")).out.splitlines()
    assert len(lines) == len(rows)
    assert all(line.count("\t") == 3 for line in lines)
    one = ftp_peer.run("ls", "--json", ftp_peer.url("pub/a.bin"))
    assert (one.code, one.row["name"].rpartition("/")[2], one.row["size"]) == (0, "a.bin", 0)
    assert ftp_peer.run("ls", ftp_peer.url("pub/nope")).code == 78
    assert ftp_peer.run("ls", ftp_peer.url("pub/sub")).out == ""


def test_list_says_the_same_where_there_is_no_mlsd(plain_ftp_peer: FtpPeer) -> None:
    folder = plain_ftp_peer.root / "pub"
    fill(folder)
    who = Credentials(USER, Secret(PASSWORD), "test") if plain_ftp_peer.kind == "pure-ftpd" else ANONYMOUS
    server_key = ServerKey("127.0.0.1", plain_ftp_peer.port, credentials=who)
    server_state = ServerState()
    server_state.mlsd = False
    control = open_control(session_for(), server_key, server_state)
    entries = list_folder(control, "pub").entries
    control.quit()
    assert {entry.source for entry in entries} == {ListingCommand.LIST}
    check({entry.name: (entry.type.value, entry.size, entry.modified, entry.resolution) for entry in entries}, folder)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
