"""pyftpdlib as a mock: the same constructor, the same content, and nothing left of it."""

import ftplib
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.ftpline import ANONYMOUS, LIMIT_S, Control

from mockservers import FtpServer, PyftpdlibServer
from mockservers.content import FTP_TIME

FILES = {"a.bin": b"0123456789", "pub/text": b"one\ntwo\n"}
TREE = ["/a.bin", "/pub/text"]


def seen(server: FtpServer | PyftpdlibServer) -> object:
    """What a client finds there: names, sizes, times, bytes."""
    with ftplib.FTP(timeout=LIMIT_S) as client:
        client.connect(server.host, server.port)
        client.login("user", "password")
        client.voidcmd("TYPE I")
        facts = {
            name: (told["type"], told.get("size") if told["type"] == "file" else None, told["modify"])
            for folder in ("/", "/pub")
            for name, told in client.mlsd(folder)
        }
        pieces: list[bytes] = []
        client.retrbinary("RETR /a.bin", pieces.append)
        return facts, client.size("/pub/text"), client.sendcmd("MDTM /pub/text"), pieces


@pytest.mark.parametrize("directory", [False, True])
def test_both_servers_have_the_same_to_offer(directory: bool, tmp_path: Path) -> None:
    times = {"a.bin": datetime(2020, 2, 29, 1, 2, 3, tzinfo=UTC)}
    if directory:
        for name, data in FILES.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(data)
        with FtpServer(directory=tmp_path, times=times) as ours, PyftpdlibServer(directory=tmp_path) as theirs:
            assert seen(ours) == seen(theirs)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "pub"]
    else:
        with FtpServer(FILES, times=times) as ours, PyftpdlibServer(FILES, times=times) as theirs:
            assert seen(ours) == seen(theirs)
            assert dict(ours.files) == dict(theirs.files)
            assert theirs.modified("a.bin") == times["a.bin"]
            assert theirs.modified("/pub/text") == FTP_TIME


@pytest.mark.parametrize("tls", [None, "explicit"])
def test_what_is_said_is_written_down_and_uploads_are_seen(tls: str | None) -> None:
    with PyftpdlibServer(FILES, tls=tls, require_tls=bool(tls), greeting="hello") as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        with ftplib.FTP_TLS(context=context, timeout=LIMIT_S) if tls else ftplib.FTP(timeout=LIMIT_S) as client:
            client.connect("localhost" if tls else server.host, server.port)
            assert client.getwelcome() == "220 hello"
            client.login()
            if isinstance(client, ftplib.FTP_TLS):
                client.prot_p()
            with open(__file__, "rb") as file:
                client.storbinary("STOR incoming/up", file)
        assert server.files["incoming/up"] == Path(__file__).read_bytes()
        assert server.log.commands()[-2:] == ["STOR incoming/up", "QUIT"]
        assert "S> 226 Transfer complete." in server.transcript()
        assert "anonymous@" not in server.transcript()
        assert server.problems() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "dual"])
def test_it_listens_when_its_constructor_returns(host: str) -> None:
    with PyftpdlibServer(FILES, host=host) as server:
        for address in ("127.0.0.1", "::1") if host == "dual" else (host,):
            with socket.create_connection((address, server.port), LIMIT_S) as client:
                assert client.recv(100).startswith(b"220 ")


def test_two_servers_never_mix() -> None:
    with (
        PyftpdlibServer({"a": b"1"}, users={"ada": "x"}, anonymous=False) as first,
        PyftpdlibServer({"b": b"2"}, tls="explicit") as second,
        PyftpdlibServer({}, read_only=True) as third,
    ):
        assert (set(first.files), set(second.files), set(third.files)) == ({"/a"}, {"/b"}, set())
        with Control(first) as peer:
            assert [peer.code(line) for line in ("USER anonymous", "PASS x", "USER user", "PASS password")] == [
                *(331, 530, 331, 530)
            ]
            assert [peer.code(line) for line in ("USER ada", "PASS x", "AUTH TLS")] == [331, 230, 500]
        with Control(second) as peer:
            assert [peer.code(line) for line in (*ANONYMOUS, "SIZE a", "SIZE b")] == [331, 230, 200, 550, 213]
        with Control(third, *ANONYMOUS) as peer:
            assert peer.code("MKD x") == 550


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"faults": ["RETR:rst"]}, "it is the honest one; FtpServer"),
        ({"tls": "implicit"}, "plain FTP and explicit TLS, not 'implicit'"),
        ({"require_tls": True}, "needs tls='explicit'"),
        ({"listing": "dos"}, "pyftpdlib has no listing; FtpServer has"),
        ({"require_reuse": True, "links": {}}, "pyftpdlib has no require_reuse, links"),
        ({"greeting": "a\nb"}, "greets in one line"),
        ({"files": {}, "directory": "/"}, "directory serves what is in it"),
        ({"files": {"a\n": b""}}, "cannot hold NUL, CR or LF"),
    ],
)
def test_what_it_has_not_is_refused_and_leaves_nothing(
    arguments: dict[str, object], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with pytest.raises((ValueError, TypeError), match=why):
        PyftpdlibServer(**arguments)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


@pytest.mark.parametrize("tls", [None, "explicit"])
def test_stopping_takes_no_time_and_leaves_nothing(
    tls: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PyftpdlibServer(FILES, tls=tls).stop()  # what is made once for all is there now
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    took = []
    for _ in range(5):
        server = PyftpdlibServer(FILES, tls=tls)
        peers = [Control(server) for _ in range(10)]
        for peer in peers[:5]:
            peer.say("USER anonymous")
            peer.say("PASS x")
            peer.passive().close()
        started = time.perf_counter()
        server.stop()
        took.append(time.perf_counter() - started)
        server.stop()
        for peer in peers:
            peer.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port), LIMIT_S)
    assert min(took) < 0.25  # a few milliseconds on an idle machine; what polls takes half a second
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before
    assert list(tmp_path.iterdir()) == []


def test_a_handler_that_raises_is_a_problem_and_not_printed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    PyftpdlibServer(FILES).stop()  # imports pyftpdlib, which warns

    def broken(self: object, line: str) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("pyftpdlib.handlers.FTPHandler.ftp_NOOP", broken)
    with PyftpdlibServer(FILES) as server, Control(server) as peer:
        peer.say("USER anonymous")
        peer.say("PASS x")
        peer.send(b"NOOP\r\n")
        assert peer.stream.read() == b""
        (problem,) = server.problems()
    assert "ZeroDivisionError: oops" in problem
    assert capfd.readouterr() == ("", "")
