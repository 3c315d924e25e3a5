"""A port of ours that one known peer connects to: active FTP's data connections (RFC 959 section 3.2).

It listens on the address that the conversation with that peer goes over, on a port of the kernel's choice. Whoever else
connects is turned away: the port can be guessed.
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
    """Listens for the peer of `stream`. Use it in a `with`, or close it."""

    def __init__(self, stream: SocketStream) -> None:
        self._peer = stream.peer
        ours = stream.sock.getsockname()
        try:
            self._sock = socket.socket(stream.peer.family, socket.SOCK_STREAM)
            self._sock.setblocking(False)
            self._sock.bind((ours[0], 0, *ours[2:]))
            self._sock.listen(BACKLOG)
        except OSError as error:
            raise Unreachable(f"{ours[0]}: cannot listen here: {(error.strerror or str(error)).lower()}") from error
        self.address = Address(stream.peer.family, self._sock.getsockname())

    def accept(self, deadline: Deadline, cancel: Cancel) -> tuple[socket.socket, Address]:
        """The connection of the peer. `TimedOut` when the deadline passes first, `Cancelled`."""
        while True:
            if not wait_any({self._sock.fileno(): READ}, deadline, cancel):
                raise deadline.expired()
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
        """Give the port back."""
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
