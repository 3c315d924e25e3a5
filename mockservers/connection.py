"""One client of a server: the bytes both ways, TLS, and the one place where transport faults act.

Sockets are used as such (`loop.sock_recv` and friends), with TLS through an `SSLObject` beside them. So every ending is
ours to choose: a FIN without unread input turning it into a reset, a real reset (SO_LINGER 0), a TLS end with or
without close_notify, clear text after TLS.

Byte faults count what goes out on this connection from the moment that they were armed: application bytes, so the
offsets are the same with and without TLS. A fault of `connect` or `data` is at work as long as the connection lives,
one of a command until the next command.
"""

import asyncio
import random
import socket
import ssl

from mockservers import endings
from mockservers.active import Active, ActiveFaults
from mockservers.faultkinds import Cut, Delay, Drip, Fin, Garbage, HalfClose, LongLine, Reply, Rst, Silent, Slice
from mockservers.log import MAIN, Kind, Log, Reason
from mockservers.nntp.deflate import BadInput, Deflate
from mockservers.tls.faults import Truncate
from mockservers.tls.handshake import Tls, choose_context, pause

MAX_LINE = 1 << 16
PIECE = 1 << 16
LINGER_S = 5.0
"""How long a closed connection waits for its client to close, too, before it is dropped."""

SILENT_S = 3600.0
"""How long a silent one does."""


class Over(Exception):
    """The connection is at its end: the client left, or a fault ended it. Handlers let it pass."""


class TooLong(Over):
    """A line is longer than its limit."""


