"""What all servers share: one loop on one thread, listening before the constructor returns, faults, log, and stopping.

    class Echo(Server):
        name = scheme = "echo"
        async def serve(self, client: Connection) -> None:
            while True:
                line = await client.line()
                if not (await self.trigger(client, line.decode())).answered:
                    await client.send(line + b"\r\n")

The asyncio loop runs on a daemon thread of its own, which begins with the first server and ends with the last. Sockets
are bound and listen in the caller's thread: there is nothing to wait for, and the kernel picks the port. Stopping drops
everything at once, with a bound on how long it may take.
"""

import asyncio
import socket
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from mockservers.connection import Connection, Over, encode_reply
from mockservers.datagram import Datagram
from mockservers.families import families_of
from mockservers.faultkinds import KERNEL_KINDS, Armed, BadFault, Fault, Refuse, Reply
from mockservers.faulttext import parse_fault
from mockservers.listening import Listening, bound
from mockservers.log import MAIN, UDP, Event, Kind, Log, Reason
from mockservers.loop import STOP_S, shared_loop
from mockservers.script import EVERYTHING, Script, Shots
from mockservers.tls.handshake import prepare

T = TypeVar("T")

QUIET_ROUNDS = 8
"""From a byte in a socket to an event it takes fewer rounds of the loop."""

