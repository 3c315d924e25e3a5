import socket
from collections.abc import Callable, Iterator

import pytest

from inetcli.errors import InetError, LoginDenied, ReceiveFailed, Refused, TimedOut, Unreachable, WrongHost
from inetcli.net import session as session_module
from inetcli.net.resolve import IPV4, Address
from inetcli.net.session import Network, Session, Timeouts
from inetcli.net.trace import Event, EventKind
from inetcli.net.trust import Trust
from inetcli.net.wait import Cancel, Cancelled
from inetcli.wire.reader import Parser, Reader


def a_line(reader: Reader) -> Parser[bytes]:
    return (yield from reader.line(100))


@pytest.fixture
def make(cancel: Cancel) -> Callable[..., Session]:
    """A session with these limits and settings."""

    def session(listener: Callable[[Event], None] | None = None, **settings: object) -> Session:
        limits = Timeouts(**{name: settings.pop(name) for name in list(settings) if name in Timeouts.__slots__})
        return Network(timeouts=limits, cancel=cancel, **settings).session(listener)

    return session


@pytest.fixture
def unlistening() -> Iterator[socket.socket]:
    """A port that is ours and refuses, until it is told to listen."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def test_connecting_is_timed_and_told(make, listener: socket.socket) -> None:
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


def test_connect_to_goes_elsewhere_and_looks_up_nothing_else(make, listener: socket.socket) -> None:
    session = make(connect_to=("127.0.0.1", listener.getsockname()[1]))
    stream = session.connect("name.that.is.nowhere.test", 1)
    assert stream.peer.port == listener.getsockname()[1]
    stream.close()


def test_a_refusal_names_the_address(make, unlistening: socket.socket) -> None:
    port = unlistening.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        make().connect("127.0.0.1", port)
    assert caught.value.message == f"127.0.0.1:{port}: refused"


def test_a_connection_that_is_not_answered_names_its_limit(make, unlistening: socket.socket) -> None:
    unlistening.listen(0)
    with socket.create_connection(unlistening.getsockname()):  # the backlog is full
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


def test_max_time_is_one_for_all_connections(make, clock) -> None:
    session = make(max_time_s=10, clock=clock)
    assert session.connect_deadline().left() == 10
    clock.advance(8)
    assert session.connect_deadline().left() == 2


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses."""
    monkeypatch.setattr(session_module, "WAIT_S", (0.001, 0.002))


@pytest.mark.usefixtures("quick")
def test_wait_sees_a_server_that_comes_up_later(make, unlistening: socket.socket) -> None:
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


def test_wait_is_for_what_may_pass(make) -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        raise LoginDenied("no")

    with pytest.raises(LoginDenied):
        make(wait_s=20).wait_for_server(attempt)
    assert attempts == [1]


@pytest.mark.usefixtures("quick")
def test_wait_sits_out_a_refusal_that_may_pass(make) -> None:
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


def test_an_attempt_that_max_time_ended_says_so_once(make, clock) -> None:
    session = make(wait_s=6, max_time_s=5, clock=clock)

    def attempt() -> None:
        clock.advance(5)
        raise TimedOut(f"{session.deadline.reason}: h:1: no answer")

    with pytest.raises(TimedOut) as caught:
        session.wait_for_server(attempt)
    assert caught.value.message == "timed out: not done after 5 s (--max-time): h:1: no answer"


def test_a_wait_that_began_earlier_ends_earlier(make, clock) -> None:
    session = make(wait_s=6, clock=clock)
    until, attempts = session.wait_deadline(), []

    def attempt() -> None:
        attempts.append(1)
        raise Unreachable("no")

    clock.advance(6)
    with pytest.raises(Unreachable):
        session.wait_for_server(attempt, until)
    assert attempts == [1]


def test_insecure_says_what_was_wrong_and_connects_once_more(make) -> None:
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


def test_insecure_is_silent_where_nothing_is_wrong(make) -> None:
    session = make(trust=Trust(insecure=True))
    tried: list[bool] = []
    session.with_verification(lambda trusting: tried.append(trusting.network.trust.insecure))
    assert tried == [False]
    assert session.attempt.notes == []


def test_insecure_lets_no_other_failure_pass(make) -> None:
    tried: list[bool] = []

    def connect(trusting: Session) -> None:
        tried.append(trusting.network.trust.insecure)
        raise Unreachable("no")

    with pytest.raises(Unreachable):
        make(trust=Trust(insecure=True)).with_verification(connect)
    assert tried == [False]


def test_without_insecure_a_bad_certificate_is_the_end(make) -> None:
    tried: list[bool] = []

    def connect(trusting: Session) -> None:
        tried.append(trusting.network.trust.insecure)
        raise WrongHost("no")

    with pytest.raises(WrongHost):
        make().with_verification(connect)
    assert tried == [False]


def test_a_pause_ends_by_itself_with_max_time_or_when_stopped(make, cancel: Cancel) -> None:
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


def test_datagrams_obey_connect_to(make) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        with make(connect_to=server.getsockname()).datagrams("nowhere.test", 1) as peer:
            assert peer.peer.sockaddr == server.getsockname()
