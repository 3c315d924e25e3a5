"""A TCP relay between a client and an FTP server, which delays all data or cuts data connections.

An FTP server announces the port of each data connection in a reply, which a relay cannot read or change under TLS.
Therefore the relay listens on another loopback address, 127.0.0.2, with the same port numbers that the server is
configured to use for data (`relay.data`). A client that connects to the address of its control connection reaches the
relay.

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
"""The number of data ports: enough for eight clients, each with one more data connection that is closing."""

CHUNK = 1 << 16
PORTS = range(12_000, 32_000)
"""The range for data ports, below the ephemeral ports of Linux, so that no client of another program has them."""

TRIES = 200
LIMIT_S = 10


class Relay:
    """A relay that listens on its data ports from the start, and on `port` after `forward`. Use it in a `with`.

    `delay_s`: the delay of each chunk, in both directions. `cut_at`: the number of bytes from the server after which a
    data connection is closed on both sides.
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
        """Relay a control port of the server. Returns the port of the relay."""
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
            pass  # One side has ended, so the other side is closed, too.
        finally:
            for end in (writer, there):
                if end is not None:
                    end.close()

    async def _pass(
        self, reader: asyncio.StreamReader, sender: socket.socket, writer: asyncio.StreamWriter, cut_at: int | None
    ) -> None:
        """Copy the data of `sender` to `writer`. Each chunk, and the end, is sent `delay_s` after its arrival.

        Many chunks can be delayed at the same time, so that the delay does not limit the throughput.
        """
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
    """Acknowledge received data now and not 40 ms later.

    A delayed acknowledgement adds a delay of its own, because a sender with Nagle's algorithm waits for it before the
    next write; vsftpd does so between 150 and 226.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _bind_range(size: int) -> tuple[range, list[socket.socket]]:
    """Bind consecutive ports that are free on both addresses, because servers can be configured only with a range."""
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
