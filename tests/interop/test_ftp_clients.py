"""Clients that we did not write, against our FTP server and against pyftpdlib: the same bytes everywhere."""

import ftplib
import hashlib
import io
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.foreign import run
from support.program import Finished

from mockservers import FtpServer, PyftpdlibServer

DATA = bytes(range(256)) * 600
TEXT = b"one\ntwo\n"
FILES = {"pub/a.bin": DATA, "pub/deep/b b.txt": TEXT, "empty": b""}
MODIFIED = datetime(2020, 2, 29, 12, 34, 56, tzinfo=UTC)
LIMIT_S = 5.0

Server = FtpServer | PyftpdlibServer


@pytest.fixture(params=["memory", "directory", "pyftpdlib"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[None, "explicit", "implicit"])
def tls(request: pytest.FixtureRequest) -> str | None:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def server(store: str, tls: str | None, tmp_path: Path) -> Iterator[Server]:
    """A server with the same tree in all of its forms; strict about TLS where it can be."""
    if store == "pyftpdlib" and tls == "implicit":
        pytest.skip("pyftpdlib has no implicit TLS")
    root = tmp_path / "root"
    for name, data in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "incoming").mkdir()
    times = {"pub/a.bin": MODIFIED}
    if store == "pyftpdlib":
        with PyftpdlibServer(directory=root, times=times, tls=tls, require_tls=bool(tls)) as theirs:
            yield theirs
            assert theirs.problems() == []
        return
    strict = {"require_tls": bool(tls), "require_reuse": bool(tls)}
    with FtpServer(
        FILES if store == "memory" else None,
        directory=root if store == "directory" else None,
        times=times,
        tls=tls,
        **strict,
    ) as ours:
        yield ours
        assert ours.problems() == []


@pytest.fixture
def plain(store: str, tmp_path: Path) -> Iterator[Server]:
    """The same without TLS, for clients that have none."""
    if store == "pyftpdlib":
        with PyftpdlibServer(FILES, times={"pub/a.bin": MODIFIED}) as theirs:
            yield theirs
        return
    with FtpServer(FILES, times={"pub/a.bin": MODIFIED}) as ours:
        yield ours
        assert ours.problems() == []


def done(finished: Finished) -> Finished:
    assert finished.code == 0, (finished.stdout, finished.stderr)
    return finished


def test_curl(server: Server, tls: str | None, tmp_path: Path) -> None:
    trust = ["--ssl-reqd", "--cacert", str(server.ca_file)] if tls else []
    url = f"{'ftps' if tls == 'implicit' else 'ftp'}://localhost:{server.port}"

    def curl(*arguments: str, stdin: bytes = b"") -> bytes:
        return done(run("curl", "-sS", *trust, *arguments, stdin=stdin)).stdout

    assert curl(f"{url}/pub/a.bin") == DATA
    assert curl(f"{url}/pub/deep/b%20b.txt") == TEXT
    assert curl(f"{url}/empty") == b""
    assert curl("--disable-epsv", f"{url}/pub/a.bin") == DATA
    assert curl("-r", "100-199", f"{url}/pub/a.bin") == DATA[100:200]
    assert curl("-C", "1000", f"{url}/pub/a.bin") == DATA[1000:]
    assert curl("--ftp-method", "nocwd", f"{url}/pub/a.bin") == DATA
    assert curl("-l", f"{url}/pub/").split() == [b"a.bin", b"deep"]
    assert b" 153600 Feb 29  2020 a.bin" in curl(f"{url}/pub/")
    assert b"Sat, 29 Feb 2020 12:34:56 GMT" in curl("-I", f"{url}/pub/a.bin")
    assert curl("-u", "user:password", f"{url}/pub/a.bin") == DATA
    if not tls:  # curl before 8.0 forgets the handshake on an active data connection
        assert curl("-P", "-", f"{url}/pub/a.bin") == DATA
    curl("-T", "-", f"{url}/incoming/up", stdin=b"hello")
    curl("-a", "-T", "-", f"{url}/incoming/up", stdin=b" again")
    assert server.files["incoming/up"] == b"hello again"
    curl("--ftp-create-dirs", "-T", "-", f"{url}/new/x/y", stdin=DATA)
    assert server.files["new/x/y"] == DATA
    part = tmp_path / "part"
    part.write_bytes(b"hello again and again")
    curl("-C", "11", "-T", str(part), f"{url}/incoming/up")
    assert server.files["incoming/up"] == part.read_bytes()
    curl("-Q", "RNFR incoming/up", "-Q", "RNTO pub/moved", "-Q", "-DELE /pub/moved", f"{url}/")
    assert "/pub/moved" not in server.files
    assert run("curl", "-sS", *trust, f"{url}/nope").code == 78
    assert run("curl", "-sS", *trust, "-u", "user:wrong", f"{url}/pub/a.bin").code == 67


