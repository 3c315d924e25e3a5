import contextlib
import socket

import pytest

from inetcli.errors import SendFailed, TimedOut, Unreachable
from inetcli.net.datagram import Datagrams
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.trace import Event, EventKind, Trace
from inetcli.net.wait import Cancel, Cancelled, WaitLimits


@pytest.fixture
def server(sockets: contextlib.ExitStack) -> socket.socket:
    sock = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(20)
    return sock


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def peer(server: socket.socket, limits: WaitLimits, events: list[Event], sockets: contextlib.ExitStack) -> Datagrams:
    address = Address(socket.AF_INET, server.getsockname())
    return sockets.enter_context(Datagrams(address, limits, Trace(listener=events.append)))


def test_datagrams_keep_their_bounds(peer: Datagrams, server: socket.socket) -> None:
    for data in (b"one", b"", b"x" * 65507):
        peer.send(data)
        got, who = server.recvfrom(70_000)
        assert got == data
        server.sendto(b"re: " + data[:60_000], who)
        assert peer.receive() == b"re: " + data[:60_000]


def test_each_datagram_is_an_event_of_its_own(peer: Datagrams, server: socket.socket, events: list[Event]) -> None:
    peer.send(b"ping")
    server.sendto(b"pong", server.recvfrom(100)[1])
    peer.receive()
    assert [(event.kind, event.data, event.size, event.whole) for event in events] == [
        (EventKind.SENT, b"ping", 4, True),
        (EventKind.RECEIVED, b"pong", 4, True),
    ]


def test_poll_does_not_wait(peer: Datagrams, server: socket.socket) -> None:
    assert peer.poll() is None
    peer.send(b"ping")
    server.sendto(b"", server.recvfrom(100)[1])
    assert peer.poll() == b""
    assert peer.poll() is None


def test_datagrams_from_other_peers_are_dropped(peer: Datagrams, server: socket.socket, sockets) -> None:
    peer.send(b"ping")
    _, who = server.recvfrom(100)
    other = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    other.sendto(b"forged", who)
    server.sendto(b"pong", who)
    assert peer.receive() == b"pong"
    assert peer.poll() is None


def test_closed_port_is_reported_at_the_next_call(peer: Datagrams, server: socket.socket) -> None:
    server.close()
    peer.send(b"ping")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+: refused: no program listens on that UDP port"):
        peer.receive()
    peer.send(b"ping")
    with pytest.raises(Unreachable, match="refused"):
        peer.send(b"ping")


def test_datagram_over_the_size_limit_is_send_failed(peer: Datagrams) -> None:
    with pytest.raises(SendFailed, match="message too long"):
        peer.send(b"x" * 65508)


def test_unreachable_address_is_reported_at_once(limits: WaitLimits) -> None:
    broadcast = Address(socket.AF_INET, ("255.255.255.255", 9))
    with pytest.raises(Unreachable, match=r"255\.255\.255\.255:9: permission denied"):
        Datagrams(broadcast, limits, Trace())


def test_unsupported_address_family_is_unreachable(limits: WaitLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(Unreachable, match=r"\[::1\]:9: address family not supported"):
        Datagrams(Address(socket.AF_INET6, ("::1", 9, 0, 0)), limits, Trace())


def test_silence_times_out(server: socket.socket, cancel: Cancel) -> None:
    address = Address(socket.AF_INET, server.getsockname())
    with Datagrams(address, WaitLimits(Deadline(), 0.01, cancel), Trace()) as peer:
        with pytest.raises(TimedOut, match=r"silent for 0\.01 s \(--timeout\)"):
            peer.receive()
        cancel.set()
        with pytest.raises(Cancelled):
            peer.receive()
