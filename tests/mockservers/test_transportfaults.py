"""The contract of every transport fault: what a socket sees of it, on each server, with and without TLS."""

import socket
import ssl
import time
from collections.abc import Callable

import pytest
from support.foreign import run
from support.probe import LIMIT_S, PROBES, QUERY, Probe, connect, exactly, opened, reply, undated

from mockservers import fault
from mockservers.connection import garbage
from mockservers.core import Server
from mockservers.log import Closed, Kind, Reason
from mockservers.registry import make_server

CUT = 5
SHORT_S = 0.1


def serve(name: str, *faults: str) -> Server:
    clock = {"clock": lambda: "now"} if name == "time" else {}
    server = make_server(name, faults=faults, **clock)
    assert isinstance(server, Server)
    return server


def tell(client: socket.socket, probe: Probe) -> None:
    """What it wants to hear; nothing where the server speaks first: it may have reset the connection by now."""
    if probe.ask:
        client.sendall(probe.ask)


def the_end(client: socket.socket, probe: Probe) -> bool:
    """A clean end; under TLS one that was not announced."""
    if not probe.tls:
        return client.recv(1) == b""
    with pytest.raises(ssl.SSLEOFError):
        client.recv(1)
    return True


def last(server: Server) -> Closed:
    event = server.wait_for(Kind.CLOSED, LIMIT_S)
    assert isinstance(event, Closed)
    return event


def refuse(server: Server, probe: Probe, honest: bytes) -> None:
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def blackhole(server: Server, probe: Probe, honest: bytes) -> None:
    with pytest.raises(TimeoutError):
        connect(server, SHORT_S)


def silent(server: Server, probe: Probe, honest: bytes) -> None:
    with opened(server, probe) as client:
        tell(client, probe)
        assert undated(exactly(client, CUT)) == honest[:CUT]
        client.settimeout(SHORT_S)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert server.log.events(Kind.CLOSED) == []


def delay(server: Server, probe: Probe, honest: bytes) -> None:
    started = time.monotonic()
    assert reply(server, probe) == honest
    assert time.monotonic() - started >= SHORT_S


def drip(server: Server, probe: Probe, honest: bytes) -> None:
    started = time.monotonic()
    assert reply(server, probe) == honest
    assert time.monotonic() - started >= 0.001 * (len(honest) - 1)
    assert {len(event.data) for event in server.log.events(Kind.TO_CLIENT)} == {1}


def pieces(server: Server, probe: Probe, honest: bytes) -> None:
    assert reply(server, probe) == honest
    sizes = [len(event.data) for event in server.log.events(Kind.TO_CLIENT)]
    assert max(sizes) == CUT
    assert len(sizes) > len(honest) // CUT


def fin(server: Server, probe: Probe, honest: bytes) -> None:
    with opened(server, probe) as client:
        client.sendall(probe.ask + b"unread\n")
        assert exactly(client, CUT) == honest[:CUT]
        assert the_end(client, probe)
    assert (last(server).reason, last(server).sent) == (Reason.FAULT, CUT)


def rst(server: Server, probe: Probe, honest: bytes) -> None:
    with opened(server, probe) as client:
        tell(client, probe)
        assert exactly(client, CUT) == honest[:CUT]
        with pytest.raises(ConnectionResetError):
            socket.socket.recv(client, 1)  # past TLS: Python's ssl takes a reset for the end
    assert (last(server).reason, last(server).sent) == (Reason.FAULT, CUT)


def half_close(server: Server, probe: Probe, honest: bytes) -> None:
    more = b"still here\n" * 100
    with opened(server, probe) as client:
        tell(client, probe)
        assert exactly(client, CUT) == honest[:CUT]
        client.sendall(more)
        assert the_end(client, probe)
    closed = last(server)
    assert closed.reason is Reason.FAULT
    assert closed.received == len(probe.ask) + len(more)


def noise(server: Server, probe: Probe, honest: bytes) -> None:
    with opened(server, probe) as client:
        tell(client, probe)
        assert exactly(client, 40) == garbage(40)
        assert garbage(40) != garbage(41)[:40]


def long_line(server: Server, probe: Probe, honest: bytes) -> None:
    with opened(server, probe) as client:
        tell(client, probe)
        assert exactly(client, 100_002) == b"x" * 100_000 + b"\r\n"


Contract = Callable[[Server, Probe, bytes], None]

CONTRACTS: dict[str, tuple[str, Contract]] = {
    "refuse": ("refuse", refuse),
    "blackhole": ("blackhole", blackhole),
    "silent": (f"silent@{CUT}", silent),
    "delay": (f"delay({SHORT_S})", delay),
    "drip": ("drip(0.001)", drip),
    "slice": (f"slice({CUT})", pieces),
    "fin": (f"fin@{CUT}", fin),
    "rst": (f"rst@{CUT}", rst),
    "half_close": (f"half_close@{CUT}", half_close),
    "garbage": ("garbage(40)", noise),
    "long_line": ("long_line(100000)", long_line),
}


@pytest.mark.parametrize("server_name", PROBES)
@pytest.mark.parametrize("fault", CONTRACTS)
def test_what_a_socket_sees(fault: str, server_name: str) -> None:
    text, contract = CONTRACTS[fault]
    probe = PROBES[server_name]
    with serve(server_name) as server:
        honest = reply(server, probe)
    assert len(honest) > CUT
    with serve(server_name, f"connect:{text}") as server:
        contract(server, probe, honest)
        assert server.problems() == []
        (fired,) = server.log.events(Kind.FAULT)
        assert fired.text.startswith(fault)


