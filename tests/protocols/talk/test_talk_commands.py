"""`inetcli talk tcp` and `talk udp` against the timestamp server."""

import socket
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.program import environment, inetcli

from mockservers import TimeServer, TlsServer


def stamped() -> TimeServer:
    return TimeServer(clock=lambda: "now")


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_each_line_has_its_reply(kind: str, host: str) -> None:
    with TimeServer(clock=lambda: "now", host=host) as server:
        done = inetcli("talk", kind, server.url, "-", stdin=b"one\ntwo\nno end")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == ["[now] one", "[now] two", "[now] no end"]


def test_lines_from_a_file_and_with_crlf(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"one\r\ntwo\n")
    with stamped() as server:
        done = inetcli("talk", "tcp", "--crlf", server.url, str(tmp_path / "lines"))
    assert done.out.splitlines() == ["[now] one", "[now] two"]


def test_talk_over_tls() -> None:
    with TlsServer() as server:
        assert server.ca_file
        target = f"localhost:{server.port}"
        done = inetcli("talk", "tcp", "--tls", "--ca", server.ca_file, target, "-", stdin=b"one\ntwo\n")
        untrusted = inetcli("talk", "tcp", "--tls", target, "-", stdin=b"one\n")
    assert (done.code, done.out) == (0, "one\ntwo\n")
    assert untrusted.code == 60


@pytest.mark.parametrize("scheme", ["tls", "ssl", "https", "IMAPS", "rediss"])
def test_the_scheme_of_a_tls_url_implies_tls(scheme: str) -> None:
    with TlsServer() as server:
        assert server.ca_file
        target = f"{scheme}://localhost:{server.port}/x"
        lines = inetcli("talk", "tcp", "-v", "--ca", server.ca_file, target, stdin=b"one\ntwo\n")
        stream = inetcli("talk", "tcp", "--stream", "--ca", server.ca_file, target, stdin=b"one\n")
        untrusted = inetcli("talk", "tcp", target, stdin=b"one\n")
    assert (lines.code, lines.out) == (0, "one\ntwo\n")
    assert "* TLSv1.3 " in lines.err
    assert (stream.code, stream.out) == (0, "one\n")
    assert untrusted.code == 60


def test_json_has_a_line_for_each_turn() -> None:
    with stamped() as server:
        rows = inetcli("talk", "udp", "--json", server.url, "-", stdin=b"one\n\xff\n").rows
    assert [set(row) for row in rows] == [{"target", "sent", "received", "rtt_ms"}] * 2
    assert rows[1]["sent"] == {"base64": "/w=="}


@pytest.mark.parametrize(
    ("kind", "fault", "code", "lines"),
    [
        ("tcp", "connect:fin@8", 52, ["[now] a"]),
        ("tcp", "connect:fin@10", 18, ["[now] a", "[n"]),
        ("tcp", "connect:rst@10", 56, ["[now] a"]),
        ("tcp", "connect:silent@10", 28, ["[now] a"]),
        ("tcp", "connect:refuse", 7, []),
        ("tcp", "connect:drip(0)", 0, ["[now] a", "[now] b"]),
    ],
)
def test_failures_print_the_received_part(kind: str, fault: str, code: int, lines: list[str]) -> None:
    with TimeServer(clock=lambda: "now", faults=[fault]) as server:
        limit = "0.5" if code == 28 else "10"
        done = inetcli("talk", kind, "--timeout", limit, server.url, "-", stdin=b"a\nb\n")
    assert (done.code, done.out.splitlines()) == (code, lines), done.err


def test_closed_udp_port_is_unreachable() -> None:
    with stamped() as server:
        port = server.port
    done = inetcli("talk", "udp", "--timeout", "0.5", f"127.0.0.1:{port}", "-", stdin=b"a\n")
    assert done.code in (7, 28)
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["127.0.0.1"], 3),
        (["127.0.0.1", "/nonexistent"], 3),
        (["127.0.0.1:1", "/nonexistent"], 26),
        (["tcp://h", "-"], 3),
        (["postgresql://h/db", "-"], 3),
    ],
)
def test_wrong_usage_and_malformed_targets(arguments: list[str], code: int) -> None:
    assert inetcli("talk", "tcp", *arguments).code == code


