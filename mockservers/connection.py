"""One client of a server: the bytes both ways, TLS, and the one place where transport faults act.

Sockets are used as such (`loop.sock_recv` and friends), with TLS through an `SSLObject` beside them. So every ending is
ours to choose: a FIN without unread input turning it into a reset, a real reset (SO_LINGER 0), a TLS end with or
without close_notify, clear text after TLS.

Byte faults count what goes out on this connection from the moment that they were armed: application bytes, so the
offsets are the same with and without TLS.
"""

import asyncio
import random
import socket
import ssl
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from mockservers.faultkinds import (
    Delay,
    Drip,
    Fault,
    Fin,
    Garbage,
    HalfClose,
    LongLine,
    Reply,
    Rst,
    Silent,
    Slice,
)
from mockservers.log import MAIN, Kind, Log

MAX_LINE = 1 << 16
PIECE = 1 << 16
MAX_INFLATED = 16 << 20
"""What one piece of compressed input may become: DEFLATE makes a thousand bytes of one."""
LINGER_S = 5.0
"""How long a closed connection waits for its client to close, too, before it is dropped."""


class Over(Exception):
    """The connection is at its end: the client left, or a fault ended it. Handlers let it pass."""


@dataclass(slots=True)
class _Active:
    """A fault at work on a connection: how many bytes have gone out since it was armed."""

    fault: Fault
    sent: int = 0


