"""Both ends of connections over loopback, and threads that act for the peer.

A `conftest.py` that wants the fixtures imports them by name.
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
"""A limit that no working test comes near."""


class Background(Protocol):
    """Starts a function on a thread of its own."""

    def __call__(self, function: Callable[..., object], *arguments: object) -> threading.Thread: ...


@dataclass
class Pair:
    """Both ends of a TCP connection: our stream, and the peer's socket."""

    stream: SocketStream
    peer: socket.socket
    events: list[Event] = field(default_factory=list)

    def reset(self) -> None:
        """End the peer's side by RST."""
        reset(self.peer)


class Connect(Protocol):
    """Makes a pair, with other limits than those of the fixture, or with options of `SocketStream`."""

    def __call__(self, limits: WaitLimits | None = None, **options: Any) -> Pair: ...


def address_of(sock: socket.socket) -> Address:
    """The address that a socket is bound to."""
    return Address(sock.family, sock.getsockname())


def reset(sock: socket.socket) -> None:
    """Close a TCP socket by RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    """A cancellation that the test may raise."""
    cancel = Cancel()
    yield cancel
    cancel.close()


@pytest.fixture
def limits(cancel: Cancel) -> WaitLimits:
    """Limits that no working test reaches."""
    return WaitLimits(Deadline(), LONG_S, cancel)


@pytest.fixture
def background() -> Iterator[Background]:
    """Starts functions on threads, which have to end before the test does and must not fail."""
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
    """Closes the sockets that are entered into it."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(sockets: contextlib.ExitStack) -> socket.socket:
    """A TCP socket that listens on a port of loopback."""
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
    """One connection."""
    return connect()
