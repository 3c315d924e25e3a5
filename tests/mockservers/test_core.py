"""What a plain client sees of each transport fault, and what servers leave behind: nothing."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from mockservers import FtpServer, HttpServer, NntpServer, Server, TimeServer, TlsServer, fault
from mockservers.connection import Connection
from mockservers.faultkinds import BadFault
from mockservers.log import Kind

LIMIT_S = 5.0


def stamped(*faults: str, host: str = "127.0.0.1") -> TimeServer:
    return TimeServer(clock=lambda: "now", faults=faults, host=host)


def connect(server: Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), LIMIT_S)


def say(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(65536)


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "dual"])
def test_a_server_listens_when_its_constructor_returns(host: str) -> None:
    with stamped(host=host) as server:
        for address in ("127.0.0.1", "::1") if host == "dual" else (host,):
            with socket.create_connection((address, server.port), LIMIT_S) as client:
                assert say(client, b"a\n") == b"[now] a\n"
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as peer:
                peer.settimeout(LIMIT_S)
                peer.connect((address, server.port))
                assert say(peer, b"b") == b"[now] b"


def test_a_transcript_reads_as_the_conversation() -> None:
    with stamped() as server:
        with connect(server) as client:
            say(client, b"hello\r\n")
        server.log.wait_for(lambda event: event.kind is Kind.CLOSED, LIMIT_S)
        lines = [line.partition(" ")[2] for line in server.transcript().splitlines()]
    assert lines == ["+>", "C> hello", "S> [now] hello\\n", "-> client closed, 7 bytes in, 12 out"]


def test_fin_after_bytes_is_a_clean_end() -> None:
    with stamped("connect:fin@3") as server, connect(server) as client:
        client.sendall(b"hello\nunread\n")
        assert read_all(client) == b"[no"


def test_fin_before_the_first_byte() -> None:
    with stamped("connect:fin") as server, connect(server) as client:
        assert read_all(client) == b""


def test_rst_after_bytes_is_a_reset() -> None:
    with stamped("connect:rst@3") as server, connect(server) as client:
        client.sendall(b"hello\n")
        with pytest.raises(ConnectionResetError):
            read_all(client)


def test_half_close_still_reads() -> None:
    with stamped("connect:half_close@3") as server, connect(server) as client:
        client.sendall(b"hello\n")
        assert read_all(client) == b"[no"
        client.sendall(b"still here\n" * 1000)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_silent_keeps_the_connection_open() -> None:
    with stamped("connect:silent@3") as server, connect(server) as client:
        assert say(client, b"hello\n") == b"[no"
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)


def test_refuse_and_blackhole() -> None:
    with stamped("connect:refuse") as server, pytest.raises(ConnectionRefusedError):
        connect(server)
    with stamped("connect:blackhole") as server, pytest.raises(TimeoutError):
        socket.create_connection((server.host, server.port), 0.2)


@pytest.mark.parametrize(("text", "reply"), [("slice(2)", b"[now] a\n"), ("drip(0)", b"[now] a\n")])
def test_slow_faults_change_nothing_but_the_pace(text: str, reply: bytes) -> None:
    with stamped(f"connect:{text}") as server, connect(server) as client:
        client.sendall(b"a\n")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == reply
        pieces = [event.data for event in server.log.events(Kind.TO_CLIENT)]
    assert len(pieces) > 1


def test_garbage_is_the_same_each_time_and_a_long_line_is_long() -> None:
    seen = []
    for _ in range(2):
        with stamped("connect:garbage(40)") as server, connect(server) as client:
            seen.append(say(client, b"a\n"))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 40
    with stamped("connect:long_line(100000)") as server, connect(server) as client:
        client.sendall(b"a\n")
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b"x" * 100000 + b"\r\n"


def test_reply_and_delay_on_a_command() -> None:
    with stamped("secret:reply(not for you)", "slow:delay(0.05)") as server, connect(server) as client:
        assert say(client, b"secret\n") == b"not for you\r\n"
        assert say(client, b"plain\n") == b"[now] plain\n"
        assert say(client, b"slow\n") == b"[now] slow\n"


def test_skip_and_times_count_over_all_connections() -> None:
    with stamped() as server:
        server.on("ping", skip=1).reply("pong", times=2)
        replies = []
        for _ in range(4):
            with connect(server) as client:
                replies.append(say(client, b"ping\n"))
        assert server.problems() == []
    assert replies == [b"[now] ping\n", b"pong\r\n", b"pong\r\n", b"[now] ping\n"]


def test_a_fault_that_never_fired_is_a_problem() -> None:
    with stamped("nobody:rst@3") as server:
        assert server.problems() == ["fault never fired: nobody:rst@3"]


def test_a_handler_that_raises_is_a_problem_and_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken(Server):
        name = scheme = "broken"

        async def serve(self, client: Connection) -> None:
            raise ZeroDivisionError("oops")

    with Broken() as server:
        # The reset may come before connect() has even returned.
        with pytest.raises(ConnectionResetError), connect(server) as client:
            read_all(client)
        server.log.wait_for(lambda event: event.kind is Kind.PROBLEM, LIMIT_S)
        (problem,) = server.problems()
    assert "ZeroDivisionError: oops" in problem
    assert capsys.readouterr() == ("", "")


def test_down_refuses_and_the_port_stays() -> None:
    with stamped() as server:
        for _ in range(3):
            with server.down(), pytest.raises(ConnectionRefusedError):
                connect(server)
            with connect(server) as client:
                assert say(client, b"a\n") == b"[now] a\n"
        with server.down(), socket.socket() as intruder, pytest.raises(OSError, match="in use"):
            intruder.bind((server.host, server.port))


def test_stop_with_fifty_clients_leaves_nothing() -> None:
    before = threading.active_count()
    server = stamped()
    clients = [connect(server) for _ in range(50)]
    for client in clients[:25]:
        assert say(client, b"a\n") == b"[now] a\n"
    server.stop()
    server.stop()
    assert threading.active_count() == before
    for client in clients:
        with closing(client):
            try:
                assert client.recv(10) == b""
            except ConnectionResetError:
                pass
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_two_servers_of_a_kind_do_not_know_each_other() -> None:
    with FtpServer({"a": b"1"}) as first, FtpServer({"b": b"2"}) as second:
        assert first.port != second.port
        assert (set(first.files), set(second.files)) == ({"/a"}, {"/b"})
        first.on("USER").reply("530 no")
        with connect(second) as client:
            assert client.recv(100).startswith(b"220")
            assert say(client, b"USER anonymous\r\n").startswith(b"331")


def test_wait_for_says_what_happened_instead() -> None:
    with stamped() as server, connect(server) as client:
        say(client, b"hello\n")
        assert server.wait_for("HELLO").text == "hello"
        with pytest.raises(TimeoutError, match=r"(?s)not seen within 0\.01 s; what happened:\n.*C> hello"):
            server.wait_for("QUIT", timeout=0.01)


def test_a_port_that_is_taken_raises_in_the_callers_thread() -> None:
    with stamped() as server, pytest.raises(OSError, match="in use"):
        TimeServer(port=server.port)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp:RETR:rst", "this server is time"),
        ("connect:expired", "time without TLS has no fault expired"),
        ("*:rcode(SERVFAIL)", "time has no fault rcode"),
        ("connect:refusex2", "always"),
        ("a:refuse", "always"),
    ],
)
def test_faults_that_do_not_fit_are_refused(text: str, why: str) -> None:
    with pytest.raises(BadFault, match=why):
        stamped(text)


def test_env_names_the_server_without_credentials() -> None:
    with NntpServer() as server:
        assert server.env() == {
            "MOCK_NNTP_URL": f"nntp://127.0.0.1:{server.port}",
            "MOCK_NNTP_HOST": "127.0.0.1",
            "MOCK_NNTP_PORT": str(server.port),
            "MOCK_NNTP_USER": "user",
            "MOCK_NNTP_PASSWORD": "password",
        }


@pytest.fixture
def trusting() -> Iterator[ssl.SSLContext]:
    with TlsServer() as server:
        yield ssl.create_default_context(cafile=server.ca_file)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("expired", "certificate has expired"),
        ("not_yet_valid", "not yet valid"),
        ("wrong_host", "mismatch"),
        ("untrusted", "unable to get local issuer"),
        ("plaintext", "(?i)wrong.version|record layer"),
        ("alert", "(?i)handshake.failure"),
        ("fin", "(?i)EOF"),
    ],
)
def test_what_a_plain_client_sees_of_the_tls_faults(text: str, why: str, trusting: ssl.SSLContext) -> None:
    with TlsServer(faults=[f"connect:{text}"]) as server, connect(server) as plain:
        with pytest.raises(ssl.SSLError, match=why):
            trusting.wrap_socket(plain, server_hostname="127.0.0.1")
        assert server.problems() == []


@pytest.mark.parametrize("truncated", [False, True])
def test_truncate_ends_without_close_notify_and_an_honest_end_does_not(
    truncated: bool, trusting: ssl.SSLContext
) -> None:
    class OneLine(TlsServer):
        """Leaves after one line, as `truncate` does, but says so."""

        async def serve(self, client: Connection) -> None:
            await client.start_tls(self.tls)
            await client.send(await client.line() + b"\n")

    with TlsServer(faults=["connect:truncate"]) if truncated else OneLine() as server, connect(server) as plain:
        client = trusting.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
        with client:
            assert say(client, b"x\n") == b"x\n"
            if truncated:
                with pytest.raises(ssl.SSLEOFError):
                    client.recv(10)
            else:
                assert client.recv(10) == b""


def test_https_and_keep_alive(trusting: ssl.SSLContext) -> None:
    with (
        HttpServer(tls=True) as server,
        connect(server) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(65536).endswith(b"Hello from the mock server.\n")


def test_fault_namespace_and_listing() -> None:
    from mockservers import faults
    from mockservers.faulttext import parse_fault

    assert str(fault.rst(at=4096)) == "rst@4096"
    assert "connect:expired" in faults("tls")
    assert "connect:expired" not in faults("ftp")
    for text in faults():
        assert str(parse_fault(text)) == text
    with pytest.raises(AttributeError, match="near ones: rst"):
        fault.rts  # noqa: B018
