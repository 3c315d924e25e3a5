"""Datagrams to one peer: a connected UDP socket.

Connected, so that the kernel drops what comes from other addresses and ports (RFC 5452 section 9.1 counts on that), and
so that a closed port is told: its ICMP message becomes `Unreachable` on the next call.
"""

import socket
from types import TracebackType

from inetcli.errors import ReceiveFailed, SendFailed, Unreachable
from inetcli.net.resolve import Address
from inetcli.net.trace import MAIN, Trace
from inetcli.net.wait import READ, WRITE, WaitLimits

MAX_DATAGRAM = 65535

RECEIVE_BUFFER = 1 << 20
"""Asked of the kernel, which may give less (net.core.rmem_max). Its default of 212992 bytes, with what it counts for
each datagram besides, holds under a hundred replies of 1232 bytes: of a burst of 256 the rest would be dropped."""


class Datagrams:
    """Send and receive whole datagrams. Use it in a `with`, or close it."""

    def __init__(self, peer: Address, limits: WaitLimits, trace: Trace, *, channel: str = MAIN) -> None:
        self.peer = peer
        self.limits = limits
        self._trace = trace
        self._channel = channel
        try:
            self._sock = _connect(peer)
        except OSError as error:  # no route, or no IPv6 in this kernel
            raise Unreachable(f"{peer}: {(error.strerror or str(error)).lower()}") from error

    def __enter__(self) -> "Datagrams":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def fileno(self) -> int:
        """The descriptor, for waits on more than one."""
        return self._sock.fileno()

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()

    def send(self, data: bytes) -> None:
        """One datagram. `Unreachable` when the peer's host has said that nobody listens there, `SendFailed`."""
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
        """The next datagram, waiting for it. `TimedOut`, `Unreachable`, `ReceiveFailed`."""
        while (data := self.poll()) is None:
            self.limits.wait(self._sock.fileno(), READ)
        return data

    def poll(self) -> bytes | None:
        """The next datagram if one is here. `Unreachable`, `ReceiveFailed`."""
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
        return Unreachable(f"{self.peer}: refused: nobody listens on that UDP port")


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
