"""The timestamp server: each line, or datagram, comes back with the time in front.

    C> hello
    S> [Sun Nov 22 18:04:11 2026] hello

TCP and UDP on one port, any number of clients at once, IPv4, IPv6 or both (`host="dual"`). The line end of a line is
kept as it came; a datagram has none.
"""

import time
from collections.abc import Callable, Iterable

from mockservers.connection import Connection
from mockservers.core import Server
from mockservers.datagram import Datagram
from mockservers.faultkinds import Armed


class TimeServer(Server):
    """Timestamps over TCP and UDP. `clock` returns the text between the brackets; ctime(3) of now by default."""

    name = "time"
    scheme = "time"
    udp = True

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
        clock: Callable[[], str] = time.ctime,
    ) -> None:
        self._clock = clock
        super().__init__(host=host, port=port, faults=faults)

    async def serve(self, client: Connection) -> None:
        while True:
            line = await client.line()
            if not (await self.trigger(client, *_names(line))).answered:
                await client.send(self._stamp(line) + b"\n")

    async def receive(self, datagram: Datagram) -> None:
        if not (await self.trigger(datagram, *_names(datagram.data))).answered:
            await datagram.send(self._stamp(datagram.data))

    def _stamp(self, line: bytes) -> bytes:
        return f"[{self._clock()}] ".encode() + line


def _names(line: bytes) -> tuple[str, str]:
    """Its first word, and all of it."""
    text = line.decode("utf-8", "replace")
    return text.partition(" ")[0], text