@pytest.mark.parametrize("server_name", PROBES)
@pytest.mark.parametrize("ending", ["fin", "rst", "silent"])
def test_an_ending_before_the_first_byte(ending: str, server_name: str) -> None:
    with serve(server_name, f"connect:{ending}") as server:
        try:
            with connect(server) as client:
                client.settimeout(SHORT_S if ending == "silent" else LIMIT_S)
                got: object = client.recv(1)
        except OSError as error:
            got = type(error)
        assert got == {"fin": b"", "rst": ConnectionResetError, "silent": TimeoutError}[ending]


def test_a_reset_loses_nothing_that_was_sent_before_it() -> None:
    """More than fits into the buffers between: the reset has to wait for the client."""
    size = 8_000_000
    with serve("http", f"connect:rst@{size}") as server, connect(server) as client:
        client.sendall(b"GET /bytes/9000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(exactly(client, size)) == size
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_fault_of_a_command_is_over_with_the_next() -> None:
    with serve("time") as server, connect(server) as client:
        server.on("slow").fault(fault.slice(size=1))
        for word in (b"slow\n", b"fast\n"):
            client.sendall(word)
            assert exactly(client, 6 + len(word)).endswith(word)
        sizes = [len(event.data) for event in server.log.events(Kind.TO_CLIENT)]
    assert sizes == [1] * 11 + [11]


# Datagrams


def ask(server: Server, data: bytes, timeout: float = LIMIT_S, host: str = "127.0.0.1") -> bytes:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.connect((host, server.port))
        client.send(data)
        return client.recv(65536)


@pytest.mark.parametrize(("server_name", "data"), [("time", b"hello"), ("dns", QUERY)])
def test_what_a_datagram_socket_sees(server_name: str, data: bytes) -> None:
    with serve(server_name) as server:
        honest = undated(ask(server, data))
    with serve(server_name, "*:silentx1") as server:
        with pytest.raises(TimeoutError):
            ask(server, data, SHORT_S)
        assert undated(ask(server, data)) == honest
        assert server.problems() == []
    with serve(server_name, f"*:delay({SHORT_S})") as server:
        started = time.monotonic()
        assert undated(ask(server, data)) == honest
        assert time.monotonic() - started >= SHORT_S
    with serve(server_name, "*:garbage(40)") as server:
        assert ask(server, data) == garbage(40)
    with serve(server_name, "connect:refuse") as server, pytest.raises(ConnectionRefusedError):
        ask(server, data)
    with serve(server_name, "connect:blackhole") as server, pytest.raises(TimeoutError):
        ask(server, data, SHORT_S)


def test_a_fault_that_a_datagram_cannot_have_waits_for_a_connection() -> None:
    with serve("time", "*:rst@3x1") as server:
        assert ask(server, b"hello").endswith(b"hello")
        assert server.problems() == ["fault never fired: *:rst@3x1"]
        with connect(server) as client:
            client.sendall(b"hello\n")
            assert len(exactly(client, 3)) == 3
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert server.problems() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "dual"])
def test_down_refuses_both_and_the_port_stays(host: str) -> None:
    with make_server("time", host=host) as server:  # type: ignore[attr-defined]
        addresses = ("127.0.0.1", "::1") if host == "dual" else (host,)
        for _ in range(3):
            with server.down():
                for address in addresses:
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    with pytest.raises(ConnectionRefusedError):
                        socket.create_connection((address, server.port), LIMIT_S)
                    with pytest.raises(ConnectionRefusedError):
                        ask(server, b"x", host=address)
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        with socket.socket(family, kind) as intruder, pytest.raises(OSError, match="in use"):
                            intruder.bind((address, server.port))
            for address in addresses:
                with socket.create_connection((address, server.port), LIMIT_S) as client:
                    client.sendall(b"back\n")
                    assert client.recv(100).endswith(b"back\n")
                assert ask(server, b"back", host=address).endswith(b"back")


# A client that people use


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("connect:refuse", {7}),
        ("connect:blackhole", {28}),
        ("connect:silent@5", {28}),
        ("connect:delay(0.1)", {0}),
        ("connect:drip(0)", {0}),
        ("connect:slice(3)", {0}),
        ("connect:fin", {52, 35}),  # nothing; under TLS no handshake
        ("GET /bytes/999:fin@500", {18, 56}),  # incomplete; under TLS, with a newer curl, no close_notify
        ("GET /bytes/999:half_close@500", {18, 56}),
        ("GET /bytes/999:rst@500", {56}),
        ("connect:garbage", {1}),  # not HTTP
        ("connect:long_line(200000)", {1, 27, 56}),  # more than it takes; its word for that has changed
    ],
)
@pytest.mark.parametrize("server_name", ["http", "https"])
def test_what_curl_sees(text: str, codes: set[int], server_name: str) -> None:
    with serve(server_name, text) as server:
        trust = ["--cacert", server.ca_file] if server.ca_file else []
        url = server.url.replace("127.0.0.1", "localhost") + "/bytes/999"
        limit = "0.3" if 28 in codes else str(LIMIT_S)
        done = run("curl", "-4", "-sS", "-o", "/dev/null", "-m", limit, *trust, url)
        assert done.code in codes, done.err
        assert server.problems() == []
