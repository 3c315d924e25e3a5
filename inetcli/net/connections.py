"""Connections to one peer, shared by several targets: at most so many at a time, each used by one target at a time.

A place for each connection is a byte in a pipe: taking a place is reading a byte, giving it back is writing one. So
waiting for a place is a wait like any other: the deadline ends it, and so does a stop.

A peer that wants no more connections says so when one more is opened. As long as there are others, that only lowers
their number: the place is not given back, and the target waits for one of the others.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from inetcli.errors import InetError, Unreachable
from inetcli.net.deadline import Deadline
from inetcli.net.wait import READ, Cancel, wait_any


class PooledConnection(Protocol):
    """What a connection has to tell of itself."""

    @property
    def usable(self) -> bool:
        """Whether another target may go on with it: nothing is outstanding, and nothing broke."""

    @property
    def rejected(self) -> bool:
        """Whether the peer said that it has too many, when it was already connected."""

    def quit(self) -> None:
        """End it politely, without waiting. Never raises."""


C = TypeVar("C", bound=PooledConnection)
K = TypeVar("K")
V = TypeVar("V")

RejectsExtra = Callable[[InetError], bool]

_MANY = 1 << 16
"""More bytes than there are ever places."""


class ConnectionPool(Generic[C]):
    """The connections to one peer: up to `max_size`, made when they are needed, kept until `close`."""

    def __init__(self, max_size: int, rejects_extra: RejectsExtra) -> None:
        self._rejects_extra = rejects_extra
        self._lock = threading.Lock()
        self._idle: list[C] = []
        self._open = 0
        self._max_size = max_size
        self._users = 0
        """Who uses a connection, or waits for one."""
        self._free = max_size
        """Bytes that belong into the pipe, while there is none."""
        self._take = self._give = -1

    def grow(self, max_size: int) -> None:
        """Let there be `max_size` connections from now on, if there were to be fewer; only the first time."""
        with self._lock:
            more, self._max_size = max(0, max_size - self._max_size), max(max_size, self._max_size)
            if self._take < 0:
                self._free += more
            else:
                os.write(self._give, b"x" * more)

    @property
    def has_several(self) -> bool:
        """Whether there is more than one."""
        return self._open > 1

    @contextmanager
    def acquire(self, deadline: Deadline, cancel: Cancel, make: Callable[[], C]) -> Iterator[C]:
        """A connection for the time of the `with`: one that is idle, else a new one by `make`, else after waiting.

        Errors: those of `make`, `TimedOut` when the deadline passes first, `Cancelled`.
        """
        self._enter()
        try:
            with self._in_use(self._take_or_make(deadline, cancel, make)) as connection:
                yield connection
        finally:
            with self._lock:
                self._users -= 1

    def release_idle(self) -> None:
        """Leave the idle connections, and hold no descriptor until one is asked for again; where nobody is here."""
        with self._lock:
            if self._users or self._take < 0:
                return
            idle, self._idle = self._idle, []
            self._open -= len(idle)
            self._free = len(os.read(self._take, _MANY))
            self._close_pipe()
        for connection in idle:
            connection.quit()

    def close(self) -> None:
        """Leave all idle connections. Nobody may be waiting."""
        while self._idle:
            self._idle.pop().quit()
        if self._take >= 0:
            self._close_pipe()

    def _enter(self) -> None:
        with self._lock:
            self._users += 1
            if self._take < 0:
                try:
                    self._take, self._give = os.pipe()
                except OSError as error:
                    self._users -= 1
                    raise Unreachable(f"no connection can be made: {(error.strerror or str(error)).lower()}") from error
                os.set_blocking(self._take, False)
                os.write(self._give, b"x" * self._free)

    def _close_pipe(self) -> None:
        os.close(self._take)
        os.close(self._give)
        self._take = self._give = -1

    @contextmanager
    def _in_use(self, connection: C) -> Iterator[C]:
        try:
            yield connection
        finally:
            with self._lock:
                kept = connection.usable
                one_too_many = connection.rejected and self._open > 1
                if kept:
                    self._idle.append(connection)
                else:
                    self._open -= 1
            if not kept:
                connection.quit()
            if not one_too_many:
                os.write(self._give, b"x")

    def _take_or_make(self, deadline: Deadline, cancel: Cancel, make: Callable[[], C]) -> C:
        while True:
            self._wait_for_slot(deadline, cancel)
            with self._lock:
                if self._idle:
                    return self._idle.pop()
                self._open += 1
            try:
                return make()
            except InetError as error:
                if self._had_others() and self._rejects_extra(error):
                    continue  # without giving the place back: there is one less from now on
                os.write(self._give, b"x")
                raise
            except BaseException:
                self._had_others()
                os.write(self._give, b"x")
                raise

    def _had_others(self) -> bool:
        """The connection that was counted has not come about; whether there are others."""
        with self._lock:
            self._open -= 1
            return self._open > 0

    def _wait_for_slot(self, deadline: Deadline, cancel: Cancel) -> None:
        while True:
            try:
                os.read(self._take, 1)
                return
            except BlockingIOError:
                pass
            if not wait_any({self._take: READ}, deadline, cancel):
                raise deadline.expired()


class KeyedCache(Generic[K, V]):
    """Values that are made once for each key, whichever thread comes first."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._values: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        with self._lock:
            if key not in self._values:
                self._values[key] = self._make(key)
            return self._values[key]

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> list[V]:
        """All that were made."""
        with self._lock:
            return list(self._values.values())
