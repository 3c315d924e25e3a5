"""Where data connections go: EPSV, PASV, EPRT and PORT (RFC 959 section 4.1.2, RFC 2428), and opening them.

Only ever between the two hosts of the control connection: a passive port takes the client's own address and drops
others, an active one goes to the client's own address and to no privileged port, so that nobody can be bounced at
(RFC 2577). After `EPSV ALL` nothing but EPSV is taken.
"""

import asyncio
import socket
from typing import TYPE_CHECKING

from mockservers.connection import Connection, Over
from mockservers.ftp.faults import BlackholePort, DeadPort, NeverConnects, OtherAddress

if TYPE_CHECKING:
    from mockservers.ftp.server import FtpServer
    from mockservers.ftp.session import Session

DATA_S = 5.0
"""How long the server waits for the client's data connection, or for its own to be taken."""

PRIVILEGED = 1024


class DataPort:
    """The place of a client's next data connection: listening, or somewhere to go, or none."""

    def __init__(self, server: "FtpServer", client: Connection) -> None:
        self._server = server
        self._client = client
        try:
            self.peer = str(client.sock.getpeername()[0])
        except OSError:
            raise Over from None  # gone already
        self._listener: socket.socket | None = None
        self._filler: socket.socket | None = None
        self._came: asyncio.Future[Connection] | None = None
        self._goal: tuple[str, int] | None = None
        self.only_extended = False
        self.never = False
        """A fault: never go to where the client waits."""

    @property
    def known(self) -> bool:
        """Whether there is any way for data to go."""
        return self._came is not None or self._goal is not None

    @property
    def active(self) -> bool:
        """Whether it is the server that connects."""
        return self._goal is not None and not self.never

    def listen(self) -> int:
        """A port for the next data connection, on the control connection's address."""
        self.forget()
        loop = asyncio.get_running_loop()
        self._came = came = loop.create_future()
        self._listener = sock = self._server.data_listener(self._client.host)

        def ready() -> None:
            try:
                accepted, peer = sock.accept()
            except OSError:
                return
            if peer[0] != self.peer:
                accepted.close()  # somebody else was faster: not whom we wait for
                return
            self.close()
            came.set_result(self._server.connection(accepted, "data"))

        loop.add_reader(sock, ready)
        return int(sock.getsockname()[1])

    def deaden(self, *, refuse: bool) -> int:
        """A port where nobody comes through: connections are refused, or come to nothing."""
        self.forget()
        self._came = asyncio.get_running_loop().create_future()
        self._listener = sock = self._server.data_listener(self._client.host)
        if refuse:
            sock.shutdown(socket.SHUT_RDWR)
        else:
            sock.listen(0)
            self._filler = socket.socket(sock.family, socket.SOCK_STREAM)
            self._filler.setblocking(False)
            self._filler.connect_ex(sock.getsockname())
        return int(sock.getsockname()[1])

    def aim(self, host: str, port: int, *, never: bool = False) -> None:
        """Connect there for the next transfer."""
        self.forget()
        self._goal = (host, port)
        self.never = never

    def close(self) -> None:
        """Listen no more."""
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        if self._filler:
            self._filler.close()
            self._filler = None

    def forget(self) -> None:
        """No place any more; one who has come already is sent away."""
        self.close()
        if self._came and self._came.done():
            late = self._came.result()
            late.drop()
            self._server.release(late)
        elif self._came:
            self._came.cancel()
        self._came = None
        self._goal = None
        self.never = False

    async def open(self) -> Connection:
        """The data connection. TimeoutError or OSError when there is none. A place is good for one."""
        try:
            if self.never:
                await asyncio.get_running_loop().create_future()
            async with asyncio.timeout(DATA_S):
                if self._goal:
                    return await self._connect(self._goal)
                assert self._came
                connection = await asyncio.shield(self._came)
                self._came = None
                return connection
        finally:
            self.forget()

    async def _connect(self, goal: tuple[str, int]) -> Connection:
        sock = socket.socket(self._client.sock.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            sock.bind((self._client.host, 0))
            await asyncio.get_running_loop().sock_connect(sock, goal)
        except BaseException:
            sock.close()
            raise
        return self._server.connection(sock, "data")


def _listen(session: "Session") -> int:
    if session.shots.first(DeadPort):
        return session.port.deaden(refuse=True)
    if session.shots.first(BlackholePort):
        return session.port.deaden(refuse=False)
    return session.port.listen()


async def extended_passive(session: "Session", argument: str) -> None:
    """EPSV [1|2|ALL]"""
    ours = "2" if ":" in session.client.host else "1"
    match argument.upper():
        case "ALL":
            session.port.only_extended = True
            await session.say(200, "only EPSV from now on")
        case "" | "1" | "2" if argument in ("", ours):
            port = _listen(session)
            await session.say(229, f"entering extended passive mode (|||{port}|)")
        case "1" | "2":
            await session.say(522, f"that network protocol does not work here, use ({ours})")
        case _:
            await session.say(501, "EPSV takes 1, 2, ALL or nothing")


async def passive(session: "Session", _argument: str) -> None:
    """PASV"""
    if session.port.only_extended:
        await session.say(501, "after EPSV ALL only EPSV")
    elif ":" in session.client.host:
        await session.say(522, "PASV has no IPv6, use EPSV")
    else:
        other = session.shots.first(OtherAddress)
        place = encode_host_port(other.address if other else session.client.host, _listen(session))
        await session.say(227, f"entering passive mode ({place})")


async def extended_port(session: "Session", argument: str) -> None:
    """EPRT |1|192.0.2.1|6275|"""
    mark, *rest = [argument[:1], *argument[1:].split(argument[:1] or "|")]
    ours = "2" if ":" in session.client.host else "1"
    if not mark or len(rest) != 4 or rest[3] or not rest[2].isdecimal():
        await session.say(501, "expected EPRT |PROTOCOL|ADDRESS|PORT|")
    elif rest[0] != ours:
        await session.say(522, f"that network protocol does not work here, use ({ours})")
    else:
        await _aim(session, rest[1], int(rest[2]))


async def port(session: "Session", argument: str) -> None:
    """PORT 192,0,2,1,24,131"""
    numbers = argument.split(",")
    if len(numbers) != 6 or not all(number.strip().isdecimal() and int(number) < 256 for number in numbers):
        await session.say(501, "expected PORT h1,h2,h3,h4,p1,p2")
        return
    values = [int(number) for number in numbers]
    await _aim(session, ".".join(map(str, values[:4])), values[4] << 8 | values[5])


async def _aim(session: "Session", host: str, number: int) -> None:
    if session.port.only_extended:
        await session.say(501, "after EPSV ALL only EPSV")
    elif not _same(host, session.port.peer) or not PRIVILEGED <= number < 65536:
        await session.say(504, "only to your own address, and to no privileged port")
    else:
        session.port.aim(session.port.peer, number, never=bool(session.shots.first(NeverConnects)))
        await session.say(200, "that is where data will go")


def _same(host: str, peer: str) -> bool:
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    try:
        return socket.inet_pton(family, host) == socket.inet_pton(family, peer)
    except OSError:
        return False


def encode_host_port(host: str, number: int) -> str:
    """Address and port as PASV and PORT write them."""
    return f"{host.replace('.', ',')},{number >> 8},{number & 255}"
