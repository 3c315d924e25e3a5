"""What is the same for every command: retries, limits, who reads standard input, the keys of JSON."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import inetcli

from mockservers import FtpServer, HttpServer, NntpServer, TlsServer


@pytest.fixture
def refusing() -> Iterator[str]:
    """A port that is ours, and where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("limits", [["--retries", "50"], ["--wait", "20"], ["--retries", "50", "--wait", "20"]])
def test_max_time_that_ends_a_pause_is_28_and_keeps_the_failure(refusing: str, limits: list[str]) -> None:
    done = inetcli("ftp", "get", *limits, "--max-time", "0.6", f"{refusing}/x", "-o", "-")
    assert done.code == 28
    assert done.err.splitlines()[-1] == (
        f"inetcli: {refusing}/x: timed out: not done after 0.6 s (--max-time); the last failure: {refusing}: refused"
    )


def test_a_retry_that_never_came_is_not_told(refusing: str) -> None:
    done = inetcli("talk", "tcp", "--retries", "1", "--max-time", "0.2", "--json", refusing, "/dev/null")
    assert (done.code, done.row["notes"]) == (28, [])


def test_standard_input_is_still_there_for_a_retry(refusing: str) -> None:
    done = inetcli("talk", "tcp", "--retries", "1", refusing, "-", stdin=b"hello\n")
    assert (done.code, done.err.splitlines()[-1]) == (7, f"inetcli: {refusing}: refused")


@pytest.mark.parametrize("fault", ["connect:rst@0x1", "connect:fin@0x1"])
def test_a_handshake_that_is_cut_is_tried_again(fault: str) -> None:
    with TlsServer(faults=[fault]) as server:
        done = inetcli("tls", "hello", "--retries", "1", "--ca", server.ca_file, server.url)
    assert done.code == 0
    assert "note: tried again after: " in done.err


def tls_of(*arguments: str, stdin: bytes = b"") -> tuple[int, object]:
    """The exit code, and what the JSON says of TLS."""
    done = inetcli(*arguments, stdin=stdin)
    return done.code, done.row.get("tls", {}).get("version")


def test_json_tells_of_tls_also_where_something_failed_behind_it() -> None:
    with NntpServer(tls="implicit") as news:
        assert tls_of("nntp", "latest", "--json", "--ca", news.ca_file, f"{news.url}/no.group") == (78, "TLSv1.3")
    with HttpServer({"/silent": b""}, tls=True) as web:
        assert tls_of("http", "raw", "--json", "--ca", web.ca_file, f"{web.url}/silent") == (52, "TLSv1.3")
        done = inetcli("http", "raw", "--json", f"{web.url}/")
        assert done.code == 60
        assert done.row["tls"]["peer_verified"] is False
    with TlsServer(faults=["connect:truncate"]) as echo:
        arguments = "talk", "tcp", "--tls", "--json", "--ca", echo.ca_file, f"{echo.host}:{echo.port}", "-"
        done = inetcli(*arguments, stdin=b"hello\n")
        assert (done.code, done.rows[-1]["tls"]["version"]) == (56, "TLSv1.3")
    with FtpServer(tls="explicit") as ftp:
        assert tls_of("ftp", "get", "--json", "--ca", ftp.ca_file, f"{ftp.url}/nope") == (78, "TLSv1.3")
        ftp.on("AUTH").reply("502 no")
        assert tls_of("ftp", "get", "--json", "--ca", ftp.ca_file, f"{ftp.url}/nope") == (35, None)


def test_a_password_from_standard_input_is_its_first_line(tmp_path: Path) -> None:
    with FtpServer(users={"ada": "pässword"}) as server:
        arguments = "ftp", "get", "--user", "ada", "--password-file", "-", f"{server.url}/welcome.txt", "-o", "-"
        assert inetcli(*arguments, stdin="pässword\r\nmore\n".encode()).code == 0
        assert inetcli(*arguments, stdin=b"wrong\n").code == 67
        done = inetcli(*arguments, stdin=b"")
    assert (done.code, done.err) == (
        26,
        f"inetcli: {server.url}/welcome.txt: standard input: expected a password in the first line, which is empty\n",
    )


def test_a_password_and_targets_cannot_both_be_standard_input() -> None:
    done = inetcli("ftp", "get", "--user", "ada", "--password-file", "-", "-i", "-", stdin=b"secret\nh/x\n")
    assert (done.code, done.err) == (2, "inetcli: --password-file - and -i - cannot both read standard input\n")


@pytest.mark.parametrize("name", ["", "a b", "[::1", "a:0"])
def test_a_servername_that_is_none_is_wrong_usage(name: str) -> None:
    done = inetcli("tls", "hello", "--servername", name, "localhost:1")
    assert (done.code, done.err) == (
        2,
        f"inetcli: --servername: expected a host name or an address, got {name!r}\n",
    )