SETTLE_ROUNDS = 10_000


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
        self.script = Script(self.log)
        self._lock = threading.Lock()
        self._problems: list[str] = []
        self._clients: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._extra: list[socket.socket] = []
        self._numbers = 0
        self._stopped = False
        self.host = "127.0.0.1" if host == "dual" else host
        self._listening = Listening(host, port, tcp=self.tcp, udp=self.udp)
        self.port = self._listening.port
        try:
            for armed in faults:
                self.arm(parse_fault(armed) if isinstance(armed, str) else armed)
        except BaseException:
            self._listening.close()
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

    def expect(self, trigger: str, times: int | None = None) -> None:
        """Clients are to do this, `times` times (0: never) or at least once; else it is one of the `problems`."""
        self.script.expect(trigger, times)

    def arm(self, armed: Armed) -> None:
        """Add a fault. `BadFault` when this server does not know it."""
        if armed.server not in (None, self.name):
            raise BadFault(f"{armed}: this server is {self.name}")
        families = families_of(self.name, tls=self.ca_file is not None)
        if not set(families) & set(armed.fault.families):
            tls = " without TLS" if armed.fault.families == ("tls",) else ""
            raise BadFault(f"{armed}: {self.name}{tls} has no fault {armed.fault.name}")
        if isinstance(armed.fault, KERNEL_KINDS):
            if armed.trigger != "connect" or armed.times is not None or armed.skip:
                raise BadFault(f"{armed}: the kernel does this: only connect:{armed.fault.name}, always")
            (self._listening.refuse if isinstance(armed.fault, Refuse) else self._listening.swallow)()
        prepare(armed.fault)
        self.script.arm(armed)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections, and datagrams, for a while; the same port afterwards."""
        self._call(self._go_down())
        try:
            yield
        finally:
            self._call(self._come_back())

    def wait_for(self, what: str | Kind | Callable[[Event], bool], timeout: float = 2.0, *, count: int = 1) -> Event:
        """Wait until a client has said this (the start of a line counts), or such an event has happened, or one that
        the function likes; `count` times. `TimeoutError` with the transcript."""
        return self.log.wait_for(_wanted(what), timeout, count)

    def transcript(self) -> str:
        """Everything that happened, as lines."""
        return self.log.transcript()

    def problems(self) -> list[str]:
        """What a strict test would fail for: a handler that raised, an unmet expectation, a fault that never fired.

        What clients have sent by now is looked at before.
        """
        if not self._stopped:
            self._call(self._settle())
        with self._lock:
            return [self.log.mask(text) for text in (*self._problems, *self.script.unmet())]

    def stop(self) -> None:
        """Drop all clients, give the port back. Bounded, and once is enough."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        try:
            self._call(self._end())
        finally:
            self._listening.close()
            for sock in self._extra:
                sock.close()
            shared_loop.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    # What a kind of server brings

    async def serve(self, client: Connection) -> None:
        """The conversation with one client."""

    async def receive(self, datagram: Datagram) -> None:
        """What to do with a datagram: by default one goes back with what `answer` says."""
        reply = await self.answer(datagram.data)
        if reply is not None:
            await datagram.send(reply)

    async def answer(self, datagram: bytes) -> bytes | None:
        """The reply to a datagram; None = none."""
        return None

    # What servers use

    async def trigger(self, client: Connection | Datagram, *names: str) -> Shots:
        """A client did something, under these names from the general to the particular; "*" comes before them.

        The transport's faults are armed on the client, and those of the command before are over; a `reply(...)` has
        gone out when the result is `answered`; the server's own faults are to be asked for. `Over` when a fault ends
        the conversation here.
        """
        shots = self.happened(client, *names)
        shots.arm(client)
        if isinstance(client, Connection):
            await client.act()
        reply = shots.reply
        if reply is not None:
            await client.send(encode_reply(reply))
            shots.answered = True
        return shots

    def happened(self, client: Connection | Datagram, *names: str) -> Shots:
        """As `trigger`, but nothing is armed or sent: where the faults are for another connection, as FTP's data."""
        if isinstance(client, Connection):
            client.next_command()
        return self.script.happened(
            EVERYTHING,
            *names,
            datagram=isinstance(client, Datagram),
            connection=client.number,
            channel=client.channel,
        )

    def problem(self, text: str) -> None:
        """Something that a strict test fails for."""
        with self._lock:
            self._problems.append(text)
        self.log.add(Kind.PROBLEM, text)

    def data_listener(self, host: str) -> socket.socket:
        """A listening socket for one more connection of a client; it closes with the server at the latest."""
        sock = bound(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, host, 0)
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
        place = "connect" if channel == MAIN else channel
        for shot in self.script.shots(place):
            client.arm(shot)
        return client

    def release(self, client: Connection) -> None:
        """The client is gone."""
        if client in self._clients:
            self._clients.discard(client)
            reason = client.reason or Reason.SERVER_CLOSED
            self.log.closed(client.number, client.channel, reason, client.received, client.sent)

    # The insides

    async def _start(self) -> None:
        if not self._listening.swallowing and not self._listening.refusing:
            for listener in self._listening.tcp:
                self.accept(listener)
            self._open_datagrams()

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
        except asyncio.CancelledError:
            client.drop(Reason.STOPPED)
            raise
        except Exception as error:  # noqa: BLE001 - a mistake in a handler is the test's to see, not to be printed
            self.problem(_raised(error))
            client.reason = Reason.RAISED
            client.reset()
        finally:
            client.drop()
            self.release(client)

    def _open_datagrams(self) -> None:
        loop = asyncio.get_running_loop()
        for sock in self._listening.udp:
            loop.add_reader(sock, self._datagram_ready, sock)

    def _datagram_ready(self, sock: socket.socket) -> None:
        try:
            data, peer = sock.recvfrom(65535)
        except OSError:
            return
        self.log.add(Kind.FROM_CLIENT, data, channel=UDP)
        self.spawn(self._receive(Datagram(data, peer, sock, self.log)))

    async def _receive(self, datagram: Datagram) -> None:
        try:
            await self.receive(datagram)
        except Over:
            pass
        except Exception as error:  # noqa: BLE001 - likewise
            self.problem(_raised(error))

    async def _settle(self) -> None:
        """Until nothing more happens: what a client has sent is in our socket, and each round of the loop reads it."""
        quiet, seen = 0, -1
        for _ in range(SETTLE_ROUNDS):
            quiet = quiet + 1 if self.log.count == seen else 0
            if quiet == QUIET_ROUNDS:
                return
            seen = self.log.count
            await asyncio.sleep(0)

    def _close_datagrams(self) -> None:
        for sock in self._listening.udp:
            asyncio.get_running_loop().remove_reader(sock)

    async def _end(self) -> None:
        self._close_datagrams()
        for listener in self._listening.tcp:
            asyncio.get_running_loop().remove_reader(listener)
        tasks = list(self._tasks)
        for client in self._clients:
            client.reason = client.reason or Reason.STOPPED
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S / 2)
        for client in list(self._clients):
            client.drop(Reason.STOPPED)
            self.release(client)

    async def _go_down(self) -> None:
        self._close_datagrams()
        for listener in self._listening.tcp:
            asyncio.get_running_loop().remove_reader(listener)
        self._listening.refuse()
        self.log.fault(Refuse(), None, connection=0, channel=MAIN)

    async def _come_back(self) -> None:
        if not self._stopped:
            self._listening.listen_again()
            await self._start()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STOP_S)


def _raised(error: Exception) -> str:
    """What a handler raised, and where."""
    last = "".join(traceback.format_exception_only(error)).strip()
    return f"a handler raised {last}\n{''.join(traceback.format_tb(error.__traceback__, limit=-2)).rstrip()}"


def _wanted(what: str | Kind | Callable[[Event], bool]) -> Callable[[Event], bool]:
    if isinstance(what, Kind):
        return lambda event: event.kind is what
    if callable(what):
        return what
    start = what.encode("utf-8", "surrogateescape").upper()
    return lambda event: event.kind is Kind.FROM_CLIENT and event.data.upper().startswith(start)
