"""The peers of one command, and a pool of connections to each peer, which targets share.

A target uses one connection at a time: an idle one, or a new one, up to the maximum number. The maximum is one until a
login has succeeded, so that a wrong password is sent once and not once for each connection. A login that was denied is
not tried again. A peer that rejects an extra connection only lowers the maximum.

An idle connection may have ended before its next use, because servers close idle connections. If such a connection
fails before its first reply, a new one replaces it.
"""

from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from inetcli.errors import EmptyReply, InetError, LoginDenied, ReceiveFailed, SendFailed
from inetcli.net.connections import ConnectionPool, KeyedCache, PooledConnection, RejectsExtra
from inetcli.net.session import Session

MAX_KEPT = 64
"""The largest number of peers to which idle connections are kept: most systems allow a process 1024 descriptors."""


class SessionConnection(PooledConnection, Protocol):
    """A connection that several sessions use, one after the other."""

    @property
    def session(self) -> Session:
        """The session that uses the connection now or used it last."""

    @property
    def used_in_try(self) -> int:
        """The try of that session, by its number (`Trace.tries`), that uses the connection now or used it last."""

    @property
    def fresh(self) -> bool:
        """Whether the connection was made for the current try, so that no other one has used it."""

    @property
    def answered(self) -> int:
        """The number of replies received since the current try took the connection."""

    def adopt(self, session: Session) -> None:
        """Assign the connection to another session, or to its next try: use its limits and its trace from now on."""


T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
C = TypeVar("C", bound=SessionConnection)


class PeerState:
    """The state that all connections to one peer share. A protocol adds its own fields in a subclass."""

    def __init__(self, on_login: Callable[[], object] = lambda: None) -> None:
        self._on_login = on_login
        self.login_succeeded = False
        self.denied: LoginDenied | None = None
        """The error of a denied login, which is not tried again; None = no login was denied."""

    def accept_login(self) -> None:
        """Record a successful login, and allow more connections."""
        self.login_succeeded = True
        self._on_login()

    def deny_login(self, error: LoginDenied) -> LoginDenied:
        """Record a denied login, and return its error."""
        self.denied = error
        return error


S = TypeVar("S", bound=PeerState)

Connect = Callable[[Session, K, S], C]
"""The function by which a protocol connects to a peer. The login may take place later, with the first command."""

MakeState = Callable[[Callable[[], object]], S]
"""The function that makes the `PeerState` of a protocol. Its argument is the callback for a successful login."""


class Peer(Generic[K, S, C]):
    """A peer and its pool of connections."""

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
        """Run `work` with a connection and return its result. Errors: those of `work`, and those of connecting."""
        try:
            return self._use(session, work)
        finally:
            if not self._keeps_idle():
                self._pool.release_idle()

    def close(self) -> None:
        """Quit all connections. No target may be using the peer."""
        self._pool.close()

    def _use(self, session: Session, work: Callable[[C], T]) -> T:
        while True:
            with self._pool.acquire(
                session.deadline, session.network.cancel, lambda: self._open(session)
            ) as connection:
                trace = session.trace
                if connection.session.trace is not trace or connection.used_in_try != trace.tries:
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
    """The peers of one command, by key: `peers[key]`. At most `max_connections` connections to each peer.

    Use it in a `with`, which closes all connections at its end.
    """

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
        """Whether the number of peers is small enough to keep idle connections."""
        return len(self._peers) <= MAX_KEPT

    def __enter__(self) -> "Peers[K, S, C]":
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self._peers.values():
            peer.close()


def _has_ended(connection: SessionConnection, error: InetError) -> bool:
    """Return whether the error shows that the connection ended while it was idle."""
    ended = isinstance(error, EmptyReply | ReceiveFailed | SendFailed) or error.reply_code == 421
    return ended and not connection.fresh and not connection.answered