def test_wget(server: Server, tls: str | None, tmp_path: Path) -> None:
    trust = ["--ca-certificate", str(server.ca_file)] if tls else []
    implicit = ["--ftps-implicit"] if tls == "implicit" else []
    if isinstance(server, FtpServer):
        server.require_reuse = False  # with GnuTLS it waits 50 ms for its ticket, and goes on without one
    wget = "wget", "-q", "-t", "1", *trust, *implicit
    url = f"{'ftps' if tls else 'ftp'}://localhost:{server.port}"
    assert done(run(*wget, "-O", "-", f"{url}/pub/a.bin")).stdout == DATA
    done(run(*wget, "-r", "-nH", f"{url}/pub/", cwd=tmp_path))
    assert (tmp_path / "pub" / "a.bin").read_bytes() == DATA
    assert (tmp_path / "pub" / "deep" / "b b.txt").read_bytes() == TEXT
    assert datetime.fromtimestamp((tmp_path / "pub" / "a.bin").stat().st_mtime, UTC).date() == MODIFIED.date()
    (tmp_path / "a.bin").write_bytes(DATA[:1234])
    done(run(*wget, "-c", f"{url}/pub/a.bin", cwd=tmp_path))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert run(*wget, "-O", "-", f"{url}/nope").code == 8


@pytest.mark.parametrize("active", [False, True])
def test_lftp(server: Server, tls: str | None, active: bool, tmp_path: Path) -> None:
    secure = f"set ssl:ca-file {server.ca_file}; set ftp:ssl-force yes; set ftp:ssl-allow-anonymous yes"
    settings = [
        *("set net:max-retries 1", "set net:timeout 5", "set cmd:fail-exit yes"),
        secure if tls else "set ftp:ssl-allow no",
        f"set ftp:passive-mode {'off' if active else 'on'}",
    ]

    def lftp(*commands: str) -> bytes:
        place = f"open {'ftps' if tls == 'implicit' else 'ftp'}://localhost:{server.port}"
        return done(run("lftp", "-c", "; ".join([*settings, place, *commands]), cwd=tmp_path)).stdout

    lftp("get pub/a.bin -o a.bin", "mirror pub mirrored")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert (tmp_path / "mirrored" / "deep" / "b b.txt").read_bytes() == TEXT
    assert datetime.fromtimestamp((tmp_path / "mirrored" / "a.bin").stat().st_mtime, UTC) == MODIFIED
    assert lftp("cls -1 pub").split() == [b"pub/a.bin", b"pub/deep/"]
    assert b"a.bin" in lftp("set ftp:use-mlsd no", "ls pub")
    lftp("pget -n 3 pub/a.bin -o segments")
    assert (tmp_path / "segments").read_bytes() == DATA
    lftp("put a.bin -o incoming/up", "mv incoming/up incoming/moved", "mkdir -p q/r", "mirror -R mirrored back")
    assert server.files["incoming/moved"] == DATA
    assert server.files["back/deep/b b.txt"] == TEXT
    assert server.modified("back/a.bin") == MODIFIED
    lftp("chmod 600 incoming/moved", "rm incoming/moved", "rmdir q/r", "rm -r back")
    assert set(server.files) == {f"/{name}" for name in FILES}


def test_tnftp(plain: Server, tmp_path: Path) -> None:
    url = f"ftp://localhost:{plain.port}"
    done(run("tnftp", "-o", "a.bin", f"{url}/pub/a.bin", cwd=tmp_path))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    done(run("tnftp", "-u", f"{url}/incoming/", "a.bin", cwd=tmp_path))
    assert plain.files["incoming/a.bin"] == DATA
    commands = """user anonymous x@
        binary
        pwd
        get pub/a.bin b.bin
        put b.bin incoming/b
        append b.bin incoming/b
        rename incoming/b incoming/c
        size incoming/c
        modtime pub/a.bin
        mlst pub
        mkdir z
        rmdir z
        passive off
        get pub/a.bin c.bin
        ls pub
        nlist pub
        delete incoming/c
        quit"""
    script = "\n".join(line.strip() for line in commands.splitlines()) + "\n"
    said = done(run("tnftp", "-n", "localhost", str(plain.port), stdin=script.encode(), cwd=tmp_path)).stdout
    for told in (b"Remote directory: /", b"\t307200", b"29 Feb 2020 12:34:56", b"type=dir", b"a.bin"):
        assert told in said
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "c.bin").read_bytes() == DATA
    assert "/incoming/c" not in plain.files


