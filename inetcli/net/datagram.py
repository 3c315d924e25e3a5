"""Datagrams to and from one peer, over a connected UDP socket.

With a connected socket the kernel drops datagrams from other addresses and ports (a requirement of RFC 5452
section 9.1), and reports a closed port: its ICMP message becomes `Unreachable` on the next call.
"""

import socket
from types import TracebackType

from inetcli.errors import ReceiveFailed, SendFailed, Unreachable
from inetcli.net.resolve import Address
from inetcli.net.trace import MAIN, Trace
from inetcli.net.wait import READ, WRITE, WaitLimits

MAX_DATAGRAM = 65535

RECEIVE_BUFFER = 1 << 20
"""The size in bytes to request for the receive buffer; the kernel may give less (net.core.rmem_max).

The default of 212992 bytes includes the kernel's overhead for each datagram and holds fewer than a hundred replies of
1232 bytes, so that most of a burst of 256 replies would be dropped.
"""


class Datagrams:
    """A UDP socket that sends and receives whole datagrams. Use it in a `with`, or close it."""

    def __init__(self, peer: Address, limits: WaitLimits, trace: Trace, *, channel: str = MAIN) -> None:
        self.peer = peer
        self.limits = limits
        self._trace = trace
        self._channel = channel
        try:
            self._sock = _connect(peer)
        except OSError as error:  # No route, or a kernel without IPv6.
            raise Unreachable(f"{peer}: {(error.strerror or str(error)).lower()}") from error

    def __enter__(self) -> "Datagrams":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def fileno(self) -> int:
        """Return the descriptor, for waits on several descriptors."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def send(self, data: bytes) -> None:
        """Send one datagram. Raises `SendFailed`, or `Unreachable` if the peer's host reported a closed port."""
        while True:
            at = self._trace.now()
            try:
                self._sock.send(data)
                break
            except BlockingIOError:
                self.limits.wait(self._sock.fileno(), WRITE)
            except ConnectionRefusedError as error:
                raise self._closed() from error
            except OSError as error:
                raise SendFailed(f"{self.peer}: {(error.strerror or str(error)).lower()}") from error
        self._trace.sent(self._channel, data, at=at, whole=True)

    def receive(self) -> bytes:
        """Wait for the next datagram and return it. Raises `TimedOut`, `Unreachable`, `ReceiveFailed`."""
        while (data := self.poll()) is None:
            self.limits.wait(self._sock.fileno(), READ)
        return data

    def poll(self) -> bytes | None:
        """Return the next datagram if one has arrived, else None. Raises `Unreachable`, `ReceiveFailed`."""
        try:
            data = self._sock.recv(MAX_DATAGRAM)
        except BlockingIOError:
            return None
        except ConnectionRefusedError as error:
            raise self._closed() from error
        except OSError as error:
            raise ReceiveFailed(f"{self.peer}: {(error.strerror or str(error)).lower()}") from error
        self._trace.received(self._channel, data, whole=True)
        return data

    def _closed(self) -> Unreachable:
        return Unreachable(f"{self.peer}: refused: no program listens on that UDP port")


def _connect(peer: Address) -> socket.socket:
    sock = socket.socket(peer.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.connect(peer.sockaddr)
    except OSError:
        sock.close()
        raise
    return sock
