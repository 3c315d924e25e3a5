"""Connections to a peer that several targets share, tested with a toy connection that records its use."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from inetcli.errors import (
    EmptyReply,
    Incomplete,
    InetError,
    LoginDenied,
    NotFound,
    ReceiveFailed,
    Refused,
    SendFailed,
    TimedOut,
    Unreachable,
)
from inetcli.net import peers as peers_module
from inetcli.net.peers import Peers, PeerState
from inetcli.net.session import Network, Session, Timeouts
from inetcli.net.wait import Cancel

LONG_S = 20.0


@dataclass
class Connection:
    """A toy connection. Fields of `SessionConnection`, and whether it was quit."""

    session: Session
    usable: bool = True
    rejected: bool = False
    fresh: bool = True
    answered: int = 0
    used_in_try: int = 1
    is_quit: bool = False

    def adopt(self, session: Session) -> None:
        self.session = session
        self.used_in_try = session.trace.tries
        self.fresh = False
        self.answered = 0

    def quit(self) -> None:
        self.is_quit = True

    def fail(self, error: InetError) -> None:
        """Break the connection with this error."""
        self.usable = False
        raise error


@dataclass
class Server:
    """A toy protocol with its server: makes connections, logs in, and rejects connections above a maximum."""

    password_is_right: bool = True
    max_connections: int = 100
    attempts: int = 0
    made: list[Connection] = field(default_factory=list)
    before_login: Callable[[], object] = lambda: None
    rejection: threading.Event = field(default_factory=threading.Event)

    def connect(self, session: Session, key: str, state: PeerState) -> Connection:
        self.attempts += 1
        assert self.attempts < 20, "the peer makes one connection after the other without end"
        if sum(not connection.is_quit for connection in self.made) >= self.max_connections:
            self.rejection.set()
            raise Refused("too many connections", reply_code=421)
        self.before_login()
        if not self.password_is_right:
            raise state.deny_login(LoginDenied(f"{key}: login denied"))
        self.made.append(Connection(session))
        state.accept_login()
        return self.made[-1]


MakePeers = Callable[..., Peers[str, PeerState, Connection]]


@pytest.fixture
def make_peers() -> Iterator[MakePeers]:
    """Makes the `Peers` of a toy server. They are closed after the test."""
    made: list[Peers[str, PeerState, Connection]] = []

    def make(server: Server, max_connections: int = 3) -> Peers[str, PeerState, Connection]:
        made.append(
            Peers(server.connect, PeerState, lambda error: error.reply_code == 421, max_connections=max_connections)
        )
        return made[-1]

    yield make
    for peers in made:
        peers.__exit__()


@pytest.fixture
def make_session(cancel: Cancel) -> Callable[..., Session]:
    """Makes sessions."""
    return lambda max_time_s=None: Network(timeouts=Timeouts(max_time_s=max_time_s), cancel=cancel).session()


def identity(connection: Connection) -> Connection:
    return connection


# One connection after the other.


def test_targets_that_follow_one_another_share_one_connection(make_peers, make_session) -> None:
    server = Server()
    peer = make_peers(server)["a"]
    sessions = [make_session() for _ in range(3)]
    connections = [peer.use(session, identity) for session in sessions]
    assert connections == [server.made[0]] * 3
    assert server.attempts == 1
    assert server.made[0].session is sessions[2]


def test_a_connection_is_adopted_only_by_another_session(make_peers, make_session) -> None:
    server = Server()
    peer = make_peers(server)["a"]
    session = make_session()
    assert peer.use(session, lambda connection: connection.fresh)
    assert peer.use(session, lambda connection: connection.fresh)
    assert not peer.use(make_session(), lambda connection: connection.fresh)


def test_each_key_has_one_peer_and_its_own_connections(make_peers, make_session) -> None:
    server = Server()
    peers = make_peers(server)
    assert peers["a"] is peers["a"]
    assert peers["a"] is not peers["b"]
    assert peers["a"].key == "a"
    for key in ("a", "b", "a"):
        peers[key].use(make_session(), identity)
    assert server.attempts == 2


def test_the_end_of_the_with_quits_all_idle_connections(make_session) -> None:
    server = Server()
    before = len(os.listdir("/proc/self/fd"))
    with Peers(server.connect, PeerState, lambda _: False, max_connections=2) as peers:
        for key in ("a", "b"):
            peers[key].use(make_session(), identity)
        assert [connection.is_quit for connection in server.made] == [False, False]
    assert [connection.is_quit for connection in server.made] == [True, True]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_failure_to_connect_is_an_error_of_the_target_and_the_next_one_tries_again(make_peers, make_session) -> None:
    server = Server()
    peer = make_peers(server)["a"]

    def fail() -> None:
        raise Unreachable("refused")

    server.before_login = fail
    with pytest.raises(Unreachable):
        peer.use(make_session(), identity)
    server.before_login = lambda: None
    assert peer.use(make_session(), identity) is server.made[0]


# One login first.


def test_there_is_one_connection_until_its_login_has_succeeded(make_peers, make_session, background) -> None:
    entered, log_in = threading.Event(), threading.Event()

    def wait_for_login() -> None:
        entered.set()
        assert log_in.wait(LONG_S)

    server = Server(before_login=wait_for_login)
    peer = make_peers(server)["a"]
    logged_in = background(peer.use, make_session(), identity)
    assert entered.wait(LONG_S)
    with pytest.raises(TimedOut):
        peer.use(make_session(max_time_s=0.02), identity)  # waits for the one connection and makes no other
    assert server.attempts == 1
    assert not peer.state.login_succeeded
    log_in.set()
    logged_in.join()
    assert peer.state.login_succeeded


def test_after_the_login_there_are_as_many_connections_as_allowed(make_peers, make_session, background) -> None:
    server = Server()
    peer = make_peers(server, max_connections=3)["a"]
    peer.use(make_session(), identity)
    together = threading.Barrier(3, timeout=LONG_S)

    def work(_: Connection) -> None:
        together.wait()  # Three uses at the same time need three connections.

    for thread in [background(peer.use, make_session(), work) for _ in range(6)]:
        thread.join()
    assert server.attempts == len(server.made) == 3


def test_a_denied_login_is_tried_once_by_all_targets_together(make_peers, make_session) -> None:
    errors: list[InetError] = []
    server = Server(password_is_right=False)
    peer = make_peers(server)["a"]

    def use() -> None:
        try:
            peer.use(make_session(), identity)
        except LoginDenied as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG_S)
    assert server.attempts == 1
    assert errors == [peer.state.denied] * 4


def test_a_denied_login_at_one_peer_is_not_remembered_for_another(make_peers, make_session) -> None:
    server = Server(password_is_right=False)
    peers = make_peers(server)
    for key in ("a", "b"):
        with pytest.raises(LoginDenied, match=f"{key}: login denied"):
            peers[key].use(make_session(), identity)
    assert server.attempts == 2
    with pytest.raises(LoginDenied):
        make_peers(server)["a"].use(make_session(), identity)  # A denied login is remembered within one command only.
    assert server.attempts == 3


# Rejected extra connections.


def test_a_rejected_extra_connection_lowers_the_maximum(make_peers, make_session) -> None:
    server = Server(max_connections=1)
    peer = make_peers(server, max_connections=3)["a"]

    def use_another(_: Connection) -> None:
        with pytest.raises(TimedOut):
            peer.use(make_session(max_time_s=0.02), identity)

    for attempts in (3, 3):  # The first use has two free slots, and each gives one attempt. The second has none left.
        peer.use(make_session(), use_another)
        assert server.attempts == attempts
    assert len(server.made) == 1


def test_a_target_whose_extra_connection_was_rejected_uses_another_one(make_peers, make_session, background) -> None:
    server = Server(max_connections=1)
    peer = make_peers(server)["a"]
    entered, go_on = threading.Event(), threading.Event()

    def occupy(_: Connection) -> None:
        entered.set()
        assert go_on.wait(LONG_S)

    peer.use(make_session(), identity)
    background(peer.use, make_session(), occupy)
    assert entered.wait(LONG_S)
    used: list[Connection] = []
    other = background(lambda: used.append(peer.use(make_session(), identity)))
    assert server.rejection.wait(LONG_S)
    go_on.set()
    other.join()
    assert used == server.made


def test_an_only_connection_that_is_rejected_is_an_error(make_peers, make_session) -> None:
    server = Server(max_connections=0)
    peer = make_peers(server)["a"]
    for _ in range(2):
        with pytest.raises(Refused, match="too many connections"):
            peer.use(make_session(), identity)
    assert server.attempts == 2


def test_work_on_an_extra_connection_that_is_rejected_later_is_done_on_another(make_peers, make_session) -> None:
    server = Server()
    peer = make_peers(server, max_connections=2)["a"]
    rejected: list[Connection] = []

    def reject(connection: Connection) -> Connection:
        if connection is server.made[0]:
            return connection
        connection.rejected = True
        rejected.append(connection)
        connection.fail(NotFound("421 too many users"))
        return connection

    def use_two(first: Connection) -> None:
        session = make_session(max_time_s=0.05)
        with pytest.raises(TimedOut):  # The only other connection is `first`, which is in use here.
            peer.use(session, reject)
        assert first is server.made[0]

    peer.use(make_session(), use_two)
    assert rejected == [server.made[1]]
    assert server.made[1].is_quit
    assert peer.use(make_session(), reject) is server.made[0]
    assert server.attempts == 2


def test_work_on_an_only_connection_that_is_rejected_later_is_an_error(make_peers, make_session) -> None:
    server = Server()
    peer = make_peers(server)["a"]

    def reject(connection: Connection) -> None:
        connection.rejected = True
        connection.fail(NotFound("421 too many users"))

    with pytest.raises(NotFound):
        peer.use(make_session(), reject)
    assert server.attempts == 1


# Idle connections.


def test_idle_connections_are_released_where_there_are_more_peers_than_kept(
    make_peers, make_session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_module, "MAX_KEPT", 2)
    server = Server()
    peers = make_peers(server)
    for key in ("a", "b"):
        peers[key].use(make_session(), identity)
    assert [connection.is_quit for connection in server.made] == [False, False]
    peers["c"].use(make_session(), identity)
    assert [connection.is_quit for connection in server.made] == [False, False, True]
    peers["a"].use(make_session(), identity)
    assert [connection.is_quit for connection in server.made] == [True, False, True]
    peers["c"].use(make_session(), identity)
    assert server.attempts == 4


ENDED = [EmptyReply("closed"), ReceiveFailed("reset"), SendFailed("reset"), Refused("421 timeout", reply_code=421)]


@pytest.mark.parametrize("error", ENDED, ids=lambda error: type(error).__name__)
def test_a_connection_that_ended_while_idle_is_replaced(make_peers, make_session, error: InetError) -> None:
    server = Server()
    peer = make_peers(server)["a"]
    peer.use(make_session(), identity)

    def work(connection: Connection) -> Connection:
        if connection is server.made[0]:
            connection.fail(error)
        return connection

    session = make_session()
    assert peer.use(session, work) is server.made[1]
    assert server.made[0].is_quit
    assert server.made[1].session is session


def test_a_connection_that_ended_between_two_tries_is_replaced(make_peers, make_session) -> None:
    """Also if this target received replies on it in an earlier try."""
    server = Server()
    peer = make_peers(server)["a"]
    session = make_session()

    def answer(connection: Connection) -> None:
        connection.answered = 1

    def work(connection: Connection) -> Connection:
        if connection is server.made[0]:
            connection.fail(EmptyReply("closed"))
        return connection

    peer.use(session, answer)
    session.trace.resume()
    assert peer.use(session, work) is server.made[1]


@pytest.mark.parametrize("error", ENDED, ids=lambda error: type(error).__name__)
def test_a_new_connection_that_fails_is_not_replaced(make_peers, make_session, error: InetError) -> None:
    server = Server()
    peer = make_peers(server)["a"]
    with pytest.raises(type(error)) as caught:
        peer.use(make_session(), lambda connection: connection.fail(error))
    assert caught.value is error
    assert server.attempts == 1


def test_a_connection_that_fails_after_a_reply_is_not_replaced(make_peers, make_session) -> None:
    server = Server()
    peer = make_peers(server)["a"]
    peer.use(make_session(), identity)

    def work(connection: Connection) -> None:
        connection.answered = 1
        connection.fail(ReceiveFailed("reset"))

    with pytest.raises(ReceiveFailed):
        peer.use(make_session(), work)
    assert server.attempts == 1


@pytest.mark.parametrize(
    "error",
    [TimedOut("silent"), Refused("502 no", reply_code=502), Refused("550 no", reply_code=550), Incomplete("cut")],
    ids=["silent", "502", "550", "incomplete"],
)
def test_another_failure_of_an_idle_connection_is_not_repeated(make_peers, make_session, error: InetError) -> None:
    server = Server()
    peer = make_peers(server)["a"]
    peer.use(make_session(), identity)
    with pytest.raises(type(error)):
        peer.use(make_session(), lambda connection: connection.fail(error))
    assert server.attempts == 1


def test_a_state_of_a_protocol_gets_the_callback_for_a_successful_login() -> None:
    calls: list[str] = []
    state = PeerState(lambda: calls.append("login"))
    assert (state.login_succeeded, state.denied) == (False, None)
    error = LoginDenied("no")
    assert state.deny_login(error) is error
    assert (state.login_succeeded, state.denied, calls) == (False, error, [])
    state.accept_login()
    assert (state.login_succeeded, calls) == (True, ["login"])