class Connection(ActiveFaults):
    """A client, as a server's handler sees it. Everything here runs on the servers' loop."""

    def __init__(self, sock: socket.socket, log: Log, number: int, channel: str = MAIN) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(log, number, channel)
        self.sock = sock
        self.host, self.port = sock.getsockname()[:2]
        self.tls: ssl.SSLObject | None = None
        """TLS, once it is established."""
        self.context: ssl.SSLContext | None = None
        """Its context: a data connection that shows the same certificate is given this one."""
        self.received = self.sent = 0
        self.reason: Reason | None = None
        """Why it is over, once it is."""
        self._loop = asyncio.get_running_loop()
        self._input = b""
        self._ended = False
        self._finished = False
        self._tls_in = ssl.MemoryBIO()
        self._tls_out = ssl.MemoryBIO()
        self._deflate: Deflate | None = None

    # In

    async def line(self, limit: int = MAX_LINE) -> bytes:
        """The next line without its end (CRLF or LF). `Over` when the client has left, `TooLong` over the limit."""
        return (await self.line_with_end(limit)).removesuffix(b"\n").removesuffix(b"\r")

    async def line_with_end(self, limit: int = MAX_LINE) -> bytes:
        """The next line as it came; otherwise as `line`."""
        while (end := self._input.find(b"\n", 0, limit)) < 0:
            if len(self._input) >= limit:
                raise TooLong
            await self._more()
        line, self._input = self._input[: end + 1], self._input[end + 1 :]
        shown = line.removesuffix(b"\n").removesuffix(b"\r")
        self.log.add(Kind.FROM_CLIENT, shown, connection=self.number, channel=self.channel)
        return line

    async def exact(self, count: int) -> bytes:
        """`count` bytes. `Over` when the client leaves before."""
        while len(self._input) < count:
            await self._more()
        data, self._input = self._input[:count], self._input[count:]
        self._log_upload(data)
        return data

    async def some(self, limit: int = PIECE) -> bytes:
        """What is there, at least a byte; nothing at the client's end."""
        if not self._input and not self._ended:
            try:
                await self._more()
            except Over:
                return b""
        data, self._input = self._input[:limit], self._input[limit:]
        self._log_upload(data)
        return data

    def _log_upload(self, data: bytes) -> None:
        if data:
            self.log.add(Kind.UPLOAD, data, connection=self.number, channel=self.channel)

    # Out

    async def send(self, data: bytes) -> None:
        """All of `data` in one write, unless a fault has something against it."""
        await self.act()
        for delay in self.firing(Delay):
            await asyncio.sleep(delay.seconds)
        if noise := self.first(Garbage):
            data = garbage(noise.size)
        if long := self.first(LongLine):
            data = b"x" * long.size + b"\r\n"
        if reply := self.first(Reply):  # of `connect`: in place of the greeting, and of nothing else
            data = encode_reply(reply.text)
            self.disarm(reply)
        await self._send_cut(data)

    async def _send_cut(self, data: bytes) -> None:
        room = min((cut.at - active.sent for active, cut in self._cuts()), default=None)
        piece = data if room is None else data[:room]
        await self._send_paced(piece)
        for active in self._active:
            active.sent += len(piece)
        await self.act()

    async def _send_paced(self, data: bytes) -> None:
        if data and (drip := self.first(Drip)):
            for byte in data:
                await self._send_raw(bytes([byte]))
                await asyncio.sleep(drip.seconds)
        elif data and (slices := self.first(Slice)):
            for at in range(0, len(data), slices.size):
                await self._send_raw(data[at : at + slices.size])
                await asyncio.sleep(0)
        elif data:
            await self._send_raw(data)

    def _cuts(self) -> list[tuple[Active, Cut]]:
        return [(active, active.fault) for active in self._active if isinstance(active.fault, Cut)]

    async def act(self) -> None:
        """End the conversation if a fault's bytes have gone out. Called when it is armed, and after each write."""
        for active, cut in self._cuts():
            if active.sent < cut.at:
                continue
            active.shot.fire(self.number, self.channel)
            self._over(Reason.FAULT)
            match cut:
                case Rst():
                    await endings.wait_until_sent(self.sock, LINGER_S)
                    self.reset()
                case Fin():
                    endings.shut(self.sock)  # `finish` waits for the client: what is said on another channel need not
                case HalfClose():
                    endings.shut(self.sock)
                    await self._drain(SILENT_S)
                case Silent():
                    await self._drain(SILENT_S)
            raise Over

    async def _send_raw(self, data: bytes) -> None:
        self.log.add(Kind.TO_CLIENT, data, connection=self.number, channel=self.channel)
        self.sent += len(data)
        if self._deflate:
            data = self._deflate.encode(data)
        if self.tls:
            self.tls.write(data)
            data = self._tls_out.read()
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        try:
            await self._loop.sock_sendall(self.sock, data)
        except OSError:
            self._over(Reason.CLIENT_RESET)
            raise Over from None

    # TLS

    async def start_tls(self, tls: Tls | ssl.SSLContext, *, tickets: bool = True) -> None:
        """Be a TLS server from now on. `Over` when the handshake fails: the client has been told by an alert.

        A context is used as it is, unless a TLS fault is at work here. `tickets`: whether the client is given any to
        resume the session with. One that only sends never reads them, and its close is then a reset, which throws
        away what was still on its way (curl/curl#6149, lavv17/lftp#666).
        """
        context = await choose_context(self, tls)
        if context is None:
            raise Over
        given = context.num_tickets
        context.num_tickets = given if tickets else 0
        peer = context.wrap_bio(self._tls_in, self._tls_out, server_side=True)
        context.num_tickets = given
        if self._input:
            self._tls_in.write(self._input)
            self._input = b""
        while True:
            try:
                peer.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush_tls(handshake=True)
                await self._feed_tls()
            except ssl.SSLError as error:
                await self._flush_tls(handshake=True)
                self.log.add(Kind.SECURED, f"no TLS: {error.reason}", connection=self.number, channel=self.channel)
                raise Over from None
        await self._flush_tls(handshake=True)
        self.tls, self.context = peer, context
        cipher = (peer.cipher() or ("",))[0]
        alpn, reused = peer.selected_alpn_protocol(), bool(peer.session_reused)
        self.log.secured(self.number, self.channel, peer.version() or "", cipher, alpn, reused)

    async def await_hello(self) -> None:
        """Wait for the first bytes of a handshake. `Over` when there are none."""
        if not self._input:
            self._take(await self._receive())

    async def write_clear(self, data: bytes) -> None:
        """Bytes past TLS, whether it is established or not."""
        self.log.add(Kind.TO_CLIENT, data, connection=self.number, channel=self.channel)
        await self._write(data)

    async def _feed_tls(self) -> None:
        if data := await self._receive():
            self._tls_in.write(data)
        else:
            self._tls_in.write_eof()

    async def _flush_tls(self, *, handshake: bool = False) -> None:
        if data := self._tls_out.read():
            if handshake:
                await pause(self)
            await self._write(data)

    # The end

    def discard(self) -> bool:
        """Forget what the client has sent already: what comes before a handshake counts for nothing. False: it was
        nothing."""
        had = bool(self._input)
        self._input = b""
        return had

    def compress(self) -> None:
        """Raw DEFLATE both ways from now on (RFC 8054); what has come already is compressed, too."""
        self._deflate = Deflate()
        self._input = self._decoded(self._input)

    async def finish(self) -> None:
        """Close as a good server does: close_notify, FIN, and wait a while for the client to close, too."""
        if self._finished:
            return
        self._over(Reason.SERVER_CLOSED)
        if self.tls and not self.first(Truncate) and self.reason is not Reason.FAULT:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
            try:
                await self._flush_tls()
            except Over:
                pass
        await self._fin()

    def reset(self) -> None:
        """RST at once: SO_LINGER with no time, and close."""
        self._finished = True
        self._forget_waits()
        endings.reset(self.sock)

    def drop(self, reason: Reason = Reason.SERVER_CLOSED) -> None:
        """Close at once."""
        self._over(reason)
        self._finished = True
        self._forget_waits()
        self.sock.close()

    def _over(self, reason: Reason) -> None:
        """The first reason is the reason."""
        self.reason = self.reason or reason

    async def _fin(self) -> None:
        self._finished = True
        endings.shut(self.sock)
        await self._drain(LINGER_S)
        self._forget_waits()
        self.sock.close()

    def _forget_waits(self) -> None:
        """Who still waits for this socket on the loop must not wait for whatever has its number next."""
        if self.sock.fileno() >= 0:
            self._loop.remove_reader(self.sock)
            self._loop.remove_writer(self.sock)

    async def _drain(self, seconds: float) -> None:
        """Take what still comes, until the client's end: unread input would turn the FIN into a reset."""
        try:
            async with asyncio.timeout(seconds):
                while data := await self._loop.sock_recv(self.sock, PIECE):
                    self.received += len(self._deciphered(data))
        except (OSError, TimeoutError):
            pass

    def _deciphered(self, data: bytes) -> bytes:
        """What is in a piece, as far as it can be told."""
        if not self.tls:
            return data
        self._tls_in.write(data)
        plain = b""
        try:
            while piece := self.tls.read(PIECE):
                plain += piece
        except ssl.SSLError:
            pass
        return plain

    async def _more(self) -> None:
        """More input, or `Over`."""
        if self._ended:
            raise Over
        if self.tls is None:
            self._take(await self._receive())
            return
        while True:
            try:
                self._take(self.tls.read(PIECE))
                return
            except ssl.SSLWantReadError:
                await self._feed_tls()
            except ssl.SSLError:
                self._ended = True
                self._over(Reason.CLIENT_CLOSED)
                raise Over from None

    def _take(self, data: bytes) -> None:
        if not data:
            self._ended = True
            self._over(Reason.CLIENT_CLOSED)
            raise Over
        self.received += len(data)
        self._input += self._decoded(data)

    def _decoded(self, data: bytes) -> bytes:
        try:
            return self._deflate.decode(data) if self._deflate else data
        except BadInput:
            raise Over from None

    async def _receive(self) -> bytes:
        try:
            return await self._loop.sock_recv(self.sock, PIECE)
        except OSError:
            self._ended = True
            self._over(Reason.CLIENT_RESET)
            raise Over from None


def garbage(size: int) -> bytes:
    """Noise, the same each time."""
    return random.Random(size).randbytes(size)


def encode_reply(text: str) -> bytes:
    """The text of a `reply(...)`, with a line end."""
    return text.encode("utf-8", "surrogateescape") + b"\r\n"
