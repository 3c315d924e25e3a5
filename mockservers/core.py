"""What all servers share: one loop on one thread, listening before the constructor returns, faults, log, and stopping.

    class Echo(Server):
        name = scheme = "echo"
        async def serve(self, client: Connection) -> None:
            while True:
                await client.send(await client.line() + b"\r\n")

The asyncio loop runs on a daemon thread of its own, which begins with the first server and ends with the last. Sockets
are bound and listen in the caller's thread: there is nothing to wait for, and the kernel picks the port. Stopping drops
everything at once, with a bound on how long it may take.
"""

import asyncio
import socket
import threading
import traceback
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from mockservers.connection import Connection, Over
from mockservers.faultkinds import Armed, BadFault, Blackhole, Fault, Refuse, Reply, Rule, parse_fault
from mockservers.log import MAIN, Event, Kind, Log
from mockservers.loop import STOP_S, shared_loop

T = TypeVar("T")

BACKLOG = 128
PORT_TRIES = 50
"""TCP and UDP, or both families, must be free on one port: how many ports are tried."""


class Trigger:
    """`server.on("RETR")`: what is to happen when the trigger comes."""

    def __init__(self, server: "Server", trigger: str, skip: int) -> None:
        self._server = server
        self._trigger = trigger
        self._skip = skip

    def fault(self, fault: Fault, *, times: int | None = None) -> None:
        """Let it go wrong so."""
        self._server.arm(Armed(self._trigger, fault, self._skip, times))

    def reply(self, text: str, *, times: int | None = None) -> None:
        """Answer with this line instead."""
        self.fault(Reply(text), times=times)


