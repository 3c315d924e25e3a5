"""The contract of `reply`: whatever a command would do, the client gets that line."""

import ftplib

import pytest
from support.foreign import run
from support.probe import LIMIT_S, PROBES, line, opened

from mockservers import FtpServer, HttpServer
from mockservers.registry import make_server

CONTRACTS = {"reply": "the given reply"}


@pytest.mark.parametrize(
    ("server_name", "asks"),
    [
        ("ftp", b"NOOP\r\n"),
        ("ftps", b"NOOP\r\n"),
        ("nntp", b"DATE\r\n"),
        ("nntps", b"DATE\r\n"),
        ("time", b"hello\n"),
        ("tls", b"hello\n"),
        ("http", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        ("https", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ],
)
def test_a_command_is_answered_with_it_and_the_next_as_ever(server_name: str, asks: bytes) -> None:
    verb = "GET /" if asks.startswith(b"GET") else asks.split()[0].decode()
    with (
        make_server(server_name, faults=[f"{verb}:reply(550 no, sorry)x1"]) as server,  # type: ignore[attr-defined]
        opened(server, PROBES[server_name]) as client,
        opened(server, PROBES[server_name]) as another,
    ):
        if not PROBES[server_name].ask:
            line(client.recv)  # the greeting
        client.sendall(asks)
        assert line(client.recv) == b"550 no, sorry\r\n"
        # For HTTP the line is the end of the connection: what is behind it is nobody's.
        again = another if server_name.startswith("http") else client
        again.sendall(asks)
        assert line(again.recv)[:3] not in (b"550", b"")
        assert server.problems() == []


def test_on_connect_it_is_the_greeting() -> None:
    with FtpServer(faults=["connect:reply(421 too many)"]) as server, ftplib.FTP(timeout=LIMIT_S) as client:
        with pytest.raises(ftplib.error_temp, match="421 too many"):
            client.connect(server.host, server.port)
        assert server.problems() == []


@pytest.mark.parametrize("trigger", ["RETR", "RETR a.bin", "*"])
def test_ftplib_takes_it_for_the_servers_word(trigger: str) -> None:
    with FtpServer({"a.bin": b"x"}) as server, ftplib.FTP(timeout=LIMIT_S) as client:
        client.connect(server.host, server.port)
        client.login()
        server.on(trigger).reply("550-no\r\n550 never", times=1)
        with pytest.raises(ftplib.error_perm, match="550-no\n550 never"):
            client.sendcmd("RETR a.bin")
        assert client.sendcmd("NOOP").startswith("200")


def test_curl_gets_a_whole_response_when_that_is_what_it_says() -> None:
    with HttpServer(faults=[r"GET /x:reply(HTTP/1.1 418 teapot\r\nContent-Length: 4\r\n\r\nhi)"]) as server:
        done = run("curl", "-sS", "-w", "%{http_code}", server.url + "/x")
        assert (done.code, done.stdout) == (0, b"hi\r\n418"), done.err
