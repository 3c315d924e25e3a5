"""One datagram from a client, and the way back: what `Connection` is for TCP.

Of the transport's faults those act that make sense without a connection: `silent`, `delay`, `garbage`.
"""

import asyncio
import socket
from typing import Any

from mockservers.active import ActiveFaults
from mockservers.connection import garbage
from mockservers.faultkinds import Delay, Garbage, Silent
from mockservers.log import UDP, Kind, Log


class Datagram(ActiveFaults):
    """What came, from whom. `peer` is the address as the socket gives it."""

    def __init__(self, data: bytes, peer: Any, sock: socket.socket, log: Log) -> None:
        super().__init__(log, 0, UDP)
        self.data = data
        self.peer = peer
        self.host = str(sock.getsockname()[0])
        self._sock = sock

    async def send(self, data: bytes, sock: socket.socket | None = None) -> None:
        """A datagram back, unless a fault has something against it; from another socket, if one is given."""
        if self.first(Silent):
            return
        if delay := self.first(Delay):
            await asyncio.sleep(delay.seconds)
        if noise := self.first(Garbage):
            data = garbage(noise.size)
        self.log.add(Kind.TO_CLIENT, data, channel=UDP)
        try:
            await asyncio.get_running_loop().sock_sendto(sock or self._sock, data, self.peer)
        except (OSError, ValueError):
            pass  # the client is gone, and its system said so; or our socket is
