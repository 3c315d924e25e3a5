"""The session of a target: its limits, its deadline, its trace, and `Session.open`, which opens connections.

A command makes one `Network` from the user's options, and each target gets a `Session` from it. Every protocol connects
with `Session.open`, which does these steps, the outer ones around the inner ones:

    --wait              repeat all of the following until the server is ready
      --insecure        connect with verification; if the certificate is invalid, add a note and connect without
        look-up, race   resolve and dial within --connect-timeout, as `--connect-to`, `-4` and `-6` say
        implicit TLS    do the handshake, within the same limit
        greet           read the greeting of the protocol; for STARTTLS, upgrade the stream and return it
                        on a failure, close the connection
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from inetcli.defaults import CONNECT_S, MIN_RATE, SILENCE_S
from inetcli.errors import (
    CertificateProblem,
    EmptyReply,
    InetError,
    ReceiveFailed,
    TimedOut,
    Unreachable,
    Unresolved,
)
from inetcli.net.attempt import Attempt
from inetcli.net.backoff import WAIT_S, pauses
from inetcli.net.clock import Clock, SystemClock
from inetcli.net.datagram import Datagrams
from inetcli.net.deadline import Deadline
from inetcli.net.dial import race
from inetcli.net.listen import Acceptor
from inetcli.net.resolve import ANY, Address, resolve
from inetcli.net.stream import SocketStream
from inetcli.net.trace import MAIN, Listener, Trace
from inetcli.net.trust import TlsMode, Trust
from inetcli.net.wait import Cancel, WaitLimits, wait_any
from inetcli.secret import SecretMasker

if TYPE_CHECKING:
    from inetcli.net.tlsstream import TlsStream

T = TypeVar("T")

Greet = Callable[["Session", SocketStream], T]
"""The protocol's part of opening a connection: a function of the session and the stream that returns the opened client.

With `--insecure` the session is the one whose trust accepts the certificate.
"""

NOT_READY_ERRORS = (Unresolved, Unreachable, TimedOut, EmptyReply, ReceiveFailed)
"""The errors after which `--wait` tries again: no name, no connection, no greeting."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of one target, in seconds. `min_rate` is in bytes per second; 0 = off."""

    connect_s: float = CONNECT_S
    silence_s: float = SILENCE_S
    max_time_s: float | None = None
    wait_s: float = 0.0
    min_rate: int = MIN_RATE


@dataclass(frozen=True, slots=True)
class Network:
    """The network options of a command, which all of its targets share."""

    timeouts: Timeouts = Timeouts()
    family: int = ANY
    connect_to: tuple[str, int] | None = None
    trust: Trust = field(default_factory=Trust)
    clock: Clock = field(default_factory=SystemClock)
    cancel: Cancel = field(default_factory=Cancel)
    secrets: SecretMasker = field(default_factory=SecretMasker)
    """The passwords of this command, which are masked in composed text."""

    def session(self, listener: Listener | None = None) -> "Session":
        """Make the session of one target. Its `--max-time` starts now."""
        limit = self.timeouts.max_time_s
        deadline = Deadline(self.clock).within(limit, f"timed out: not done after {limit or 0:g} s (--max-time)")
        return Session(self, deadline, Trace(self.clock, listener), Attempt())


