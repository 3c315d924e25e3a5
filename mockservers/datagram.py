"""One datagram from a client, and the way back: what `Connection` is for TCP.

Of the transport's faults those act that make sense without a connection: `silent`, `delay`, `garbage`.
"""

import asyncio
import socket
from typing import Any, TypeVar

from mockservers.connection import garbage
from mockservers.faultkinds import Delay, Fault, Garbage, Silent
from mockservers.log import UDP, Kind, Log
from mockservers.script import Shot

F = TypeVar("F", bound=Fault)


class Datagram:
    """What came, from whom. `peer` is the address as the socket gives it."""

    number = 0
    channel = UDP

    def __init__(self, data: bytes, peer: Any, sock: socket.socket, log: Log) -> None:
        self.data = data
        self.peer = peer
        self.host = str(sock.getsockname()[0])
        self._sock = sock
        self._log = log
        self._shots: list[Shot] = []

    def arm(self, fault: Shot | Fault) -> None:
        """A fault begins to work on what is sent back."""
        self._shots.append(fault if isinstance(fault, Shot) else Shot(fault, self._log))

    def first(self, kind: type[F]) -> F | None:
        """The fault of that kind that is at work here, to be carried out now by whoever asks; None = there is none."""
        for shot in self._shots:
            if isinstance(shot.fault, kind):
                shot.fire(channel=UDP)
                return shot.fault
        return None

    async def send(self, data: bytes, sock: socket.socket | None = None) -> None:
        """A datagram back, unless a fault has something against it; from another socket, if one is given."""
        if self.first(Silent):
            return
        if delay := self.first(Delay):
            await asyncio.sleep(delay.seconds)
        if noise := self.first(Garbage):
            data = garbage(noise.size)
        self._log.add(Kind.TO_CLIENT, data, channel=UDP)
        try:
            await asyncio.get_running_loop().sock_sendto(sock or self._sock, data, self.peer)
        except (OSError, ValueError):
            pass  # the client is gone, and its system said so; or our socket is
