"""The session of a target: connecting, its limits, `--wait`, `--insecure`, and the steps of `Session.open`."""

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from inetcli.errors import (
    CertificateProblem,
    EmptyReply,
    InetError,
    LoginDenied,
    ReceiveFailed,
    Refused,
    TimedOut,
    Unreachable,
    WrongHost,
)
from inetcli.net import session as session_module
from inetcli.net import tlsstream
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import IPV4, Address
from inetcli.net.session import Network, Session, Timeouts, no_greeting
from inetcli.net.stream import SocketStream
from inetcli.net.tlsstream import TlsStream
from inetcli.net.trace import Event, EventKind
from inetcli.net.trust import TlsMode, Trust
from inetcli.net.wait import Cancel, Cancelled
from inetcli.wire.reader import Parser, Reader
from mockservers import TlsServer


def a_line(reader: Reader) -> Parser[bytes]:
    return (yield from reader.line(100))


@pytest.fixture
def make(cancel: Cancel) -> Callable[..., Session]:
    """Makes sessions with these limits and options."""

    def session(listener: Callable[[Event], None] | None = None, **settings: object) -> Session:
        limits = Timeouts(**{name: settings.pop(name) for name in list(settings) if name in Timeouts.__slots__})
        return Network(timeouts=limits, cancel=cancel, **settings).session(listener)

    return session


@pytest.fixture
def unlistening() -> Iterator[socket.socket]:
    """A bound socket whose port refuses connections until the test calls `listen`."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def test_connecting_is_timed_and_traced(make, listener: socket.socket) -> None:
    events: list[Event] = []
    session = make(events.append)
    port = listener.getsockname()[1]
    stream = session.connect("127.0.0.1", port)
    stream.close()
    assert set(session.trace.phases) == {"resolve", "connect"}
    assert [(event.kind, event.data) for event in events] == [
        (EventKind.REMARK, f"connected to 127.0.0.1:{port}".encode())
    ]


def test_a_stream_has_the_limits_of_its_session(make, listener: socket.socket) -> None:
    session = make(silence_s=0.01, min_rate=77)
    stream = session.connect("127.0.0.1", listener.getsockname()[1])
    assert stream.min_rate == 77
    with pytest.raises(TimedOut, match=r"silent for 0\.01 s \(--timeout\)"):
        stream.read(a_line)
    stream.close()


def test_connect_to_replaces_the_address_and_the_name_is_not_looked_up(make, listener: socket.socket) -> None:
    session = make(connect_to=("127.0.0.1", listener.getsockname()[1]))
    stream = session.connect("name.that.is.nowhere.test", 1)
    assert stream.peer.port == listener.getsockname()[1]
    stream.close()


def test_a_refusal_names_the_address(make, unlistening: socket.socket) -> None:
    port = unlistening.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        make().connect("127.0.0.1", port)
    assert caught.value.message == f"127.0.0.1:{port}: refused"


def test_an_unanswered_connection_attempt_names_its_limit(make, unlistening: socket.socket) -> None:
    unlistening.listen(0)
    with socket.create_connection(unlistening.getsockname()):  # This connection fills the backlog.
        with pytest.raises(TimedOut, match=r"not connected after 0\.02 s \(--connect-timeout\).*: no answer"):
            make(connect_s=0.02).connect(*unlistening.getsockname())
        with pytest.raises(TimedOut, match=r"not done after 0\.02 s \(--max-time\).*: no answer"):
            make(max_time_s=0.02).connect(*unlistening.getsockname())


def test_max_time_covers_what_follows_the_connection(make, listener: socket.socket) -> None:
    session = make(max_time_s=0.05)
    stream = session.connect("127.0.0.1", listener.getsockname()[1])
    with pytest.raises(TimedOut, match=r"not done after 0\.05 s \(--max-time\)"):
        stream.read(a_line)
    stream.close()


def test_all_connections_share_max_time(make, clock) -> None:
    session = make(max_time_s=10, clock=clock)
    assert session.connect_deadline().left() == 10
    clock.advance(8)
    assert session.connect_deadline().left() == 2


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the pauses of `--wait` short."""
    monkeypatch.setattr(session_module, "WAIT_S", (0.001, 0.002))


