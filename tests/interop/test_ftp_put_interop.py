"""FTP: what our client puts on vsftpd, ProFTPD and pure-ftpd, and how it tidies there."""

import os
from pathlib import Path

import pytest
from support.ftpservers import FtpPeer, Wanted, ftp_server

from inetcli.payload import open_payload
from inetcli.protocols.ftp.upload import temporary_name

DATA = os.urandom(900_000)
THEN = 1_700_000_001


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A local file to be sent."""
    path = tmp_path / "a.bin"
    path.write_bytes(DATA)
    os.utime(path, (THEN, THEN))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_name_when_it_is_there(ftp_peer: FtpPeer, source: Path) -> None:
    up = ftp_peer.root / "up"
    done = ftp_peer.run("put", "-v", "--json", str(source), ftp_peer.url("up/"))
    assert done.code == 0, done.err
    assert (done.row["path"], done.row["bytes"], done.row["verified"]) == ("up/a.bin", len(DATA), "size")
    assert done.row["notes"] == []
    assert "> RNTO up/a.bin" in done.err
    assert (names(up), (up / "a.bin").read_bytes()) == (["a.bin"], DATA)
    if "> MFMT" in done.err and ftp_peer.kind != "vsftpd":  # which has no MFMT
        assert int((up / "a.bin").stat().st_mtime) == THEN
    source.write_bytes(b"other")
    again = ftp_peer.run("put", str(source), ftp_peer.url("up/a.bin"))
    assert again.code == 0, again.err
    assert (names(up), (up / "a.bin").read_bytes()) == (["a.bin"], b"other")


def test_standard_input_appending_and_new_folders(ftp_peer: FtpPeer) -> None:
    up = ftp_peer.root / "up"
    done = ftp_peer.run("put", "--mkdirs", "-", ftp_peer.url("up/a/b%20c/d.txt"), stdin=DATA)
    assert done.code == 0, done.err
    assert (up / "a" / "b c" / "d.txt").read_bytes() == DATA
    done = ftp_peer.run("put", "--append", "-", ftp_peer.url("up/a/b%20c/d.txt"), stdin=b"more")
    assert done.code == 0, done.err
    assert (up / "a" / "b c" / "d.txt").read_bytes() == DATA + b"more"
    done = ftp_peer.run("put", "--direct", "--active", "-", ftp_peer.url("up/direct"), stdin=b"")
    assert done.code == 0, done.err
    assert (names(up), (up / "direct").read_bytes()) == (["a", "direct"], b"")


def test_a_tree(ftp_peer: FtpPeer, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "sub dir" / "ä").mkdir(parents=True)
    (site / "empty").mkdir()
    for name in ("index.html", "sub dir/-x", "sub dir/ä/[y]"):
        (site / name).write_bytes(name.encode())
    done = ftp_peer.run("put", "--json", "-r", str(site), ftp_peer.url("up/new"))
    assert done.code == 0, done.err
    assert (done.rows[-1]["files"], done.rows[-1]["failed"]) == (3, 0)
    there = ftp_peer.root / "up" / "new"
    assert {str(path.relative_to(there)): path.read_bytes() for path in there.rglob("*") if path.is_file()} == {
        name: name.encode() for name in ("index.html", "sub dir/-x", "sub dir/ä/[y]")
    }
    assert (there / "empty").is_dir()


def part_of(source: Path) -> str:
    """The temporary that another run finds again."""
    with open_payload(str(source)) as payload:
        return temporary_name(source.name, payload)


def test_an_upload_that_was_stopped_is_taken_up(ftp_peer: FtpPeer, source: Path) -> None:
    """What an earlier run left behind, as one that is stopped does."""
    up, part = ftp_peer.root / "up", f"up/{part_of(source)}"
    begun = ftp_peer.run("put", "--direct", "-", ftp_peer.url(part), stdin=DATA[:300_000])
    assert begun.code == 0, begun.err
    done = ftp_peer.run("put", "-v", "--resume", "--json", str(source), ftp_peer.url("up/"))
    assert done.code == 0, done.err
    assert f"> APPE {part}" in done.err
    assert (names(up), (up / "a.bin").read_bytes()) == (["a.bin"], DATA)
    begun = ftp_peer.run("put", "--direct", "-", ftp_peer.url(part), stdin=bytes(300_000))
    assert begun.code == 0, begun.err
    done = ftp_peer.run("put", "-v", "--resume", "--json", str(source), ftp_peer.url("up/"))
    assert done.code == 0, done.err
    assert f"> STOR {part}" in done.err
    assert (names(up), (up / "a.bin").read_bytes()) == (["a.bin"], DATA)


@pytest.mark.parametrize("kind", ["vsftpd", "proftpd"])
def test_an_upload_that_takes_too_long_leaves_its_part_for_the_next(kind: str, source: Path) -> None:
    with ftp_server(Wanted(kind)) as peer:
        cut = peer.run("put", "--resume", "--limit-rate", "100K", "--max-time", "3", str(source), peer.url("up/"))
        assert cut.code == 28, cut.err
        assert names(peer.root / "up") == [part_of(source)]
        done = peer.run("put", "--resume", str(source), peer.url("up/"))
        assert done.code == 0, done.err
        assert names(peer.root / "up") == ["a.bin"]
        assert (peer.root / "up" / "a.bin").read_bytes() == DATA


@pytest.mark.parametrize("kind", ["vsftpd", "pure-ftpd"])
def test_a_drop_box_takes_the_file_under_its_own_name(kind: str, source: Path) -> None:
    with ftp_server(Wanted(kind, drop_box=True)) as peer:
        done = peer.run("put", "--json", str(source), peer.url("up/"))
        assert done.code == 0, done.err
        assert (peer.root / "up" / "a.bin").read_bytes() == DATA
        assert any("sending under the final name" in note for note in done.row["notes"])
        piped = peer.run("put", "-q", "-", peer.url("up/piped"), stdin=b"x")
        # vsftpd takes the temporary name, and does not rename it; pure-ftpd refuses it before a byte is read.
        assert (piped.code, piped.err.count("\n")) == ((25, 1) if kind == "vsftpd" else (0, 0)), piped.err
        assert peer.run("put", "--direct", "-", peer.url("up/direct"), stdin=b"x").code == 0
        assert (peer.root / "up" / "direct").read_bytes() == b"x"


def test_the_servers_hash_is_that_of_what_was_sent(source: Path) -> None:
    with ftp_server(Wanted("proftpd", "TLSv1.3")) as peer:
        done = peer.run("put", "--verify", "hash", "--json", str(source), peer.url("up/"))
        assert (done.code, done.row["verified"]) == (0, "hash"), done.err


def test_moving_removing_and_folders(ftp_peer: FtpPeer) -> None:
    up = ftp_peer.root / "up"
    run, url = ftp_peer.run, ftp_peer.url
    assert run("pwd", url()).out == "/\n"
    made = run("mkdir", "-p", url("up/a/-b/[c]"), url("up/x"))
    assert made.code == 0, made.err
    assert (up / "a" / "-b" / "[c]").is_dir()
    assert run("mkdir", "-p", url("up/a")).code == 0
    assert run("mkdir", url("up/a")).code == 9
    assert run("put", "-", url("up/a/-b/%C3%A4%20%5B1%5D"), stdin=b"1").code == 0
    moved = run("mv", url("up/a/-b/%C3%A4%20%5B1%5D"), "up/x/")
    assert moved.code == 0, moved.err
    assert names(up / "x") == ["ä [1]"]
    moved = run("mv", url("up/x"), "/up/a/y")
    assert moved.code == 0, moved.err
    assert run("mv", url("up/nope"), "up/z").code == 78
    assert names(up) == ["a"]
    assert run("rmdir", url("up/a/-b/[c]")).code == 0
    assert run("rmdir", url("up/nope")).code == 78
    assert run("rm", url("up/nope")).code == 78
    (up / "outside").write_bytes(b"kept")
    (up / "a" / "link").symlink_to("../outside")
    removed = run("rm", "-r", url("up/a"))
    assert removed.code == 0, removed.err
    assert names(up) == ["outside"]
