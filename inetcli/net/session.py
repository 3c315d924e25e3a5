"""One target's stay on the network: its limits, its deadline, its trace, and the one way to a connection.

A command makes one `Network` from the user's options; each target gets a `Session` of it. `Session.open` is how every
protocol connects:

    --wait              all of the following, again and again until the server is there
      --insecure        once with verification; if the certificate is not good, a note, and once without
        look-up, race   resolve, dial, within --connect-timeout; `--connect-to`, `-4` and `-6` have their say
        implicit TLS    the handshake, within the same limit
        greet           the protocol's own first words; STARTTLS is a greeting that returns the upgraded stream
                        on a failure the connection is closed
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

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
"""The protocol's own part of opening a connection: given the session and the stream, returns what is opened. Under
`--insecure` the session is the one whose trust lets the certificate pass."""

NOT_THERE_YET = (Unresolved, Unreachable, TimedOut, EmptyReply, ReceiveFailed)
"""What `--wait` waits out: no name, no connection, no greeting."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of one target, seconds; `min_rate` in bytes per second, 0 = off."""

    connect_s: float = 15.0
    silence_s: float = 30.0
    max_time_s: float | None = None
    wait_s: float = 0.0
    min_rate: int = 16


@dataclass(frozen=True, slots=True)
class Network:
    """How the user wants the network to be used; the same for all targets of a command."""

    timeouts: Timeouts = Timeouts()
    family: int = ANY
    connect_to: tuple[str, int] | None = None
    trust: Trust = field(default_factory=Trust)
    clock: Clock = field(default_factory=SystemClock)
    cancel: Cancel = field(default_factory=Cancel)
    secrets: SecretMasker = field(default_factory=SecretMasker)
    """The passwords of this command, to be masked in composed text."""

    def session(self, listener: Listener | None = None) -> "Session":
        """A session for one target, whose `--max-time` starts now."""
        limit = self.timeouts.max_time_s
        deadline = Deadline(self.clock).within(limit, f"timed out: not done after {limit or 0:g} s (--max-time)")
        return Session(self, deadline, Trace(self.clock, listener), Attempt())


