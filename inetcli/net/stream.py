"""Streams: connections as bytes in order, independent of protocols, and `Stream.read`, which runs every parser.

`Stream.read(parse)` starts a parser and feeds it with received bytes until it returns. No other code connects a parser
with the network. Each call uses the limits of the stream, or its own (`silence_s`, `deadline`).
`SocketStream` is TCP, `tlsstream.TlsStream` adds TLS, and `MemoryStream` plays a server from a list in tests.

Why TCP_QUICKACK: many servers (INN's nnrpd, for example) write a status line and the block after it separately, without
TCP_NODELAY. Their kernel then delays the second segment until the first is acknowledged (Nagle's algorithm), and the
kernel on this side delays that acknowledgement for 40 ms, to send it together with data (delayed ACK). This also
happens on loopback: six exchanges took 219 ms, and 0.6 ms with TCP_QUICKACK. The kernel clears the flag by itself, so
the flag is set again before each read of a line protocol. The flag exists only on Linux; other systems keep the delay.

Errors of the operating system are translated here: a reset is `ReceiveFailed` or `SendFailed`, silence is `TimedOut`.
"""

import errno
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from inetcli.errors import InetError, ReceiveFailed, SendFailed
from inetcli.net.deadline import Deadline
from inetcli.net.rate import LowSpeedGuard
from inetcli.net.resolve import Address
from inetcli.net.trace import MAIN, Trace
from inetcli.net.wait import READ, WRITE, WaitLimits
from inetcli.wire.reader import Parse, Reader, T

if TYPE_CHECKING:
    from inetcli.net.tlsfacts import TlsFacts

SCRATCH = 1 << 16
"""The number of bytes to receive at once for parsers. Transfers use their own, larger buffer (`copy`)."""

CANNOT_SPLICE = (errno.EINVAL, errno.ENOSYS)
"""The errors of splice(2) when it does not support the file, the socket or the system."""

