"""A server and the connections to it, which the targets of one command share.

A target borrows a connection for its turn; where there is none, it is made, up to as many as may work at a time. There
is only one until its login went well, so that a wrong password is sent once, and not by each of them.

A connection that was left idle may be gone by then, because servers hang up on who says nothing: when it fails before
its first answer, another takes its place.
"""

from collections.abc import Callable
from typing import TypeVar

from inetcli.errors import EmptyReply, InetError, ReceiveFailed, SendFailed
from inetcli.net.connections import ConnectionPool, KeyedCache
from inetcli.net.session import Session
from inetcli.protocols.ftp.connect import open_control
from inetcli.protocols.ftp.control import Control, ServerKey, ServerState

T = TypeVar("T")

MAX_KEPT = 64
"""Servers to which connections are kept for the next target: a process has 1024 descriptors on most systems."""


class Server:
    """One server: `use` it with a session."""

    def __init__(self, endpoint: ServerKey, places: int, many: Callable[[], bool]) -> None:
        self.endpoint = endpoint
        self._many = many
        self._share: ConnectionPool[Control] = ConnectionPool(1, lambda error: error.reply_code == 421)
        self._manners = ServerState(welcome=lambda: self._share.widen(places))

    def use(self, session: Session, work: Callable[[Control], T]) -> T:
        """What `work` makes of a connection. Errors: its own, and those of getting one."""
        try:
            return self._use(session, work)
        finally:
            if self._many():
                self._share.rest()

    def _use(self, session: Session, work: Callable[[Control], T]) -> T:
        while True:
            with self._share.acquire(
                session.deadline,
                session.network.cancel,
                lambda: open_control(session, self.endpoint, self._manners),
            ) as control:
                if control.session.trace is not session.trace:
                    control.adopt(session)
                try:
                    return work(control)
                except InetError as error:
                    if not (_gone(control, error) or (control.rejected and self._share.crowded)):
                        raise

    def close(self) -> None:
        """Leave. Nobody may be using it."""
        self._share.close()


class Servers:
    """The servers of one command: `servers[endpoint]`. At most `places` connections to each."""

    def __init__(self, places: int) -> None:
        self._servers: KeyedCache[ServerKey, Server] = KeyedCache(lambda endpoint: Server(endpoint, places, self._many))

    def __getitem__(self, endpoint: ServerKey) -> Server:
        return self._servers[endpoint]

    def _many(self) -> bool:
        """Whether there are too many servers to keep a connection to each."""
        return len(self._servers) > MAX_KEPT

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.close()


def _gone(control: Control, error: InetError) -> bool:
    """Whether an idle connection turned out to have ended meanwhile."""
    ended = isinstance(error, EmptyReply | ReceiveFailed | SendFailed) or error.reply_code == 421
    return ended and not control.fresh and not control.answered
