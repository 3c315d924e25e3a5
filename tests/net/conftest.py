"""A clock that the test moves, and connections over loopback."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.stream import SocketStream
from inetcli.net.trace import Event, Trace
from inetcli.net.wait import Cancel, WaitLimits

LONG_S = 20.0
"""A limit that no test that works comes near."""


@dataclass
class ManualClock:
    """Stands still until it is told to go on."""

    seconds: float = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def cancel() -> Iterator[Cancel]:
    cancel = Cancel()
    yield cancel
    cancel.close()


@pytest.fixture
def limits(cancel: Cancel) -> WaitLimits:
    return WaitLimits(Deadline(), LONG_S, cancel)


@pytest.fixture
def background() -> Iterator[Callable[..., threading.Thread]]:
    """Starts functions on threads; they have to end before the test does, and must not fail."""
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
    """Closes what is entered into it."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def listener(sockets: contextlib.ExitStack) -> socket.socket:
    """A TCP socket that listens on a port of loopback."""
    return sockets.enter_context(socket.create_server(("127.0.0.1", 0)))


def address_of(sock: socket.socket) -> Address:
    return Address(sock.family, sock.getsockname())


@dataclass
class Pair:
    """Both ends of a TCP connection: the stream of ours, and the peer's socket."""

    stream: SocketStream
    peer: socket.socket
    events: list[Event] = field(default_factory=list)

    def reset(self) -> None:
        """The peer ends the connection by RST."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.peer.close()


@pytest.fixture
def connect(listener: socket.socket, sockets: contextlib.ExitStack, limits: WaitLimits) -> Callable[..., Pair]:
    """Makes connections."""

    def make(limits: WaitLimits = limits, **options: object) -> Pair:
        sock = sockets.enter_context(socket.create_connection(listener.getsockname()))
        sock.setblocking(False)
        peer = sockets.enter_context(listener.accept()[0])
        peer.settimeout(LONG_S)
        events: list[Event] = []
        trace = Trace(limits.deadline.clock, events.append)
        return Pair(SocketStream(sock, address_of(listener), limits, trace, **options), peer, events)

    return make


@pytest.fixture
def pair(connect: Callable[..., Pair]) -> Pair:
    return connect()
