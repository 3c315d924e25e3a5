"""What all servers share: listening at once, the log, problems, and what they leave behind: nothing."""

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import pytest
from support.probe import LIMIT_S, connect, everything

import mockservers
from mockservers import FtpServer, NntpServer, Server, TimeServer, TlsServer
from mockservers.connection import Connection
from mockservers.faultkinds import BadFault
from mockservers.log import Closed, Kind, Reason
from mockservers.loop import STOP_S


def stamped(*faults: str, host: str = "127.0.0.1") -> TimeServer:
    return TimeServer(clock=lambda: "now", faults=faults, host=host)


def say(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return client.recv(65536)


def closing(server: Server) -> Closed:
    event = server.wait_for(Kind.CLOSED, LIMIT_S)
    assert isinstance(event, Closed)
    return event


def test_every_public_name_is_there() -> None:
    assert set(mockservers.__all__) == set(mockservers._PLACES)
    for name in mockservers.__all__:
        assert getattr(mockservers, name)


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


def test_nobody_but_this_machine_is_listened_to() -> None:
    with stamped() as server, stamped(host="dual") as dual:
        for one in (server, dual):
            assert one.host == "127.0.0.1"
            with socket.socket() as other:
                other.bind(("127.0.0.2", one.port))  # free: nothing is bound to all addresses


def test_a_transcript_reads_as_the_conversation() -> None:
    with stamped() as server:
        with connect(server) as client:
            say(client, b"hello\r\n")
        closing(server)
        lines = [line.partition(" ")[2] for line in server.transcript().splitlines()]
    assert lines == ["+>", "C> hello", "S> [now] hello\\n", "-> client closed, 7 bytes in, 12 out"]


def test_a_fault_that_never_fired_is_a_problem() -> None:
    with stamped("nobody:rst@3") as server:
        assert server.problems() == ["fault never fired: nobody:rst@3"]


def test_an_expectation_that_is_not_met_is_a_problem() -> None:
    with stamped() as server, connect(server) as client:
        server.expect("ping", times=2)
        say(client, b"ping\n")
        assert server.problems() == ["expected ping 2 times, came 1 times"]
        say(client, b"ping pong\n")
        assert server.problems() == []


class Broken(Server):
    """A handler that raises."""

    name = scheme = "broken"

    async def serve(self, client: Connection) -> None:
        await client.line()
        raise ZeroDivisionError("oops")


def test_a_handler_that_raises_is_a_problem_and_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with Broken() as server:
        with connect(server) as client, pytest.raises(ConnectionResetError):
            say(client, b"x\n")
        server.wait_for(Kind.PROBLEM, LIMIT_S)
        assert closing(server).reason is Reason.RAISED
        (problem,) = server.problems()
    assert "ZeroDivisionError: oops" in problem
    assert capsys.readouterr() == ("", "")


def test_why_a_connection_ended_and_how_much_went_over_it() -> None:
    with FtpServer() as server:
        with connect(server) as client:
            client.recv(100)
            say(client, b"QUIT\r\n")
            assert everything(client.recv) == b""
        assert (closing(server).reason, closing(server).received) == (Reason.SERVER_CLOSED, 6)
    with stamped() as server, connect(server) as client:
        say(client, b"x\n")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert closing(server).reason is Reason.CLIENT_RESET
    with stamped() as server, connect(server) as client:
        say(client, b"x\n")
        server.stop()
        assert (closing(server).reason, closing(server).sent) == (Reason.STOPPED, 8)


def test_a_slow_handler_does_not_keep_others_waiting() -> None:
    with stamped("slow:delay(600)") as server, connect(server) as slow, connect(server) as fast:
        slow.sendall(b"slow\n")
        server.wait_for("slow", LIMIT_S)
        server.wait_for(Kind.FAULT, LIMIT_S)
        assert say(fast, b"fast\n") == b"[now] fast\n"


def test_two_servers_of_a_kind_do_not_know_each_other() -> None:
    with FtpServer({"a": b"1"}) as first, FtpServer({"b": b"2"}) as second:
        assert first.port != second.port
        assert (set(first.files), set(second.files)) == ({"/a"}, {"/b"})
        first.on("USER").reply("530 no")
        with connect(second) as client:
            assert client.recv(100).startswith(b"220")
            assert say(client, b"USER anonymous\r\n").startswith(b"331")
        assert first.log.events() == []


def test_two_tls_servers_do_not_take_each_others_sessions() -> None:
    with TlsServer() as first, TlsServer() as second:
        context = ssl.create_default_context(cafile=first.ca_file)
        session = None
        reused = []
        for server in (first, first, second):
            with (
                connect(server) as plain,
                context.wrap_socket(plain, server_hostname="localhost", session=session) as client,
            ):
                say(client, b"x\n")
                reused.append(client.session_reused)
                session = session or client.session
        assert reused == [False, True, False]


def test_waiting_for_a_line_an_event_and_the_second_of_them() -> None:
    with stamped() as server, connect(server) as client:
        say(client, b"hello there\n")
        assert server.wait_for("HELLO").text == "hello there"
        assert server.wait_for(Kind.OPENED).connection == 1
        assert server.wait_for(lambda event: event.data.startswith(b"[now]")).kind is Kind.TO_CLIENT
        with pytest.raises(TimeoutError, match=r"(?s)not seen within 0\.01 s; what happened:\n.*C> hello"):
            server.wait_for("hello", timeout=0.01, count=2)
        say(client, b"hello again\n")
        assert server.wait_for("hello", count=2).text == "hello again"


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
def test_faults_that_do_not_fit_are_refused_and_nothing_is_left(text: str, why: str) -> None:
    before = threading.active_count()
    with pytest.raises(BadFault, match=why):
        stamped(text)
    assert threading.active_count() == before


def test_env_names_the_server_without_credentials() -> None:
    with NntpServer() as server:
        assert server.env() == {
            "MOCK_NNTP_URL": f"nntp://127.0.0.1:{server.port}",
            "MOCK_NNTP_HOST": "127.0.0.1",
            "MOCK_NNTP_PORT": str(server.port),
            "MOCK_NNTP_USER": "user",
            "MOCK_NNTP_PASSWORD": "password",
        }


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
        with client:
            try:
                assert client.recv(10) == b""
            except ConnectionResetError:
                pass
    with pytest.raises(ConnectionRefusedError):
        connect(server)


STOPS = """
import gc, json, logging, os, socket, threading, time
from mockservers import FtpServer, HttpServer, NntpServer, TimeServer, TlsServer

logging.getLogger("asyncio").setLevel(logging.ERROR)  # what took long is no matter here; what went wrong is

def descriptors():
    return len(os.listdir("/proc/self/fd"))

TlsServer().stop()  # the CA is made once
before, took = (descriptors(), threading.active_count()), []
for kind in (FtpServer, NntpServer, HttpServer, TlsServer, TimeServer) * 6:
    server = kind(faults=["connect:silent@5"] if kind is NntpServer else [])
    clients = [socket.create_connection((server.host, server.port)) for _ in range(50)]
    for number, client in enumerate(clients):
        client.sendall(b"PASS x\\r\\n")
        if kind in (FtpServer, NntpServer, TimeServer):
            client.recv(1)
    began, worked = time.monotonic(), time.process_time()
    server.stop()
    took.append((time.monotonic() - began, time.process_time() - worked))
    for client in clients:
        client.close()
gc.collect()
assert (descriptors(), threading.active_count()) == before, (descriptors(), threading.enumerate())
print(json.dumps(took))
"""


def assert_stopped_at_once(took: list[tuple[float, float]]) -> None:
    """Given wall and processor time of several stops, in seconds, that the best has waited for no limit to pass, and
    has worked for less than 10 ms. A busy machine makes the wall time longer, not the processor's."""
    assert min(wall for wall, _ in took) < STOP_S / 4, took
    assert min(processor for _, processor in took) < 0.010, took


@pytest.mark.parametrize("development", [False, True])
def test_stopping_is_fast_and_leaves_no_thread_no_socket_and_no_task(development: bool) -> None:
    """Under -X dev a socket, a task or a coroutine that is left is a warning, and here a warning is an error."""
    mode = ["-X", "dev"] if development else []
    done = subprocess.run(
        [sys.executable, "-W", "error", *mode, "-c", STOPS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    if not development:  # which makes every task write down where it came from
        took = json.loads(done.stdout)
        for kind in range(5):
            assert_stopped_at_once(took[kind::5])


def test_a_server_is_started_and_stopped_in_a_moment() -> None:
    took = []
    for _ in range(20):
        began, worked = time.monotonic(), time.process_time()
        stamped().stop()
        took.append((time.monotonic() - began, time.process_time() - worked))
    assert_stopped_at_once(took)
