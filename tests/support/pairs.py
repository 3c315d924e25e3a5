"""Fixtures for both ends of a connection over the loopback interface, and for threads that act as the peer.

A `conftest.py` imports the fixtures by name.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.stream import SocketStream
from inetcli.net.trace import Event, Trace
from inetcli.net.wait import Cancel, WaitLimits

LONG_S = 20.0
"""A time limit in seconds that only a failing test reaches."""


class Background(Protocol):
    """The type of a function that starts another function on a thread."""

    def __call__(self, function: Callable[..., object], *arguments: object) -> threading.Thread: ...


@dataclass
class Pair:
    """Both ends of a TCP connection: the stream under test, and the socket of the peer."""

    stream: SocketStream
    peer: socket.socket
    events: list[Event] = field(default_factory=list)

    def reset(self) -> None:
        """End the connection with RST from the side of the peer."""
        reset(self.peer)


class Connect(Protocol):
    """The type of a function that makes a pair, with optional limits and options of `SocketStream`."""

    def __call__(self, limits: WaitLimits | None = None, **options: Any) -> Pair: ...


def address_of(sock: socket.socket) -> Address:
    """Return the address to which a socket is bound."""
    return Address(sock.family, sock.getsockname())


def reset(sock: socket.socket) -> None:
    """Close a TCP socket by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    """A `Cancel` that the test may set."""
    cancel = Cancel()
    yield cancel
    cancel.close()


@pytest.fixture
def limits(cancel: Cancel) -> WaitLimits:
    """Limits that only a failing test reaches."""
    return WaitLimits(Deadline(), LONG_S, cancel)


@pytest.fixture
def background() -> Iterator[Background]:
    """Starts functions on threads. At the end of the test the threads must have ended without an exception."""
    threads: list[threading.Thread] = []
    failures: list[BaseException] = []

    def start(function: Callable[..., object], *arguments: object) -> threading.Thread:
        def run() -> None:
            try:
                function(*arguments)
            except BaseException as error:
                failures.append(error)
                raise

        thread = threading.Thread(target=run, daemon=True)
        threads.append(thread)
        thread.start()
        return thread

    yield start
    for thread in threads:
        thread.join(LONG_S)
        assert not thread.is_alive()
    assert not failures


@pytest.fixture
def sockets() -> Iterator[contextlib.ExitStack]:
    """An exit stack that closes the sockets of the test."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(sockets: contextlib.ExitStack) -> socket.socket:
    """A TCP socket that listens on a loopback port."""
    return sockets.enter_context(socket.create_server(("127.0.0.1", 0)))


@pytest.fixture
def connect(listener: socket.socket, sockets: contextlib.ExitStack, limits: WaitLimits) -> Connect:
    """Makes connections to the listener."""
    ordinary = limits

    def make(limits: WaitLimits | None = None, **options: Any) -> Pair:
        chosen = limits or ordinary
        sock = sockets.enter_context(socket.create_connection(listener.getsockname()))
        sock.setblocking(False)
        peer = sockets.enter_context(listener.accept()[0])
        peer.settimeout(LONG_S)
        events: list[Event] = []
        trace = Trace(chosen.deadline.clock, events.append)
        return Pair(SocketStream(sock, address_of(listener), chosen, trace, **options), peer, events)

    return make


@pytest.fixture
def pair(connect: Connect) -> Pair:
    """A pair of connected ends."""
    return connect()
