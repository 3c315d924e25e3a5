"""The peers of one command, and the connections to each, which targets share.

A target uses a connection for its turn; where none is idle, one is made, up to as many as may work at a time. There is
only one until its login went well, so that a wrong password is sent once, and not by each of them; a login that was
refused is not tried again. A peer that rejects an extra connection only lowers their number.

A connection that was left idle may be gone by then, because servers hang up on who says nothing: when it fails before
its first reply, another takes its place.
"""

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from inetcli.errors import EmptyReply, InetError, LoginDenied, ReceiveFailed, SendFailed
from inetcli.net.connections import ConnectionPool, KeyedCache, PooledConnection
from inetcli.net.session import Session

MAX_KEPT = 64
"""Peers to which connections are kept for the next target: a process has 1024 descriptors on most systems."""


class SessionConnection(PooledConnection, Protocol):
    """A connection that one session after the other uses."""

    @property
    def session(self) -> Session:
        """The session that uses the connection."""

    @property
    def fresh(self) -> bool:
        """Whether no other session has used the connection."""

    @property
    def answered(self) -> int:
        """How many replies have come since this session took the connection."""

    def adopt(self, session: Session) -> None:
        """Go on for another session: its limits, its trace."""


T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
C = TypeVar("C", bound=SessionConnection)


class PeerState:
    """What has been learned of one peer, for all connections to it. A protocol adds its own to it."""

    def __init__(self, on_login: Callable[[], object] = lambda: None) -> None:
        self._on_login = on_login
        self.login_succeeded = False
        self.denied: LoginDenied | None = None
        """The login was refused: the same one is not tried again."""

    def accept_login(self) -> None:
        """Record a login that went well: more connections may follow."""
        self.login_succeeded = True
        self._on_login()

    def deny_login(self, error: LoginDenied) -> LoginDenied:
        """Record a login that was refused, and return its error."""
        self.denied = error
        return error


S = TypeVar("S", bound=PeerState)

Connect = Callable[[Session, K, S], C]
"""How a protocol connects to a peer; the login may come with the first command."""

MakeState = Callable[[Callable[[], object]], S]
"""How a protocol makes its `PeerState`, given what to call when a login went well."""

RejectsExtra = Callable[[InetError], bool]
"""Whether an error of connecting says that the peer has too many connections."""


class Peer(Generic[K, S, C]):
    """One peer and the connections to it."""

    def __init__(
        self,
        key: K,
        connect: Connect[K, S, C],
        make_state: MakeState[S],
        rejects_extra: RejectsExtra,
        *,
        max_connections: int,
        keeps_idle: Callable[[], bool],
    ) -> None:
        self.key = key
        self._connect = connect
        self._keeps_idle = keeps_idle
        self._pool: ConnectionPool[C] = ConnectionPool(1, rejects_extra)
        self.state = make_state(lambda: self._pool.grow(max_connections))

    def use(self, session: Session, work: Callable[[C], T]) -> T:
        """Return what `work` makes of a connection. Errors: those of `work`, and those of connecting."""
        try:
            return self._use(session, work)
        finally:
            if not self._keeps_idle():
                self._pool.release_idle()

    def close(self) -> None:
        """Quit all connections. Nobody may be using the peer."""
        self._pool.close()

    def _use(self, session: Session, work: Callable[[C], T]) -> T:
        while True:
            with self._pool.acquire(
                session.deadline, session.network.cancel, lambda: self._open(session)
            ) as connection:
                if connection.session.trace is not session.trace:
                    connection.adopt(session)
                try:
                    return work(connection)
                except InetError as error:
                    if not (_has_ended(connection, error) or (connection.rejected and self._pool.has_several)):
                        raise

    def _open(self, session: Session) -> C:
        if self.state.denied:
            raise self.state.denied
        return self._connect(session, self.key, self.state)


class Peers(Generic[K, S, C]):
    """The peers of one command: `peers[key]`. Use it in a `with`. At most `max_connections` to each peer."""

    def __init__(
        self,
        connect: Connect[K, S, C],
        make_state: MakeState[S],
        rejects_extra: RejectsExtra,
        *,
        max_connections: int,
    ) -> None:
        def make(key: K) -> Peer[K, S, C]:
            return Peer(
                key,
                connect,
                make_state,
                rejects_extra,
                max_connections=max_connections,
                keeps_idle=lambda: self._keeps_idle,
            )

        self._peers: KeyedCache[K, Peer[K, S, C]] = KeyedCache(make)

    def __getitem__(self, key: K) -> Peer[K, S, C]:
        return self._peers[key]

    @property
    def _keeps_idle(self) -> bool:
        """Whether there are few enough peers to keep a connection to each."""
        return len(self._peers) <= MAX_KEPT

    def __enter__(self) -> "Peers[K, S, C]":
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self._peers.values():
            peer.close()


def _has_ended(connection: SessionConnection, error: InetError) -> bool:
    """Whether an idle connection turned out to have ended meanwhile."""
    ended = isinstance(error, EmptyReply | ReceiveFailed | SendFailed) or error.reply_code == 421
    return ended and not connection.fresh and not connection.answered
