"""FTP: what our client gets from vsftpd, ProFTPD and pure-ftpd."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ftpservers import KINDS, FtpPeer, Wanted, ftp_server
from support.relay import ADDRESS, Relay

DATA = os.urandom(1_500_000)
THEN = 1_700_000_001
"""When the files on the servers were modified: an odd second, more than half a year ago."""

NAMES = ["a b.txt", "-dash", "[x].txt", "100%.txt", "semi;type=a", "?q#f", "ä-中.txt", "~tilde", "'q\"q'", "*star"]


@pytest.fixture
def down(tmp_path: Path) -> Path:
    folder = tmp_path / "down"
    folder.mkdir()
    return folder


def write(path: Path, data: bytes, then: int = THEN) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (then, then))


def encoded(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def contents(folder: Path) -> dict[bytes, bytes]:
    """Every file below a folder, by its path's bytes."""
    return {
        os.fsencode(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_one_file_and_what_goes_wrong_with_it(ftp_peer: FtpPeer, down: Path) -> None:
    write(ftp_peer.root / "pub" / "a.bin", DATA)
    done = ftp_peer.run("get", "--json", "--sha256", ftp_peer.url("pub/a.bin"), cwd=down)
    assert done.code == 0, done.err
    row = done.row
    assert (row["verified"], row["size"], row["notes"]) == ("size", len(DATA), [])
    assert row["sha256"] == hashlib.sha256(DATA).hexdigest()
    tls = row.get("tls")
    assert (tls and (tls["version"], tls["peer_verified"])) == (ftp_peer.wanted.tls and (ftp_peer.wanted.tls, True))
    assert (down / "a.bin").read_bytes() == DATA
    assert int((down / "a.bin").stat().st_mtime) == THEN
    again = ftp_peer.run("get", ftp_peer.url("pub/a.bin"), cwd=down)
    assert (again.code, again.err.count("\n")) == (73, 1)
    absent = ftp_peer.run("get", ftp_peer.url("pub/nope"), cwd=down)
    assert (absent.code, absent.err.count("\n")) == (78, 1)
    piped = ftp_peer.run("get", "-o", "-", ftp_peer.url("pub/a.bin"), ftp_peer.url("pub/a.bin"))
    assert (piped.code, piped.stdout) == (0, DATA * 2), piped.err
    assert contents(down) == {b"a.bin": DATA}


def test_every_data_connection_resumes_the_session(ftp_peer: FtpPeer, down: Path) -> None:
    for number in range(8):
        write(ftp_peer.root / "pub" / f"{number}", b"%d" % number)
    targets = [ftp_peer.url(f"pub/{number}") for number in range(8)]
    done = ftp_peer.run("get", "-v", "-j", "1", *targets, cwd=down)
    assert done.code == 0, done.err
    assert contents(down) == {b"%d" % number: b"%d" % number for number in range(8)}
    if ftp_peer.wanted.tls and ftp_peer.kind != "pure-ftpd":
        assert len(re.findall(r"TLSv1\.[23] \S+ resumed", done.err)) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_password_is_wrong(kind: str) -> None:
    with ftp_server(Wanted(kind)) as peer:
        url = f"ftp://nobody-here@127.0.0.1:{peer.port}/x"
        denied = peer.run("get", "--password-file", "/etc/hostname", url)
        assert (denied.code, denied.err.count("\n")) == (67, 1), denied.err


def test_a_tree_and_nothing_of_it_a_second_time(ftp_peer: FtpPeer, down: Path) -> None:
    for number in range(30):
        write(ftp_peer.root / "pub" / f"f{number % 5}" / f"{number}.bin", b"%d" % number * number, THEN + number)
    write(ftp_peer.root / "pub" / "a.bin", DATA)
    (ftp_peer.root / "pub" / "link").symlink_to("a.bin")
    (ftp_peer.root / "pub" / "empty").mkdir()
    command = ["get", "--json", "-r", "-P", str(down), ftp_peer.url("pub")]
    done = ftp_peer.run(*command)
    assert done.code == 0, done.err
    there = contents(ftp_peer.root / "pub")
    here = contents(down)
    assert {name: data for name, data in there.items() if name != b"link"} == {
        name: data for name, data in here.items() if name != b"link"
    }
    files = len(here)
    last = done.rows[-1]
    assert (last["files"], last["skipped"], last["failed"]) == (files, 0, 0)
    assert int((down / "f3" / "3.bin").stat().st_mtime) == THEN + 3
    write(ftp_peer.root / "pub" / "f1" / "new", b"new")
    again = ftp_peer.run(*command)
    assert again.code == 0, again.err
    last = again.rows[-1]
    assert (last["files"], last["skipped"], last["failed"]) == (1, files, 0)
    assert (down / "f1" / "new").read_bytes() == b"new"
    write(ftp_peer.root / "pub" / "f1" / "new", b"newer", THEN + 100)
    assert ftp_peer.run(*command).code == 73
    assert ftp_peer.run(*command, "--force").code == 0
    assert contents(down)[b"f1/new"] == b"newer"


def test_patterns(plain_ftp_peer: FtpPeer, down: Path) -> None:
    for name in ("a.iso", "b.iso", "c.txt", "*.iso"):
        write(plain_ftp_peer.root / "pub" / name, name.encode())
    done = plain_ftp_peer.run("get", "-P", str(down), plain_ftp_peer.url("pub/[ab]*.iso"))
    assert done.code == 0, done.err
    assert sorted(contents(down)) == [b"a.iso", b"b.iso"]
    assert plain_ftp_peer.run("get", "-P", str(down), plain_ftp_peer.url("pub/%2A.iso")).code == 0
    assert contents(down)[b"*.iso"] == b"*.iso"
    assert plain_ftp_peer.run("get", "-P", str(down), plain_ftp_peer.url("pub/*.none")).code == 78


def test_names_that_are_hard(plain_ftp_peer: FtpPeer, down: Path) -> None:
    for name in NAMES:
        write(plain_ftp_peer.root / "pub" / name, name.encode())
    targets = [plain_ftp_peer.url(f"pub/{encoded(name)}") for name in NAMES]
    done = plain_ftp_peer.run("get", "-P", str(down / "each"), *targets)
    assert done.code == 0, done.err
    done = plain_ftp_peer.run("get", "-r", "-P", str(down / "all"), plain_ftp_peer.url("pub"))
    assert done.code == 0, done.err
    wanted = {name.encode(): name.encode() for name in NAMES}
    assert contents(down / "each") == wanted
    assert contents(down / "all") == wanted


def test_latin_1_names_keep_their_bytes(plain_ftp_peer: FtpPeer, down: Path) -> None:
    name = b"caf\xe9.txt"
    write(Path(os.fsdecode(os.fsencode(plain_ftp_peer.root / "pub") + b"/" + name)), b"coffee")
    for number, target in enumerate(("pub/caf%E9.txt", "pub/*.txt")):
        folder = down / str(number)
        done = plain_ftp_peer.run("get", "-P", str(folder), plain_ftp_peer.url(target))
        assert done.code == 0, done.err
        assert contents(folder) == {name: b"coffee"}


@pytest.fixture(params=[(kind, tls) for kind in KINDS for tls in (None, "TLSv1.3")])
def relayed(request: pytest.FixtureRequest) -> Iterator[tuple[Relay, FtpPeer]]:
    """A server behind a relay that cuts its data connections in the middle."""
    kind, tls = request.param
    with Relay() as relay, ftp_server(Wanted(kind, tls, passive=relay.data, host=ADDRESS)) as peer:
        relay.forward(peer.port)
        yield relay, peer


def test_a_download_that_was_cut_is_taken_up(relayed: tuple[Relay, FtpPeer], down: Path) -> None:
    relay, peer = relayed
    write(peer.root / "pub" / "a.bin", DATA)
    target = peer.url("pub/a.bin", host=ADDRESS, port=relay.port)
    relay.cut_at = 500_000
    plain = peer.run("get", target, cwd=down)
    assert plain.code == 18, plain.err
    assert list(down.iterdir()) == []
    cut = peer.run("get", "--resume", target, cwd=down)
    assert cut.code == 18, cut.err
    assert sorted(path.name for path in down.iterdir()) == [".a.bin.part", ".a.bin.part.json"]
    relay.cut_at = None
    done = peer.run("get", "--resume", "--json", target, cwd=down)
    assert done.code == 0, done.err
    assert 400_000 < done.row["resumed_from"] <= 500_000
    assert contents(down) == {b"a.bin": DATA}
    (down / "a.bin").unlink()
    relay.cut_at = 500_000
    assert peer.run("get", "--resume", target, cwd=down).code == 18
    write(peer.root / "pub" / "a.bin", DATA[::-1], THEN + 1)
    relay.cut_at = None
    changed = peer.run("get", "--resume", "--json", target, cwd=down)
    assert (changed.code, changed.row["resumed_from"]) == (0, None)
    assert contents(down) == {b"a.bin": DATA[::-1]}


def test_a_cut_is_made_good_by_the_next_try_of_one_run(relayed: tuple[Relay, FtpPeer], down: Path) -> None:
    relay, peer = relayed
    write(peer.root / "pub" / "a.bin", DATA)
    relay.cut_at = 900_000
    target = peer.url("pub/a.bin", host=ADDRESS, port=relay.port)
    done = peer.run("get", "--retries", "3", target, cwd=down)
    assert done.code == 0, done.err
    assert contents(down) == {b"a.bin": DATA}


def test_the_server_connects_to_us(ftp_peer: FtpPeer, down: Path) -> None:
    write(ftp_peer.root / "pub" / "a.bin", DATA)
    done = ftp_peer.run("get", "--active", "--json", ftp_peer.url("pub/a.bin"), cwd=down)
    assert done.code == 0, done.err
    assert contents(down) == {b"a.bin": DATA}
    assert ftp_peer.run("ls", "--active", ftp_peer.url("pub")).out == "a.bin\n"


@pytest.mark.parametrize("kind", KINDS)
def test_more_connections_than_the_server_allows_only_lower_their_number(kind: str, down: Path) -> None:
    with ftp_server(Wanted(kind, per_client=2)) as peer:
        for number in range(20):
            write(peer.root / "pub" / f"{number}", DATA[:100_000])
        done = peer.run("get", "-j", "4", "-r", "-P", str(down), peer.url("pub"))
        assert done.code == 0, done.err
        assert len(contents(down)) == 20


def test_the_servers_hash_is_that_of_what_came(down: Path) -> None:
    with ftp_server(Wanted("proftpd", "TLSv1.3")) as peer:
        write(peer.root / "pub" / "a.bin", DATA)
        done = peer.run("get", "--verify", "hash", "--json", peer.url("pub/a.bin"), cwd=down)
        assert (done.code, done.row["verified"]) == (0, "hash"), done.err
    with ftp_server(Wanted("vsftpd")) as peer:
        write(peer.root / "pub" / "b.bin", DATA)
        assert peer.run("get", "--verify", "hash", peer.url("pub/b.bin"), cwd=down).code == 19


def turns(conversation: str) -> int:
    """How often the client had to wait for the server, in the words of -v: the greeting, and each answer to what was
    sent since the one before. Data, and a reply that comes behind it, are no answers."""
    marks = [line.split(" ", 2)[1] for line in conversation.splitlines() if re.match(r"\+\S+s [<>] (?!data:)", line)]
    return sum(mark == "<" and before != "<" for before, mark in zip(["", *marks], marks, strict=False))


def test_few_turns(down: Path) -> None:
    """Four for one small file of an anonymous login, 45 for twenty."""
    for kind in ("vsftpd", "proftpd"):
        with ftp_server(Wanted(kind)) as peer:
            for number in range(20):
                write(peer.root / "pub" / f"{number}", b"small")
            one = peer.run("get", "-v", "--force", peer.url("pub/0"), cwd=down)
            targets = [peer.url(f"pub/{number}") for number in range(20)]
            twenty = peer.run("get", "-v", "--force", "-j", "1", *targets, cwd=down)
        assert (one.code, twenty.code) == (0, 0), one.err + twenty.err
        assert one.err.count("> RETR") == 1
        assert twenty.err.count("> RETR") == 20
        assert 3 <= turns(one.err) <= 4, one.err
        assert 40 <= turns(twenty.err) <= 45, twenty.err