@dataclass(frozen=True, slots=True)
class Session:
    """The network state of one target: options, deadline, trace and attempt."""

    network: Network
    deadline: Deadline
    trace: Trace
    attempt: Attempt
    tolerated: CertificateProblem | None = None
    """The problem of the certificate that `--insecure` accepts; None = no problem was found."""

    @property
    def timeouts(self) -> Timeouts:
        """The limits of the target."""
        return self.network.timeouts

    def wait_limits(self, deadline: Deadline | None = None) -> WaitLimits:
        """Return the limits for waiting on a stream of this session."""
        return WaitLimits(deadline or self.deadline, self.timeouts.silence_s, self.network.cancel)

    def connect_deadline(self) -> Deadline:
        """Return the limit for name look-up, TCP and TLS together, which starts now."""
        seconds = self.timeouts.connect_s
        return self.deadline.within(seconds, f"timed out: not connected after {seconds:g} s (--connect-timeout)")

    def note(self, text: str) -> None:
        """Add a note to the result and to the trace, unless the same note exists. A note is no failure."""
        if self.attempt.add_note(text):
            self.trace.remark(text)

    def open(
        self,
        host: str,
        port: int,
        *,
        tls: TlsMode = TlsMode.OFF,
        greet: Greet[T],
        server_name: str | None = None,
        alpn: Sequence[str] = (),
        interactive: bool = True,
        wait: bool = True,
    ) -> T:
        """Open a connection and return the result of `greet`. The docstring of the module lists the steps.

        `server_name` (default: `host`) is sent as SNI and compared with the certificate. With `TlsMode.EXPLICIT` the
        function `greet` must start the handshake (`start_tls`). `interactive` is for line protocols. `wait` off:
        the caller does `--wait`, because it tries several connections. Errors: those of connecting, of TLS and of
        `greet`.
        """

        def attempt(session: Session) -> T:
            deadline = session.connect_deadline()
            stream = session.connect(host, port, interactive=interactive, deadline=deadline)
            try:
                if tls is TlsMode.IMPLICIT:
                    stream = session.start_tls(stream, server_name or host, deadline=deadline, alpn=alpn)
                return greet(session, stream)
            except BaseException:
                stream.close()
                raise

        if not wait:
            return self.with_verification(attempt)
        return self.wait_for_server(lambda: self.with_verification(attempt))

    def start_tls(
        self,
        stream: SocketStream,
        server_name: str,
        *,
        deadline: Deadline | None = None,
        alpn: Sequence[str] = (),
        resume_from: SocketStream | None = None,
    ) -> "TlsStream":
        """Start TLS on a connected stream; see `tlsstream.start_tls`. The module ssl is loaded only here."""
        with self.trace.phase("tls", stream.channel):
            from inetcli.net.tlsstream import start_tls

            return start_tls(self, stream, server_name, deadline=deadline, alpn=alpn, resume_from=resume_from)

    def connect(
        self, host: str, port: int, *, interactive: bool = True, deadline: Deadline | None = None
    ) -> SocketStream:
        """Make a TCP connection to the host, or to the address of `--connect-to`.

        Raises `Unresolved`, `Unreachable`, `TimedOut`. `deadline`: a `connect_deadline()` that also covers the TLS
        handshake.
        """
        deadline = deadline or self.connect_deadline()
        host, port = self.network.connect_to or (host, port)
        with self.trace.phase("resolve"):
            addresses = resolve(host, port, self.network.family, deadline, self.network.cancel)
        return self.connect_address(addresses, deadline=deadline, interactive=interactive)

    def datagrams(self, host: str, port: int) -> Datagrams:
        """Open a UDP socket to the first address with a route of the host, or of the address of `--connect-to`.

        Addresses cannot be raced with datagrams, because nothing confirms that one has arrived. Errors: `Unresolved`,
        `Unreachable`, `TimedOut`.
        """
        host, port = self.network.connect_to or (host, port)
        with self.trace.phase("resolve"):
            addresses = resolve(host, port, self.network.family, self.connect_deadline(), self.network.cancel)
        failures: list[str] = []
        for address in addresses:
            try:
                return Datagrams(address, self.wait_limits(), self.trace)
            except Unreachable as error:
                failures.append(error.message)
        raise Unreachable("; ".join(failures))

    def connect_address(
        self,
        addresses: list[Address],
        *,
        channel: str = MAIN,
        interactive: bool = True,
        deadline: Deadline | None = None,
    ) -> SocketStream:
        """Make a TCP connection to one of these addresses, which were looked up or were sent by the server."""
        deadline = deadline or self.connect_deadline()
        if channel == MAIN:
            self.attempt.tls = None  # The TLS facts of an earlier connection do not hold for this one.
        with self.trace.phase("connect", channel):
            sock, address = race(addresses, deadline, self.network.cancel)
        self.trace.remark(f"connected to {address}", channel)
        return self._stream(sock, address, channel, interactive=interactive)

    def accept(self, acceptor: Acceptor, *, channel: str = MAIN) -> SocketStream:
        """Accept the TCP connection of the peer, within the connect limit. Errors: `TimedOut`, `Cancelled`."""
        seconds = self.timeouts.connect_s
        limit = self.deadline.within(seconds, f"timed out: no connection to us after {seconds:g} s (--connect-timeout)")
        with self.trace.phase("connect", channel):
            sock, address = acceptor.accept(limit, self.network.cancel)
        self.trace.remark(f"connected from {address}", channel)
        return self._stream(sock, address, channel, interactive=False)

    def _stream(self, sock: socket.socket, address: Address, channel: str, *, interactive: bool) -> SocketStream:
        return SocketStream(
            sock,
            address,
            self.wait_limits(),
            self.trace,
            channel=channel,
            interactive=interactive,
            min_rate=self.timeouts.min_rate,
        )

    def wait_deadline(self) -> Deadline:
        """Return the limit of `--wait`, which starts now."""
        return Deadline(self.network.clock).within(self.timeouts.wait_s, "")

    def wait_for_server(
        self, attempt: Callable[[], T], until: Deadline | None = None, *, only: type[InetError] | None = None
    ) -> T:
        """Run `attempt`, which connects and reads the greeting. With `--wait S`, repeat for up to S seconds.

        Returns the result of the first successful attempt, or raises the error of the last one.
        `until`: a `wait_deadline()` that started earlier. `only`: the one class of error after which to try again;
        None = `NOT_READY_ERRORS` and transient errors.
        """
        until = until or self.wait_deadline()
        for pause in pauses(*WAIT_S):
            try:
                return attempt()
            except InetError as error:
                may_pass = isinstance(error, only or NOT_READY_ERRORS) or (only is None and error.transient)
                if until.passed or not may_pass:
                    raise
                self.pause(min(pause, until.left() or 0.0), error)
        raise AssertionError("pauses() never ends")

    def with_verification(self, connect: Callable[["Session"], T]) -> T:
        """Run `connect`, which opens a TLS connection, with verification of the certificate. With `--insecure`, add a
        note about an invalid certificate, and run `connect` again with a session that accepts the certificate.

        Two connections are needed, because a handshake without verification does not report the problem.
        """
        if not self.network.trust.insecure:
            return connect(self)
        try:
            return connect(self.with_trust(replace(self.network.trust, insecure=False)))
        except CertificateProblem as error:
            self.note(f"--insecure: {error.message}")
            return connect(replace(self, tolerated=error))

    def child(self, listener: Listener | None = None) -> "Session":
        """Make a session for one part of the target, such as a file, with the same deadline and a trace of its own."""
        return replace(self, trace=Trace(self.network.clock, listener), attempt=Attempt())

    def with_trust(self, trust: Trust) -> "Session":
        """Return the same session with other TLS trust options."""
        return replace(self, network=replace(self.network, trust=trust))

    def pause(self, seconds: float, failure: InetError | None = None) -> None:
        """Wait for so many seconds. Errors: `TimedOut` when the deadline passes first, `Cancelled`.

        `failure`: the error after which another try was to follow. The message of the `TimedOut` contains its message.
        """
        wait_any({}, self.deadline.within(seconds, ""), self.network.cancel)
        if not self.deadline.passed:
            return
        expired = self.deadline.timeout_error()
        if failure is None:
            raise expired
        if isinstance(failure, TimedOut) and expired.message in failure.message:
            raise failure
        raise TimedOut(f"{expired.message}; the last failure: {failure.message}") from failure


def no_greeting(_session: Session, stream: SocketStream) -> SocketStream:
    """Return the stream unchanged: the `greet` of protocols without a greeting."""
    return stream