_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class Stream(ABC):
    """The common part of all streams. Subclasses implement `_receive` and `_send`."""

    def __init__(self, channel: str, trace: Trace, min_rate: int = 0) -> None:
        self.channel = channel
        self.trace = trace
        self.reader = Reader()
        self.min_rate = min_rate
        self._scratch = bytearray(SCRATCH)

    def read(self, parse: Parse[T], *, silence_s: float | None = None, deadline: Deadline | None = None) -> T:
        """Run a parser to its end, feeding it with received bytes, and return its result.

        Errors: those of the parser, and those of receiving.
        """
        parser = parse(self.reader)
        guard = LowSpeedGuard(self.min_rate)
        limits = self._limits(silence_s, deadline)
        while True:
            try:
                next(parser)
            except StopIteration as done:
                result: T = done.value
                return result
            self._feed(guard, limits)

    def _feed(self, guard: LowSpeedGuard, limits: WaitLimits | None) -> None:
        with memoryview(self._scratch) as scratch:
            size = self._receive_and_trace(scratch, limits)
            if size:
                guard.count(size, self.instant())
                self.reader.feed(scratch[:size])
            else:
                self.reader.feed_end()

    def receive_into(self, buffer: memoryview) -> int:
        """Receive at least one byte into `buffer`; return the number of bytes, 0 = the peer has ended the stream.

        The reader does not get these bytes and only counts them: empty the reader first (`Reader.take`). Raises
        `ReceiveFailed`, `TimedOut`.
        """
        size = self._receive_and_trace(buffer, None)
        self.reader.pass_by(size)
        return size

    def _receive_and_trace(self, buffer: memoryview, limits: WaitLimits | None) -> int:
        self._check(limits)
        size = self._receive(buffer, limits)
        if size:
            self.trace.received(self.channel, buffer[:size])
        return size

    def send(
        self,
        data: bytes | memoryview,
        shown: bytes | None = None,
        *,
        silence_s: float | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        """Send all of `data`, a request: the bytes received from now on are its reply. Raises `SendFailed`, `TimedOut`.

        `shown` is passed to the trace instead of `data`: the same bytes with the secrets masked.
        """
        limits = self._limits(silence_s, deadline)
        self.reader.request_offset = self.reader.received
        at = self.trace.now()
        with memoryview(data) as rest:
            sent = 0
            while sent < len(data):
                self._check(limits)
                at = self.trace.now()
                sent += self._send(rest[sent:], limits)
        self.trace.sent(self.channel, data if shown is None else shown, at=at)

    def instant(self) -> float:
        """Return the time in monotonic seconds, from the clock of the stream's limits."""
        return 0.0

    def finish_sending(self) -> None:
        """Tell the peer that no more data will be sent; receiving continues."""

    def close(self) -> None:
        """Close the connection. Never waits, never raises."""

    def _limits(self, silence_s: float | None, deadline: Deadline | None) -> WaitLimits | None:
        """Return the limits of one call; None = those of the stream."""
        return None

    def _check(self, limits: WaitLimits | None) -> None:
        """Raise `TimedOut` if the deadline has passed, or `Cancelled`."""

    @abstractmethod
    def _receive(self, buffer: memoryview, limits: WaitLimits | None) -> int:
        """Receive into the buffer. Returns the number of bytes; 0 = the peer will send no more."""

    @abstractmethod
    def _send(self, data: memoryview, limits: WaitLimits | None) -> int:
        """Send some of the data. Returns the number of bytes sent."""


class SocketStream(Stream):
    """A TCP connection on a connected, non-blocking socket.

    `interactive`: a line protocol; the kernel acknowledges received data at once (see the docstring of the module).
    """

    def __init__(
        self,
        sock: socket.socket,
        peer: Address,
        limits: WaitLimits,
        trace: Trace,
        *,
        channel: str = MAIN,
        interactive: bool = True,
        min_rate: int = 0,
    ) -> None:
        super().__init__(channel, trace, min_rate)
        self.sock = sock
        self.peer = peer
        self.limits = limits
        self.facts: TlsFacts | None = None
        """The facts of the TLS handshake; None = no TLS."""
        self._interactive = interactive and _QUICKACK is not None

    @property
    def can_splice(self) -> bool:
        """Whether splice(2) may be used: the bytes on the socket are the bytes of the stream, without TLS."""
        return True

    def splice_into(self, pipe: int, limit: int) -> int | None:
        """Receive up to `limit` bytes with splice(2) into an empty pipe; None = splice(2) does not work here.

        Otherwise like `receive_into`.
        """
        self._check(None)
        while True:
            try:
                size = os.splice(self.sock.fileno(), pipe, limit, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                self.limits.wait(self.sock.fileno(), READ)
            except OSError as error:
                if error.errno in CANNOT_SPLICE:
                    return None
                raise ReceiveFailed(f"{self.peer}: {_error_text(error)}") from error
            else:
                if size:
                    self.trace.received_size(self.channel, size)
                    self.reader.pass_by(size)
                return size

    def instant(self) -> float:
        return self.limits.deadline.clock.monotonic()

    def receive_available(self, buffer: memoryview) -> int | None:
        """Receive into `buffer` without waiting; return how many bytes came, 0 = the peer has ended, None = none yet.

        The bytes go past the reader, as those of `receive_into`. Raises `ReceiveFailed`.
        """
        size = self._receive_available(buffer)
        if size:
            self.trace.received(self.channel, buffer[:size])
            self.reader.pass_by(size)
        return size

    def finish_sending(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise SendFailed(f"{self.peer}: {_error_text(error)}") from error

    def wait_for_end(self, seconds: float) -> None:
        """Receive and drop bytes until the peer ends the stream, for at most `seconds`. Raises only `Cancelled`.

        Closing a socket that contains unread bytes would reset the connection.
        """
        limits = self._limits(None, self.limits.deadline.within(seconds, ""))
        self.reader.drain()
        try:
            with memoryview(self._scratch) as scratch:
                while size := self._receive_and_trace(scratch, limits):
                    self.reader.pass_by(size)
        except InetError:
            pass

    def close(self) -> None:
        self.sock.close()

    def quick_ack(self) -> None:
        """Let the kernel acknowledge the next received data at once."""
        if self._interactive and _QUICKACK is not None:
            try:
                self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            except OSError:
                self._interactive = False  # The socket is not a TCP socket and has no such option.

    def _limits(self, silence_s: float | None, deadline: Deadline | None) -> WaitLimits | None:
        return None if silence_s is None and deadline is None else self.limits.override(silence_s, deadline)

    def _check(self, limits: WaitLimits | None) -> None:
        (limits or self.limits).check()

    def _receive(self, buffer: memoryview, limits: WaitLimits | None) -> int:
        while (size := self._receive_raw(buffer)) is None:
            (limits or self.limits).wait(self.sock.fileno(), READ)
        return size

    def _receive_available(self, buffer: memoryview) -> int | None:
        return self._receive_raw(buffer)

    def _receive_raw(self, buffer: memoryview) -> int | None:
        """Receive the bytes on the socket, below TLS, without waiting; None = none yet."""
        self.quick_ack()
        try:
            return self.sock.recv_into(buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise ReceiveFailed(f"{self.peer}: {_error_text(error)}") from error

    def _send(self, data: memoryview, limits: WaitLimits | None) -> int:
        while True:
            try:
                return self.sock.send(data)
            except BlockingIOError:
                (limits or self.limits).wait(self.sock.fileno(), WRITE)
            except OSError as error:
                raise SendFailed(f"{self.peer}: {_error_text(error)}") from error


class MemoryStream(Stream):
    """A stream with a server played from memory, for tests without a network.

    `steps` are the results of the client's reads: bytes to receive, an error to raise, or a function that gets
    everything sent so far and returns the bytes to receive. After the last step the server ends the stream. `sent` is
    everything that the client sent.
    """

    def __init__(self, *steps: bytes | InetError | Callable[[bytes], bytes], trace: Trace | None = None) -> None:
        super().__init__(MAIN, trace or Trace())
        self._steps = list(steps)
        self.sent = b""
        self.closed = False
        self.finished_sending = False

    @classmethod
    def byte_by_byte(cls, data: Iterable[int]) -> "MemoryStream":
        """Make a server whose bytes arrive one at a time."""
        return cls(*(bytes([byte]) for byte in data))

    def finish_sending(self) -> None:
        self.finished_sending = True

    def close(self) -> None:
        self.closed = True

    def _receive(self, buffer: memoryview, limits: WaitLimits | None) -> int:
        if not self._steps:
            return 0
        step = self._steps.pop(0)
        if isinstance(step, InetError):
            raise step
        data = step(self.sent) if callable(step) else step
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        if size < len(data):
            self._steps.insert(0, data[size:])
        return size

    def _send(self, data: memoryview, limits: WaitLimits | None) -> int:
        self.sent += bytes(data)
        return len(data)


def _error_text(error: OSError) -> str:
    if isinstance(error, ConnectionResetError):
        return "the peer reset the connection"
    if isinstance(error, BrokenPipeError):
        return "the peer closed the connection"
    return f"connection error: {error.strerror or error}"
