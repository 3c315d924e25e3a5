"""A listening port for one known peer: the data connections of active FTP (RFC 959 section 3.2).

The port is on the local address of the connection to that peer, with a number that the kernel chooses. Connections from
other addresses are closed at once, because the port number can be guessed.
"""

import socket
from types import TracebackType
from typing import Self

from inetcli.errors import Unreachable
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.stream import SocketStream
from inetcli.net.wait import READ, Cancel, wait_any

BACKLOG = 4


class Acceptor:
    """A socket that listens for the peer of `stream`. Use it in a `with`, or call `close`. Errors: `Unreachable`."""

    def __init__(self, stream: SocketStream) -> None:
        self._peer = stream.peer
        local = stream.sock.getsockname()
        try:
            self._sock = socket.socket(stream.peer.family, socket.SOCK_STREAM)
            self._sock.setblocking(False)
            self._sock.bind((local[0], 0, *local[2:]))
            self._sock.listen(BACKLOG)
        except OSError as error:
            raise Unreachable(
                f"{local[0]}: cannot listen on this address: {(error.strerror or str(error)).lower()}"
            ) from error
        self.address = Address(stream.peer.family, self._sock.getsockname())

    def accept(self, deadline: Deadline, cancel: Cancel) -> tuple[socket.socket, Address]:
        """Accept the connection of the peer. Errors: `TimedOut` when the deadline passes first, `Cancelled`."""
        while True:
            if not wait_any({self._sock.fileno(): READ}, deadline, cancel):
                raise deadline.timeout_error()
            try:
                sock, sockaddr = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                continue
            address = Address(self._peer.family, sockaddr)
            if address.host == self._peer.host:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock, address
            sock.close()

    def close(self) -> None:
        """Stop listening, and release the port."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