class Connection:
    """A client, as a server's handler sees it. Everything here runs on the servers' loop."""

    def __init__(self, sock: socket.socket, log: Log, number: int, channel: str = MAIN) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.log = log
        self.number = number
        self.channel = channel
        self.host, self.port = sock.getsockname()[:2]
        self._loop = asyncio.get_running_loop()
        self._input = b""
        self._ended = False
        self._finished = False
        self._active: list[_Active] = []
        self.tls: ssl.SSLObject | None = None
        self._tls_in = ssl.MemoryBIO()
        self._tls_out = ssl.MemoryBIO()
        self._deflate: Any = None
        self._inflate: Any = None

    def arm(self, fault: Fault) -> None:
        """A fault begins to work on what goes out from now on."""
        self._active.append(_Active(fault))
        self.log.add(Kind.FAULT, f"{fault} fired", connection=self.number, channel=self.channel)

    def faults(self) -> list[Fault]:
        """The faults at work here: for those that only the server itself can carry out."""
        return [active.fault for active in self._active]

    async def line(self, limit: int = MAX_LINE) -> bytes:
        """The next line without its end (CRLF or LF). `Over` when the client has left."""
        while b"\n" not in self._input:
            if len(self._input) > limit:
                raise Over
            await self._more()
        line, _, self._input = self._input.partition(b"\n")
        line = line.removesuffix(b"\r")
        self.log.add(Kind.FROM_CLIENT, line, connection=self.number, channel=self.channel)
        return line

    async def exact(self, count: int) -> bytes:
        """`count` bytes. `Over` when the client leaves before."""
        while len(self._input) < count:
            await self._more()
        data, self._input = self._input[:count], self._input[count:]
        return data

    async def some(self, limit: int = PIECE) -> bytes:
        """What is there, at least a byte; nothing at the client's end."""
        if not self._input and not self._ended:
            try:
                await self._more()
            except Over:
                return b""
        data, self._input = self._input[:limit], self._input[limit:]
        return data

    async def send(self, data: bytes) -> None:
        """All of `data` in one write, unless a fault has something against it."""
        await self.act()
        for active in list(self._active):
            match active.fault:
                case Delay(seconds):
                    await asyncio.sleep(seconds)
                case Garbage(size):
                    data = random.Random(size).randbytes(size)
                case LongLine(size):
                    data = b"x" * size + b"\r\n"
                case Reply(text):
                    data = text.encode("utf-8", "surrogateescape") + b"\r\n"
        await self._send_cut(data)

    async def _send_cut(self, data: bytes) -> None:
        cuts = [active for active in self._active if active.fault.at_bytes]
        room = min((active.fault.at - active.sent for active in cuts), default=None)  # type: ignore[attr-defined]
        piece = data if room is None else data[:room]
        await self._send_paced(piece)
        for active in self._active:
            active.sent += len(piece)
        await self.act()

    async def _send_paced(self, data: bytes) -> None:
        for active in self._active:
            match active.fault:
                case Drip(seconds):
                    for byte in data:
                        await self._send_raw(bytes([byte]))
                        await asyncio.sleep(seconds)
                    return
                case Slice(size):
                    for at in range(0, len(data), max(1, size)):
                        await self._send_raw(data[at : at + max(1, size)])
                        await asyncio.sleep(0)
                    return
        await self._send_raw(data)

    async def act(self) -> None:
        """End the conversation if a fault's bytes have gone out. Called when it is armed, and after each write."""
        for active in self._active:
            fault = active.fault
            if not fault.at_bytes or active.sent < fault.at:  # type: ignore[attr-defined]
                continue
            match fault:
                case Rst():
                    self.reset()
                case Fin():
                    await self._fin()
                case HalfClose():
                    self._shutdown()
                    await self._drain()
                case Silent():
                    await self._drain(LINGER_S * 100)
            raise Over

    async def _send_raw(self, data: bytes) -> None:
        self.log.add(Kind.TO_CLIENT, data, connection=self.number, channel=self.channel)
        if self._deflate:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if self.tls:
            self.tls.write(data)
            data = self._tls_out.read()
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        try:
            await self._loop.sock_sendall(self.sock, data)
        except OSError:
            raise Over from None

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Be a TLS server from now on. `Over` when the handshake fails: the client has been told by an alert."""
        self.tls = context.wrap_bio(self._tls_in, self._tls_out, server_side=True)
        if self._input:
            self._tls_in.write(self._input)
            self._input = b""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush_tls()
                await self._feed_tls()
            except ssl.SSLError as error:
                await self._flush_tls()
                self.tls = None
                self.log.add(Kind.CLOSED, f"TLS: {error.reason}", connection=self.number, channel=self.channel)
                raise Over from None
        await self._flush_tls()

    def discard(self) -> None:
        """Forget what the client has sent already: what comes before a handshake counts for nothing."""
        self._input = b""

    def compress(self) -> None:
        """Raw DEFLATE both ways from now on (RFC 8054); what has come already is compressed, too."""
        self._deflate = zlib.compressobj(wbits=-15)
        self._inflate = zlib.decompressobj(wbits=-15)
        if self._input:
            self._input = self._inflated(self._input)

    async def finish(self) -> None:
        """Close as a good server does: close_notify, FIN, and wait a while for the client to close, too."""
        if self._finished:
            return
        if self.tls:
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
        """RST: SO_LINGER with no time, and close."""
        self._finished = True
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()

    def drop(self) -> None:
        """Close at once: the server stops."""
        self._finished = True
        self.sock.close()

    async def _fin(self) -> None:
        self._finished = True
        self._shutdown()
        await self._drain()
        self.sock.close()

    def _shutdown(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    async def _drain(self, seconds: float = LINGER_S) -> None:
        """Take what still comes, until the client's end: unread input would turn the FIN into a reset."""
        try:
            async with asyncio.timeout(seconds):
                while await self._loop.sock_recv(self.sock, PIECE):
                    pass
        except (OSError, TimeoutError):
            pass

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
                raise Over from None

    def _take(self, data: bytes) -> None:
        if not data:
            self._ended = True
            raise Over
        self._input += self._inflated(data) if self._inflate else data

    def _inflated(self, data: bytes) -> bytes:
        try:
            plain: bytes = self._inflate.decompress(data, MAX_INFLATED)
        except zlib.error:
            raise Over from None
        if self._inflate.unconsumed_tail:
            raise Over
        return plain

    async def _receive(self) -> bytes:
        try:
            return await self._loop.sock_recv(self.sock, PIECE)
        except OSError:
            self._ended = True
            raise Over from None

    async def _feed_tls(self) -> None:
        if data := await self._receive():
            self._tls_in.write(data)
        else:
            self._tls_in.write_eof()

    async def _flush_tls(self) -> None:
        if data := self._tls_out.read():
            await self._write(data)
