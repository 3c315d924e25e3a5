"""The peers of a command: connections that targets share, one login first, and another for one that has ended."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from inetcli.errors import (
    EmptyReply,
    Incomplete,
    InetError,
    LoginDenied,
    ReceiveFailed,
    Refused,
    SendFailed,
    TimedOut,
    Unreachable,
)
from inetcli.net import peers
from inetcli.net.peers import Peers, PeerState
from inetcli.net.session import Network, Session, Timeouts


@dataclass
class Connection:
    """A connection that does what the test says. `said` is what it was used for."""

    session: Session
    usable: bool = True
    rejected: bool = False
    fresh: bool = True
    answered: int = 0
    ended: bool = False
    said: list[str] = field(default_factory=list)

    def adopt(self, session: Session) -> None:
        self.session, self.fresh, self.answered = session, False, 0

    def quit(self) -> None:
        self.ended = True


@dataclass
class Server:
    """Makes connections, and keeps them. `refusal` is what it says to the next one."""

    made: list[Connection] = field(default_factory=list)
    states: list[PeerState] = field(default_factory=list)
    refusal: InetError | None = None

    def connect(self, session: Session, key: str, state: PeerState) -> Connection:
        if self.refusal:
            raise self.refusal
        self.made.append(Connection(session))
        self.states.append(state)
        return self.made[-1]


@pytest.fixture
def server() -> Server:
    return Server()


MakePeers = Callable[..., Peers[str, PeerState, Connection]]


@pytest.fixture
def make(server: Server) -> Iterator[MakePeers]:
    """Makes the peers of a command, which are left at the end."""
    made: list[Peers[str, PeerState, Connection]] = []

    def make_peers(max_connections: int = 3) -> Peers[str, PeerState, Connection]:
        made.append(
            Peers(server.connect, PeerState, lambda error: error.reply_code == 421, max_connections=max_connections)
        )
        return made[-1]

    yield make_peers
    for command in made:
        command.__exit__()


def say(text: str) -> Callable[[Connection], str]:
    """Work of a target: a command and its reply."""

    def work(connection: Connection) -> str:
        connection.said.append(text)
        connection.answered += 1
        return f"re: {text}"

    return work


def test_targets_of_one_peer_share_a_connection_and_others_have_their_own(make: MakePeers, server: Server) -> None:
    command, sessions = make(), [Network().session() for _ in range(3)]
    for key, session in zip("aab", sessions, strict=True):
        assert command[key].use(session, say(key)) == f"re: {key}"
    assert [connection.said for connection in server.made] == [["a", "a"], ["b"]]
    assert [connection.session for connection in server.made] == sessions[1:]
    assert not server.made[0].fresh


def test_a_target_that_comes_twice_keeps_its_connection_as_it_is(make: MakePeers, server: Server) -> None:
    command, session = make(), Network().session()
    for _ in range(2):
        command["a"].use(session, say("x"))
    assert (len(server.made), server.made[0].fresh, server.made[0].answered) == (1, True, 2)


def test_there_is_one_connection_until_its_login_went_well(make: MakePeers, server: Server) -> None:
    peer = make(2)["a"]
    hasty = Network(timeouts=Timeouts(max_time_s=0.01)).session()

    def first(_: Connection) -> None:
        with pytest.raises(TimedOut):
            peer.use(hasty, say("too early"))
        assert len(server.made) == 1
        peer.state.accept_login()
        peer.use(Network().session(), say("second"))

    peer.use(Network().session(), first)
    assert [connection.said for connection in server.made] == [[], ["second"]]
    assert peer.state.login_succeeded


def test_a_login_that_was_refused_is_not_tried_again(make: MakePeers, server: Server) -> None:
    peer = make()["a"]
    denied = peer.state.deny_login(LoginDenied("no"))
    for _ in range(2):
        with pytest.raises(LoginDenied) as caught:
            peer.use(Network().session(), say("x"))
        assert caught.value is denied
    assert server.made == []
    assert make()["a"].use(Network().session(), say("x")) == "re: x"  # another command begins anew


ENDED = [EmptyReply("x"), ReceiveFailed("x"), SendFailed("x"), Refused("x", reply_code=421)]


@pytest.mark.parametrize("error", ENDED, ids=lambda error: type(error).__name__)
def test_an_idle_connection_that_has_ended_is_replaced(make: MakePeers, server: Server, error: InetError) -> None:
    command = make()
    command["a"].use(Network().session(), say("first"))

    def work(connection: Connection) -> str:
        if not connection.fresh:
            connection.usable = False
            raise error
        return say("second")(connection)

    assert command["a"].use(Network().session(), work) == "re: second"
    assert [connection.said for connection in server.made] == [["first"], ["second"]]
    assert server.made[0].ended


@pytest.mark.parametrize(
    ("answered", "error"), [(1, EmptyReply("x")), (0, Incomplete("x")), (0, Refused("x", reply_code=550))]
)
def test_other_failures_are_the_targets_own(make: MakePeers, server: Server, answered: int, error: InetError) -> None:
    command = make()
    command["a"].use(Network().session(), say("first"))

    def work(connection: Connection) -> None:
        connection.answered = answered
        raise error

    with pytest.raises(type(error)):
        command["a"].use(Network().session(), work)
    assert len(server.made) == 1


@pytest.mark.parametrize("error", ENDED, ids=lambda error: type(error).__name__)
def test_a_fresh_connection_that_ends_is_a_failure(make: MakePeers, server: Server, error: InetError) -> None:
    def work(connection: Connection) -> None:
        raise error

    with pytest.raises(type(error)):
        make()["a"].use(Network().session(), work)
    assert len(server.made) == 1


def test_a_connection_that_does_not_come_about_is_a_failure(make: MakePeers, server: Server) -> None:
    server.refusal = Unreachable("refused")
    with pytest.raises(Unreachable):
        make()["a"].use(Network().session(), say("x"))


def test_many_peers_keep_no_idle_connections(make: MakePeers, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MAX_KEPT", 2)
    command = make()
    for key in "abcd":
        command[key].use(Network().session(), say(key))
    assert [connection.ended for connection in server.made] == [False, False, True, True]


def test_leaving_the_command_quits_every_connection(make: MakePeers, server: Server) -> None:
    session = Network().session()
    before = len(os.listdir("/proc/self/fd"))
    with make() as command:
        for key in "ab":
            command[key].use(session, say(key))
    assert [connection.ended for connection in server.made] == [True, True]
    assert len(os.listdir("/proc/self/fd")) == before