@dataclass(frozen=True, slots=True)
class Session:
    """One target's stay on the network."""

    network: Network
    deadline: Deadline
    trace: Trace
    attempt: Attempt
    tolerated: CertificateProblem | None = None
    """What is wrong with the certificate, where `--insecure` lets it pass."""

    @property
    def timeouts(self) -> Timeouts:
        return self.network.timeouts

    def wait_limits(self, deadline: Deadline | None = None) -> WaitLimits:
        """How long a stream of this session may keep us waiting."""
        return WaitLimits(deadline or self.deadline, self.timeouts.silence_s, self.network.cancel)

    def connect_deadline(self) -> Deadline:
        """The limit for look-up, TCP and TLS together, from now on."""
        seconds = self.timeouts.connect_s
        return self.deadline.within(seconds, f"timed out: not connected after {seconds:g} s (--connect-timeout)")

    def note(self, text: str) -> None:
        """Add something that the user should know though nothing failed to the notes of the result, once."""
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
        """Open a connection and return what `greet` makes of it; see the module for the order of things.

        `server_name` (default: `host`) is sent as SNI and checked. With `TlsMode.EXPLICIT` the handshake is for `greet`
        to start (`start_tls`). `interactive` is for line protocols. `wait` off: `--wait` is the
        caller's, who tries several things. Raises the errors of connecting, of TLS and of
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
        """Put TLS on a connected stream; see `tlsstream.start_tls`. A plain conversation never loads ssl."""
        with self.trace.phase("tls", stream.channel):
            from inetcli.net.tlsstream import start_tls

            return start_tls(self, stream, server_name, deadline=deadline, alpn=alpn, resume_from=resume_from)

    def connect(
        self, host: str, port: int, *, interactive: bool = True, deadline: Deadline | None = None
    ) -> SocketStream:
        """A TCP connection to the host, or to where `--connect-to` says.

        Raises `Unresolved`, `Unreachable`, `TimedOut`. `deadline` is a `connect_deadline()` that goes on to cover the
        TLS handshake.
        """
        deadline = deadline or self.connect_deadline()
        host, port = self.network.connect_to or (host, port)
        with self.trace.phase("resolve"):
            addresses = resolve(host, port, self.network.family, deadline, self.network.cancel)
        return self.connect_address(addresses, deadline=deadline, interactive=interactive)

    def datagrams(self, host: str, port: int) -> Datagrams:
        """A UDP socket to the host, or to where `--connect-to` says: to the first address that has a route.

        Datagrams cannot be raced: nothing tells that one has arrived. Raises `Unresolved`, `Unreachable`, `TimedOut`.
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
        """A TCP connection to one of these addresses: for what has been looked up, or told by the server."""
        deadline = deadline or self.connect_deadline()
        if channel == MAIN:
            self.attempt.tls = None  # what an earlier connection agreed on is not this one's
        with self.trace.phase("connect", channel):
            sock, address = race(addresses, deadline, self.network.cancel)
        self.trace.remark(f"connected to {address}", channel)
        return self._stream(sock, address, channel, interactive=interactive)

    def accept(self, acceptor: Acceptor, *, channel: str = MAIN) -> SocketStream:
        """The TCP connection that the peer makes to us, within the connect limit. `TimedOut`."""
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

    def waiting(self) -> Deadline:
        """The limit of `--wait`, from now on."""
        return Deadline(self.network.clock).within(self.timeouts.wait_s, "")

    def wait_for_server(
        self, attempt: Callable[[], T], until: Deadline | None = None, *, only: type[InetError] | None = None
    ) -> T:
        """Run `attempt`, which connects and reads a greeting where there is one; with `--wait S`, again and again until
        it works or S seconds are over (`until`: a `waiting()` that began earlier). The last failure is the one that
        counts. `only`: the one kind of failure that is waited out."""
        until = until or self.waiting()
        for pause in pauses(*WAIT_S):
            try:
                return attempt()
            except InetError as error:
                passes = isinstance(error, only or NOT_THERE_YET) or (only is None and error.transient)
                if until.passed or not passes:
                    raise
                self.pause(min(pause, until.left() or 0.0), error)
        raise AssertionError("pauses have no end")

    def with_verification(self, connect: Callable[["Session"], T]) -> T:
        """Run `connect`, which opens a TLS connection. With `--insecure`, what is wrong with the certificate is told in
        one note, and `connect` runs once more with a session that lets it pass.

        Two connections, because a handshake that does not verify cannot say what it would have found.
        """
        if not self.network.trust.insecure:
            return connect(self)
        try:
            return connect(self.with_trust(replace(self.network.trust, insecure=False)))
        except CertificateProblem as error:
            self.note(f"--insecure: {error.message}")
            return connect(replace(self, tolerated=error))

    def child(self, listener: Listener | None = None) -> "Session":
        """A session for one of several things that this target is about: within its deadline, with its own trace."""
        return replace(self, trace=Trace(self.network.clock, listener), attempt=Attempt())

    def with_trust(self, trust: Trust) -> "Session":
        """The same session with another trust."""
        return replace(self, network=replace(self.network, trust=trust))

    def pause(self, seconds: float, failure: InetError | None = None) -> None:
        """Wait, unless the deadline passes first or the program is stopped (`Cancelled`).

        The `TimedOut` of the deadline tells of the failure that was to be tried again: it is why nothing came of it.
        """
        wait_any({}, self.deadline.within(seconds, ""), self.network.cancel)
        if not self.deadline.passed:
            return
        over = self.deadline.expired()
        if failure is None:
            raise over
        if isinstance(failure, TimedOut) and over.message in failure.message:
            raise failure
        raise TimedOut(f"{over.message}; the last failure: {failure.message}") from failure


def as_stream(_session: Session, stream: SocketStream) -> SocketStream:
    """The greeting of a protocol in which the server says nothing first."""
    return stream