def test_aria2(plain: Server, tmp_path: Path) -> None:
    # 16 MiB: aria2 waits for ever when 150 and 226 come together, so the data must not fit into the sockets' buffers.
    plain.files["pub/big"] = big = DATA * 110
    for name, options in {"whole": [], "segments": ["-x4", "-s4", "-k4M"], "active": ["--ftp-pasv=false"]}.items():
        url = f"ftp://localhost:{plain.port}/pub/big"
        done(run("aria2c", "-q", "--no-conf", *options, "-d", str(tmp_path), "-o", name, url))
        assert (tmp_path / name).read_bytes() == big
    assert run("aria2c", "-q", "--no-conf", "-d", str(tmp_path), f"ftp://localhost:{plain.port}/nope").code == 3


def test_ncftp(plain: Server, tmp_path: Path) -> None:
    place = "-V", "-P", str(plain.port), "-t", "5"
    done(run("ncftpget", *place, "localhost", str(tmp_path), "/pub/a.bin"))
    assert (tmp_path / "a.bin").read_bytes() == DATA
    done(run("ncftpget", *place, "-T", "-R", "localhost", str(tmp_path), "/pub"))
    assert (tmp_path / "pub" / "deep" / "b b.txt").read_bytes() == TEXT
    (tmp_path / "up").write_bytes(DATA)
    done(run("ncftpput", *place, "localhost", "/incoming", str(tmp_path / "up")))
    assert plain.files["incoming/up"] == DATA
    listed = done(run("ncftpls", "-l", "-P", str(plain.port), "-t", "5", "ftp://localhost/pub/")).stdout
    assert b"a.bin" in listed


def test_every_method_of_ftplib(server: Server, tls: str | None, tmp_path: Path) -> None:
    if tls == "implicit":
        pytest.skip("ftplib has no implicit TLS")
    if tls and isinstance(server, FtpServer):
        server.require_reuse = False  # ftplib does not resume: CPython gh-63699
    context = ssl.create_default_context(cafile=server.ca_file)
    client = ftplib.FTP_TLS(context=context, timeout=LIMIT_S) if tls else ftplib.FTP(timeout=LIMIT_S)
    with client:
        client.connect("localhost", server.port)
        assert client.getwelcome().startswith("220")
        client.login("user", "password")
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        pieces: list[bytes] = []
        assert client.retrbinary("RETR pub/a.bin", pieces.append).startswith("226")
        assert b"".join(pieces) == DATA
        client.retrbinary("RETR pub/a.bin", pieces.append, rest=100)
        lines: list[str] = []
        client.retrlines("RETR pub/deep/b b.txt", lines.append)
        assert lines == ["one", "two"]
        assert client.storbinary("STOR incoming/bin", io.BytesIO(DATA)).startswith("226")
        assert hashlib.sha256(server.files["incoming/bin"]).digest() == hashlib.sha256(DATA).digest()
        client.storbinary("STOR incoming/bin", io.BytesIO(b"zz"), rest=2)
        assert server.files["incoming/bin"][:4] == DATA[:2] + b"zz"
        client.storlines("STOR incoming/text", io.BytesIO(b"one\ntwo\n"))
        assert server.files["incoming/text"] == TEXT
        assert client.nlst("pub")
        assert {name: facts["type"] for name, facts in client.mlsd("pub", ["type", "size"])} == {
            "a.bin": "file",
            "deep": "dir",
        }
        client.dir("pub", lines.append)
        assert lines[-2].endswith("a.bin")
        client.voidcmd("TYPE I")
        assert client.size("pub/a.bin") == len(DATA)
        assert client.mkd("made") == "/made"
        assert client.cwd("made").startswith("250")
        assert client.pwd() == "/made"
        client.cwd("..")
        client.rmd("made")
        client.rename("incoming/text", "incoming/renamed")
        client.delete("incoming/renamed")
        client.set_pasv(False)
        pieces.clear()
        client.retrbinary("RETR pub/a.bin", pieces.append)
        assert b"".join(pieces) == DATA
        client.set_pasv(True)
        with pytest.raises(ftplib.error_perm, match="550"):
            client.size("nope")
        if isinstance(client, ftplib.FTP_TLS):
            refuse = client.prot_c if isinstance(server, FtpServer) else lambda: (client.prot_c(), client.nlst())
            with pytest.raises(ftplib.all_errors):
                refuse()
        else:
            data = client.transfercmd("RETR pub/a.bin")
            assert client.abort()[:3] in ("225", "226", "426")
            data.close()