class Server:
    """A server that listens as soon as it exists. Use it in a `with`, or call `stop`."""

    name: str = ""
    scheme: str = ""
    tcp: bool = True
    udp: bool = False

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, faults: Iterable[str | Armed] = ()) -> None:
        self.log = Log()
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._problems: list[str] = []
        self._clients: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[socket.socket] = []
        self._datagrams: list[socket.socket] = []
        self._extra: list[socket.socket] = []
        self._numbers = 0
        self._stopped = False
        self._swallowing = False
        self.host = "127.0.0.1" if host == "dual" else host
        self.port = self._bind(host, port)
        try:
            for armed in faults:
                self.arm(parse_fault(armed) if isinstance(armed, str) else armed)
        except BaseException:
            self._close_sockets()
            raise
        self._loop = shared_loop.enter()
        self._call(self._start())

    # What a user of the server sees

    @property
    def url(self) -> str:
        """Scheme, host and port; without credentials and without a slash at the end."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def ca_file(self) -> str | None:
        """The file of the CA to trust, where TLS is spoken."""
        return None

    def env(self) -> dict[str, str]:
        """What a child process needs to find the server: MOCK_FTP_URL, MOCK_FTP_HOST, MOCK_FTP_PORT, ..."""
        prefix = f"MOCK_{self.name.upper()}"
        values = {f"{prefix}_URL": self.url, f"{prefix}_HOST": self.host, f"{prefix}_PORT": str(self.port)}
        if self.ca_file:
            values["MOCK_CA_FILE"] = self.ca_file
        return values

    def on(self, trigger: str, *, skip: int = 0) -> Trigger:
        """What is to happen when `trigger` comes, after it has come `skip` times."""
        return Trigger(self, trigger, skip)

    def arm(self, armed: Armed) -> None:
        """Add a fault. `BadFault` when this server does not know it."""
        if armed.server not in (None, self.name):
            raise BadFault(f"{armed}: this server is {self.name}")
        if armed.fault.server not in ("any", *self.fault_names()):
            raise BadFault(f"{armed}: {self.name} has no fault {armed.fault.name}")
        rule = Rule(armed)
        with self._lock:
            self._rules.append(rule)
        if isinstance(armed.fault, Refuse | Blackhole):
            if armed.trigger != "connect" or armed.times is not None or armed.skip:
                raise BadFault(f"{armed}: the kernel does this: only connect:{armed.fault.name}, always")
            rule.take()
            (self._stop_listening if isinstance(armed.fault, Refuse) else self._swallow)()

    def fault_names(self) -> tuple[str, ...]:
        """The names of servers whose own faults this one has."""
        return (self.name,)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections for a while; the same port afterwards."""
        self._stop_listening()
        try:
            yield
        finally:
            self._call(self._listen_again())

    def wait_for(self, trigger: str, timeout: float = 2.0) -> Event:
        """Wait until a client has said this (the start of a line counts). `TimeoutError` with the transcript."""
        wanted = trigger.encode()
        return self.log.wait_for(
            lambda event: event.kind is Kind.FROM_CLIENT and event.data.upper().startswith(wanted.upper()), timeout
        )

    def transcript(self) -> str:
        """Everything that happened, as lines."""
        return self.log.transcript()

    def problems(self) -> list[str]:
        """What a strict test would fail for: a handler that raised, a fault that never fired."""
        with self._lock:
            idle = [f"fault never fired: {rule.armed}" for rule in self._rules if not rule.fired]
            return [*self._problems, *idle]

    def stop(self) -> None:
        """Drop all clients, give the port back. Bounded, and once is enough."""
        if self._stopped:
            return
        self._stopped = True
        try:
            self._call(self._end())
        finally:
            self._close_sockets()
            shared_loop.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # What a kind of server brings

    async def serve(self, client: Connection) -> None:
        """The conversation with one client."""

    async def answer(self, datagram: bytes) -> bytes | None:
        """The reply to a datagram; None = none."""
        return None

    # What servers use

    def fired(self, *triggers: str) -> list[Fault]:
        """The faults that fire for something that just happened, under any of its names; "*" is every command."""
        names = {trigger.upper() for trigger in triggers}
        with self._lock:
            return [rule.armed.fault for rule in self._rules if rule.armed.trigger.upper() in names and rule.take()]

    async def command(self, client: Connection, *triggers: str) -> bool:
        """Arm the faults of a command. True = a `reply(...)` has answered it."""
        replies = []
        for fault in self.fired(*triggers, "*"):
            if isinstance(fault, Reply):
                replies.append(fault)
                self.log.add(Kind.FAULT, f"{fault} fired", connection=client.number, channel=client.channel)
            else:
                client.arm(fault)
        await client.act()
        for reply in replies[:1]:
            await client.send(reply.text.encode("utf-8", "surrogateescape") + b"\r\n")
        return bool(replies)

    def problem(self, text: str) -> None:
        """Something that a strict test fails for."""
        with self._lock:
            self._problems.append(text)
        self.log.add(Kind.PROBLEM, text)

    def data_listener(self, host: str) -> socket.socket:
        """A listening socket for one more connection of a client; it closes with the server at the latest."""
        sock = _bound(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, host, 0)
        sock.listen(1)
        self._extra = [extra for extra in self._extra if extra.fileno() >= 0] + [sock]
        return sock

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that ends with the server."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def connection(self, sock: socket.socket, channel: str = MAIN) -> Connection:
        """A client that is dropped when the server stops. The faults of `connect`, or of `data`, are armed."""
        if channel == MAIN:
            self._numbers += 1
        client = Connection(sock, self.log, self._numbers, channel)
        self._clients.add(client)
        self.log.add(Kind.OPENED, connection=client.number, channel=channel)
        for fault in self.fired("connect" if channel == MAIN else channel):
            client.arm(fault)
        return client

    def release(self, client: Connection) -> None:
        """The client is gone."""
        self._clients.discard(client)
        self.log.add(Kind.CLOSED, connection=client.number, channel=client.channel)

    # The insides

    def _bind(self, host: str, port: int) -> int:
        for _ in range(PORT_TRIES):
            try:
                return self._bind_once(host, port)
            except OSError:
                for sock in [*self._listeners, *self._datagrams]:
                    sock.close()
                self._listeners, self._datagrams = [], []
                if port or (not self.udp and host != "dual"):
                    raise
        raise OSError(f"no port is free for all of TCP, UDP and both families after {PORT_TRIES} tries")

    def _bind_once(self, host: str, port: int) -> int:
        for address in ("127.0.0.1", "::1") if host == "dual" else (host,):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            if self.tcp:
                sock = _bound(family, socket.SOCK_STREAM, address, port)
                self._listeners.append(sock)
                port = sock.getsockname()[1]
                sock.listen(BACKLOG)
            if self.udp:
                sock = _bound(family, socket.SOCK_DGRAM, address, port)
                self._datagrams.append(sock)
                port = sock.getsockname()[1]
        return port

    def _close_sockets(self) -> None:
        for sock in [*self._listeners, *self._datagrams, *self._extra]:
            sock.close()

    async def _start(self) -> None:
        for listener in [] if self._swallowing else self._listeners:
            self.accept(listener)
        for sock in self._datagrams:
            self.spawn(self._answer(sock))

    def accept(self, listener: socket.socket) -> None:
        """Serve whoever connects. Not by `loop.sock_accept`: that loses a socket when it is cancelled meanwhile."""
        loop = asyncio.get_running_loop()

        def ready() -> None:
            try:
                sock, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                loop.remove_reader(listener)  # it does not listen any more: down, or refusing
                return
            self.spawn(self._serve(self.connection(sock)))

        loop.add_reader(listener, ready)

    async def _serve(self, client: Connection) -> None:
        try:
            await client.act()
            await self.serve(client)
            await client.finish()
        except Over:
            await client.finish()
        except Exception:  # noqa: BLE001 - a mistake in a handler is the test's to see, not to be printed
            self.problem(f"a handler raised: {traceback.format_exc(limit=-2)}")
            client.reset()
        finally:
            client.drop()
            self.release(client)

    async def _answer(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data, peer = await loop.sock_recvfrom(sock, 65535)
            self.log.add(Kind.FROM_CLIENT, data, channel="udp")
            self.spawn(self._reply(sock, peer, data))

    async def _reply(self, sock: socket.socket, peer: Any, data: bytes) -> None:
        try:
            reply = await self.answer(data)
        except Exception:  # noqa: BLE001 - likewise
            self.problem(f"a handler raised: {traceback.format_exc(limit=-2)}")
            return
        if reply is not None:
            self.log.add(Kind.TO_CLIENT, reply, channel="udp")
            await asyncio.get_running_loop().sock_sendto(sock, reply, peer)

    async def _end(self) -> None:
        for listener in self._listeners:
            asyncio.get_running_loop().remove_reader(listener)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S / 2)
        for client in list(self._clients):
            client.drop()

    def _stop_listening(self) -> None:
        """Refuse from now on, and keep the port: a bound socket that does not listen."""
        for listener in self._listeners:
            # Without SO_REUSEADDR on it nobody else can bind the port meanwhile.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            listener.shutdown(socket.SHUT_RDWR)
        self.log.add(Kind.FAULT, "refuse fired")

    async def _listen_again(self) -> None:
        for listener in self._listeners:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.listen(BACKLOG)
            self.accept(listener)

    def _swallow(self) -> None:
        """Let the queue of connections be full: Linux then drops what comes."""
        for listener in self._listeners:
            listener.listen(0)
            filler = socket.socket(listener.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            self._extra.append(filler)
        self._swallowing = True
        self.log.add(Kind.FAULT, "blackhole fired")

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STOP_S)


def _bound(family: int, kind: int, host: str, port: int) -> socket.socket:
    """A bound, non-blocking socket. A port of the kernel's choice is bound twice, the second time by its number: only
    so does it stay ours while we do not listen."""
    sock = socket.socket(family, kind)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    if port == 0 and kind == socket.SOCK_STREAM:
        chosen = sock.getsockname()[1]
        try:
            again = _bound(family, kind, host, chosen)
        finally:
            sock.close()
        return again
    return sock