@pytest.mark.usefixtures("quick")
def test_wait_connects_to_a_server_that_starts_later(make, unlistening: socket.socket) -> None:
    session = make(wait_s=20)
    failures: list[str] = []

    def attempt() -> bytes:
        if len(failures) == 2:
            unlistening.listen()
        try:
            stream = session.connect(*unlistening.getsockname())
        except Unreachable as error:
            failures.append(error.kind)
            raise
        peer, _ = unlistening.accept()
        with peer:
            peer.sendall(b"220 there\r\n")
            line = stream.read(a_line)
        stream.close()
        return line

    assert session.wait_for_server(attempt) == b"220 there"
    assert failures == ["unreachable"] * 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", [Unreachable("no"), TimedOut("no"), ReceiveFailed("no")])
def test_wait_gives_up_with_the_last_failure(make, failure: InetError) -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise failure

    with pytest.raises(InetError) as caught:
        make(wait_s=0.02).wait_for_server(attempt)
    assert caught.value is failure
    assert len(attempts) > 1


def test_without_wait_there_is_one_attempt(make) -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise Unreachable("no")

    with pytest.raises(Unreachable):
        make().wait_for_server(attempt)
    assert attempts == [1]


def test_wait_does_not_repeat_a_permanent_failure(make) -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise LoginDenied("no")

    with pytest.raises(LoginDenied):
        make(wait_s=20).wait_for_server(attempt)
    assert attempts == [1]


@pytest.mark.usefixtures("quick")
def test_wait_repeats_after_a_transient_refusal(make) -> None:
    busy = Refused("421")
    busy.transient = True
    outcomes: list[InetError | str] = [busy, "in"]

    def attempt() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, str):
            return outcome
        raise outcome

    assert make(wait_s=20).wait_for_server(attempt) == "in"


@pytest.mark.usefixtures("quick")
def test_wait_ends_with_max_time(make) -> None:
    def attempt() -> None:
        raise Unreachable("h:1: refused")

    with pytest.raises(TimedOut) as caught:
        make(wait_s=20, max_time_s=0.02).wait_for_server(attempt)
    assert caught.value.message == ("timed out: not done after 0.02 s (--max-time); the last failure: h:1: refused")


def test_wait_and_max_time_of_the_same_length_are_max_time(make, clock) -> None:
    def attempt() -> None:
        clock.advance(5)
        raise Unreachable("h:1: refused")

    with pytest.raises(TimedOut, match="the last failure: h:1: refused"):
        make(wait_s=6, max_time_s=5, clock=clock).wait_for_server(attempt)


def test_an_attempt_that_max_time_ended_has_its_message_once(make, clock) -> None:
    session = make(wait_s=6, max_time_s=5, clock=clock)

    def attempt() -> None:
        clock.advance(5)
        raise TimedOut(f"{session.deadline.reason}: h:1: no answer")

    with pytest.raises(TimedOut) as caught:
        session.wait_for_server(attempt)
    assert caught.value.message == "timed out: not done after 5 s (--max-time): h:1: no answer"


def test_a_wait_deadline_that_started_earlier_ends_earlier(make, clock) -> None:
    session = make(wait_s=6, clock=clock)
    until, attempts = session.wait_deadline(), []

    def attempt() -> None:
        attempts.append(1)
        raise Unreachable("no")

    clock.advance(6)
    with pytest.raises(Unreachable):
        session.wait_for_server(attempt, until)
    assert attempts == [1]


