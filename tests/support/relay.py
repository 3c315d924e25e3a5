"""A TCP relay between a client and an FTP server: it delays what passes, or cuts a data connection.

An FTP server names the port of each data connection, under TLS where nobody in between can read or change it. So the
relay listens on another loopback address, 127.0.0.2, and on the very ports that the server is told to use for data
(`relay.data`): a client that connects to the address of its control connection comes by here, whatever it was told.

    127.0.0.2:control -> 127.0.0.1:control          127.0.0.2:data port -> 127.0.0.1, the same port
"""

import asyncio
import random
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

ADDRESS = "127.0.0.2"
SERVER = "127.0.0.1"
DATA_PORTS = 16
"""Enough for eight connections, each with one data connection that is just closing."""

CHUNK = 1 << 16
PORTS = range(12_000, 32_000)
"""Below those that Linux gives to clients: no connection of somebody else is in the way."""

TRIES = 200
LIMIT_S = 10


class Relay:
    """Listens on its data ports from the start, and on `port` from `forward(server's port)` on; a context manager.

    `delay_s`: how late each piece arrives, either way. `cut_at`: after so many bytes from the server a data connection
    is closed, towards both.
    """

    def __init__(self, *, delay_s: float = 0.0, cut_at: int | None = None) -> None:
        self.delay_s = delay_s
        self.cut_at = cut_at
        self.port = 0
        self.data, self._listeners = _bind_range(DATA_PORTS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def forward(self, server_port: int) -> int:
        """Relay a control port; the port that takes its place."""
        listener = socket.create_server((ADDRESS, 0))
        self.port = listener.getsockname()[1]
        self._wait(self._listen(listener, server_port, is_data=False))
        return self.port

    def __enter__(self) -> Self:
        self._thread.start()
        for port, listener in zip(self.data, self._listeners, strict=True):
            self._wait(self._listen(listener, port, is_data=True))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wait(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def _wait(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    async def _listen(self, listener: socket.socket, server_port: int, *, is_data: bool) -> None:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._relay(reader, writer, server_port, is_data=is_data))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._servers.append(await asyncio.start_server(accept, sock=listener))

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server_port: int, *, is_data: bool
    ) -> None:
        there = None
        try:
            from_server, there = await asyncio.open_connection(SERVER, server_port)
            ours, its = writer.get_extra_info("socket"), there.get_extra_info("socket")
            up = self._pass(reader, ours, there, None)
            down = self._pass(from_server, its, writer, self.cut_at if is_data else None)
            await asyncio.gather(up, down)
        except (OSError, EOFError):
            pass  # the one end is gone, and so must be the other
        finally:
            for end in (writer, there):
                if end is not None:
                    end.close()

    async def _pass(
        self, reader: asyncio.StreamReader, sender: socket.socket, writer: asyncio.StreamWriter, cut_at: int | None
    ) -> None:
        """What comes from `sender` into `writer`: each piece, and the end, `delay_s` after it came. They are on their
        way all at a time."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await on_the_way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

        delivery = self._loop.create_task(deliver())
        left = cut_at
        try:
            while True:
                data = await reader.read(CHUNK if left is None else min(CHUNK, left))
                _acknowledge(sender)
                on_the_way.put_nowait((self._loop.time() + self.delay_s, data))
                if left is not None:
                    left -= len(data)
                if not data:
                    break
                if left == 0:
                    on_the_way.put_nowait((0.0, b""))
                    await delivery
                    raise EOFError
            await delivery
        finally:
            delivery.cancel()


def _acknowledge(sock: socket.socket) -> None:
    """Acknowledge what has come now, and not 40 ms later for something to go along: a sender may hold the rest back
    until then (Nagle's algorithm; vsftpd its 226 behind the 150), and that is not the delay that is wanted."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _bind_range(size: int) -> tuple[range, list[socket.socket]]:
    """Ports in a row that are free on both addresses, bound on ours: the server's options know ranges only."""
    for _ in range(TRIES):
        first = random.randrange(PORTS.start, PORTS.stop - size)
        bound: list[socket.socket] = []
        try:
            for port in range(first, first + size):
                with socket.create_server((SERVER, port)):
                    bound.append(socket.create_server((ADDRESS, port)))
        except OSError:
            for listener in bound:
                listener.close()
            continue
        return range(first, first + size), bound
    raise OSError(f"no {size} free ports in a row")