@pytest.mark.parametrize(
    ("kind", "scheme"), [("tcp", "http"), ("tcp", "tcp"), ("tcp", "postgresql"), ("udp", "udp"), ("udp", "syslog")]
)
def test_pasted_url_gives_host_and_port(kind: str, scheme: str) -> None:
    with stamped() as server:
        url = f"{scheme}://ada:secret@{server.host}:{server.port}/x?y"
        done = inetcli("talk", kind, "--json", url, "-", stdin=b"a\n")
        assert "secret" not in server.transcript()
    assert (done.code, done.rows[0]["received"]) == (0, "[now] a")
    assert b"secret" not in done.stdout + done.stderr


def test_closed_standard_input_and_no_file_is_wrong_usage() -> None:
    with stamped() as server:
        done = subprocess.run(
            ["sh", "-c", f"exec {sys.executable} -m inetcli talk tcp {server.url} <&-"],
            capture_output=True,
            env=environment(),
            timeout=20,
            check=False,
        )
        assert server.log.events() == []
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"standard input is closed" in done.stderr


def test_wait_until_the_server_is_reachable() -> None:
    """The command starts while the port is refused, and goes on when it is not any more."""
    with stamped() as server:
        with server.down():
            assert inetcli("talk", "tcp", server.url, "-", stdin=b"a\n").code == 7
            child = subprocess.Popen(
                [sys.executable, "-m", "inetcli", "talk", "tcp", "--wait", "20", server.url, "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
            )
        out, _ = child.communicate(b"a\n", timeout=20)
    assert (child.returncode, out) == (0, b"[now] a\n")


def test_a_pipe_needs_no_hyphen() -> None:
    with TimeServer(clock=lambda: "now") as server:
        piped = inetcli("talk", "tcp", server.url, stdin=b"one\n")
        udp = inetcli("talk", "udp", server.url, stdin=b"one\n")
    assert (piped.code, piped.out) == (0, "[now] one\n")
    assert (udp.code, udp.out) == (0, "[now] one\n")


def test_stream_sends_bytes_as_they_are_and_prints_what_comes() -> None:
    data = bytes(range(256)) * 5000
    with TcpEcho() as server:
        done = inetcli("talk", "tcp", "--stream", server.address, stdin=data)
    assert (done.code, done.stdout == data, done.err) == (0, True, "")


def test_stream_reads_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\0b")
    with TcpEcho() as server:
        done = inetcli("talk", "tcp", "--stream", server.address, "in", cwd=tmp_path)
        missing = inetcli("talk", "tcp", "--stream", server.address, "nope", cwd=tmp_path)
    assert (done.code, done.stdout) == (0, b"a\0b")
    assert missing.code == 26


def test_stream_to_a_silent_peer_is_28_and_nothing_is_sent_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        done = inetcli("talk", "tcp", "--stream", "--timeout", "0.2", "--retries", "3", address, stdin=b"one\n")
        with listening.accept()[0] as first:
            assert first.recv(100) == b"one\n"
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert (done.code, done.stdout) == (28, b"")
    assert "silent for 0.2 s (--timeout)" in done.err


@pytest.mark.parametrize("other", ["--json", "--crlf"])
def test_stream_excludes_what_is_for_lines(other: str) -> None:
    done = inetcli("talk", "tcp", "--stream", other, "127.0.0.1:1", "/dev/null")
    assert (done.code, done.out) == (2, "")


class TcpEcho(socketserver.ThreadingTCPServer):
    """Sends back what comes, as it comes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> "TcpEcho":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class EchoHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(1 << 16):
            self.request.sendall(data)