def test_the_last_pause_is_no_longer_than_the_rest_of_wait(make, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def pause(session: Session, seconds: float, failure: InetError) -> None:
        pauses.append(seconds)
        clock.advance(seconds)

    def attempt() -> None:
        raise Unreachable("no")

    monkeypatch.setattr(Session, "pause", pause)
    monkeypatch.setattr(session_module, "WAIT_S", (4, 8))
    with pytest.raises(Unreachable):
        make(wait_s=6, clock=clock).wait_for_server(attempt)
    assert pauses == [4, 2]


def test_insecure_adds_a_note_and_connects_again(make) -> None:
    session = make(trust=Trust(insecure=True))
    tried: list[bool] = []

    def connect(trusting: Session) -> str:
        tried.append(trusting.network.trust.insecure)
        assert trusting.trace is session.trace
        if not trusting.network.trust.insecure:
            raise WrongHost("a.test: the certificate is for b.test")
        return "in"

    assert session.with_verification(connect) == "in"
    assert tried == [False, True]
    assert session.attempt.notes == ["--insecure: a.test: the certificate is for b.test"]


def test_insecure_adds_no_note_for_a_valid_certificate(make) -> None:
    session = make(trust=Trust(insecure=True))
    tried: list[bool] = []
    session.with_verification(lambda trusting: tried.append(trusting.network.trust.insecure))
    assert tried == [False]
    assert session.attempt.notes == []


def test_insecure_accepts_no_other_failure(make) -> None:
    tried: list[bool] = []

    def connect(trusting: Session) -> None:
        tried.append(trusting.network.trust.insecure)
        raise Unreachable("no")

    with pytest.raises(Unreachable):
        make(trust=Trust(insecure=True)).with_verification(connect)
    assert tried == [False]


def test_without_insecure_an_invalid_certificate_is_an_error(make) -> None:
    tried: list[bool] = []

    def connect(trusting: Session) -> None:
        tried.append(trusting.network.trust.insecure)
        raise WrongHost("no")

    with pytest.raises(WrongHost):
        make().with_verification(connect)
    assert tried == [False]


def test_a_pause_ends_by_itself_with_max_time_or_when_cancelled(make, cancel: Cancel) -> None:
    make().pause(0.001)
    with pytest.raises(TimedOut, match="--max-time"):
        make(max_time_s=0.01).pause(20)
    cancel.set()
    with pytest.raises(Cancelled):
        make().pause(20)


def test_datagrams_go_to_the_first_address_that_has_a_route(make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        no_route = Address(IPV4, ("255.255.255.255", 9))
        there = Address(IPV4, server.getsockname())
        monkeypatch.setattr(session_module, "resolve", lambda *_: [no_route, there])
        session = make()
        with session.datagrams("two.test", 9) as peer:
            assert peer.peer == there
            peer.send(b"ping")
            assert server.recv(100) == b"ping"
        assert set(session.trace.phases) == {"resolve"}
        monkeypatch.setattr(session_module, "resolve", lambda *_: [no_route, no_route])
        with pytest.raises(Unreachable) as caught:
            make().datagrams("two.test", 9)
        assert caught.value.message == "; ".join(["255.255.255.255:9: permission denied"] * 2)


def test_datagrams_go_to_the_address_of_connect_to(make) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        with make(connect_to=server.getsockname()).datagrams("nowhere.test", 1) as peer:
            assert peer.peer.sockaddr == server.getsockname()


# Session.open: look-up, race, implicit TLS and greet; --insecure around them, and --wait around all.


@pytest.fixture
def tls_server() -> Iterator[TlsServer]:
    with TlsServer() as server:
        yield server


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_open_returns_the_result_of_greet_on_a_connected_stream(make, listener: socket.socket) -> None:
    session = make()
    port = listener.getsockname()[1]

    def greet(given: Session, stream: SocketStream) -> tuple[Session, SocketStream, str]:
        assert stream.peer.port == port
        return given, stream, "client"

    given, stream, client = session.open("127.0.0.1", port, greet=greet)
    assert (given is session, client) == (True, "client")
    assert not isinstance(stream, TlsStream)
    stream.close()


def test_no_greeting_returns_the_stream(make, listener: socket.socket) -> None:
    stream = make().open("127.0.0.1", listener.getsockname()[1], greet=no_greeting)
    assert stream.sock.getpeername() == listener.getsockname()
    stream.close()


def test_open_with_implicit_tls_does_the_handshake_before_greet(make, tls_server: TlsServer) -> None:
    session = make(trust=Trust(ca_file=tls_server.ca_file))
    phases: list[str] = []

    def greet(_: Session, stream: SocketStream) -> bytes:
        phases.extend(session.trace.phases)
        stream.send(b"hello\n")
        line = stream.read(a_line)
        stream.close()
        return line

    line = session.open(tls_server.host, tls_server.port, tls=TlsMode.IMPLICIT, greet=greet, server_name="localhost")
    assert line == b"hello"
    assert phases == ["resolve", "connect", "tls"]


def test_open_with_explicit_tls_leaves_the_handshake_to_greet(make, tls_server: TlsServer) -> None:
    def greet(session: Session, stream: SocketStream) -> SocketStream:
        assert not isinstance(stream, TlsStream)
        return session.start_tls(stream, "localhost")

    session = make(trust=Trust(ca_file=tls_server.ca_file))
    stream = session.open(tls_server.host, tls_server.port, tls=TlsMode.EXPLICIT, greet=greet)
    assert isinstance(stream, TlsStream)
    stream.close()


@pytest.mark.parametrize("server_name", ["localhost", None])
def test_open_verifies_the_host_unless_there_is_a_server_name(
    make, tls_server: TlsServer, server_name: str | None
) -> None:
    session = make(trust=Trust(ca_file=tls_server.ca_file), connect_to=(tls_server.host, tls_server.port))
    if server_name:
        session.open("a.test", 1, tls=TlsMode.IMPLICIT, greet=no_greeting, server_name=server_name).close()
    else:
        with pytest.raises(WrongHost, match=r"a\.test"):
            session.open("a.test", 1, tls=TlsMode.IMPLICIT, greet=no_greeting)


def test_connecting_and_the_handshake_share_the_connect_timeout(make, clock, monkeypatch, pair) -> None:
    session = make(connect_s=10, clock=clock)
    left: list[float | None] = []

    def connect(_: Session, host: str, port: int, *, interactive: bool, deadline: Deadline) -> SocketStream:
        left.append(deadline.left())
        clock.advance(8)
        return pair.stream

    def start_tls(_: Session, stream: SocketStream, name: str, *, deadline: Deadline, **_more: object) -> SocketStream:
        left.append(deadline.left())
        return stream

    monkeypatch.setattr(Session, "connect", connect)
    monkeypatch.setattr(tlsstream, "start_tls", start_tls)
    session.open("a.test", 1, tls=TlsMode.IMPLICIT, greet=no_greeting)
    assert left == [10, 2]


@pytest.mark.parametrize("failure", [LoginDenied("no"), KeyboardInterrupt(), ValueError("a bug")])
@pytest.mark.parametrize("tls", [TlsMode.OFF, TlsMode.IMPLICIT])
def test_a_failure_of_greet_closes_the_stream(
    make, tls_server: TlsServer, tls: TlsMode, failure: BaseException
) -> None:
    session = make(trust=Trust(ca_file=tls_server.ca_file))
    streams: list[SocketStream] = []

    def greet(_: Session, stream: SocketStream) -> None:
        streams.append(stream)
        raise failure

    with pytest.raises(type(failure)) as caught:
        session.open(tls_server.host, tls_server.port, tls=tls, greet=greet, server_name="localhost")
    assert caught.value is failure
    assert [stream.sock.fileno() for stream in streams] == [-1]


def test_a_failure_of_the_handshake_closes_the_stream_and_greet_is_not_called(
    make, tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams: list[SocketStream] = []
    real = Session.connect

    def connect(session: Session, host: str, port: int, **options: object) -> SocketStream:
        streams.append(real(session, host, port, **options))  # type: ignore[arg-type]
        return streams[-1]

    monkeypatch.setattr(Session, "connect", connect)
    session = make(trust=Trust(ca_file=tls_server.ca_file))
    with pytest.raises(WrongHost):
        session.open(
            tls_server.host, tls_server.port, tls=TlsMode.IMPLICIT, greet=pytest.fail, server_name="other.test"
        )
    assert [stream.sock.fileno() for stream in streams] == [-1]


def test_a_handshake_that_cannot_start_closes_the_stream(make, listener: socket.socket, monkeypatch) -> None:
    def start_tls(*_: object, **_more: object) -> TlsStream:
        raise KeyboardInterrupt

    monkeypatch.setattr(tlsstream, "start_tls", start_tls)
    before = open_descriptors()
    with pytest.raises(KeyboardInterrupt):
        make().open("127.0.0.1", listener.getsockname()[1], tls=TlsMode.IMPLICIT, greet=no_greeting)
    assert open_descriptors() == before


@pytest.mark.usefixtures("quick")
def test_open_waits_for_a_greeting_and_makes_a_new_connection_each_time(make, listener: socket.socket) -> None:
    streams: list[SocketStream] = []

    def greet(_: Session, stream: SocketStream) -> str:
        streams.append(stream)
        if len(streams) < 3:
            raise EmptyReply("closed")
        return "client"

    session = make(wait_s=20)
    assert session.open("127.0.0.1", listener.getsockname()[1], greet=greet) == "client"
    assert [stream.sock.fileno() == -1 for stream in streams] == [True, True, False]
    streams[2].close()


def test_open_without_wait_makes_one_attempt(make, listener: socket.socket) -> None:
    attempts: list[int] = []

    def greet(_: Session, stream: SocketStream) -> None:
        attempts.append(1)
        raise EmptyReply("closed")

    with pytest.raises(EmptyReply):
        make().open("127.0.0.1", listener.getsockname()[1], greet=greet)
    assert attempts == [1]


NOTE = "--insecure: other.test: "


@pytest.mark.parametrize(
    ("server_name", "problem", "notes"), [("other.test", WrongHost, [NOTE]), ("localhost", type(None), [])]
)
def test_insecure_gives_greet_a_session_that_accepts_the_certificate_only_if_it_must(
    make, tls_server: TlsServer, server_name: str, problem: type[object], notes: list[str]
) -> None:
    session = make(trust=Trust(ca_file=tls_server.ca_file, insecure=True))
    greeted: list[Session] = []

    def greet(given: Session, stream: SocketStream) -> None:
        greeted.append(given)
        stream.close()

    session.open(tls_server.host, tls_server.port, tls=TlsMode.IMPLICIT, greet=greet, server_name=server_name)
    (given,) = greeted
    assert given.network.trust.insecure == bool(notes)
    assert type(given.tolerated) is problem
    assert (given.trace, given.attempt) == (session.trace, session.attempt)
    assert [note[: len(NOTE)] for note in session.attempt.notes] == notes


@pytest.mark.usefixtures("quick")
def test_wait_is_around_both_connections_of_insecure(make, tls_server: TlsServer) -> None:
    session = make(wait_s=20, trust=Trust(ca_file=tls_server.ca_file, insecure=True))
    steps: list[tuple[bool, CertificateProblem | None]] = []

    def greet(given: Session, stream: SocketStream) -> str:
        steps.append((given.network.trust.insecure, given.tolerated))
        upgraded = given.start_tls(stream, "other.test")
        if len(steps) < 3:
            raise EmptyReply("closed")
        upgraded.close()
        return "client"

    assert session.open(tls_server.host, tls_server.port, tls=TlsMode.EXPLICIT, greet=greet) == "client"
    assert [(insecure, type(tolerated)) for insecure, tolerated in steps] == [
        (False, type(None)),
        (True, WrongHost),
        (False, type(None)),
        (True, WrongHost),
    ]
    assert len(session.attempt.notes) == 1
    assert session.attempt.notes[0].startswith(NOTE)


def test_without_insecure_an_invalid_certificate_ends_open_also_with_wait(make, tls_server: TlsServer) -> None:
    session = make(wait_s=20, trust=Trust(ca_file=tls_server.ca_file))
    attempts: list[int] = []

    def greet(given: Session, stream: SocketStream) -> SocketStream:
        attempts.append(1)
        return given.start_tls(stream, "other.test")

    with pytest.raises(WrongHost):
        session.open(tls_server.host, tls_server.port, tls=TlsMode.EXPLICIT, greet=greet)
    assert attempts == [1]
