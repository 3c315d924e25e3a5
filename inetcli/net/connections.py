"""A pool of connections to one peer that several targets share. One target at a time uses a connection.

The pool has a slot for each connection, and a pipe with one byte for each free slot: a target reads a byte to take a
slot, and writes a byte to release it. With a pipe, waiting for a slot is the same poll as every other wait, so that the
deadline and `Cancel` end it.

A peer rejects an extra connection when its own limit is reached. If the pool has other connections, the rejection only
makes the pool smaller: the slot is not released, and the target waits for one of the other connections.
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
    """The interface of a connection in a pool."""

    @property
    def usable(self) -> bool:
        """Whether another target may use the connection: no reply is outstanding, and no error occurred."""

    @property
    def rejected(self) -> bool:
        """Whether the peer reported too many connections after this one was connected."""

    def quit(self) -> None:
        """Send the protocol's closing command and close the connection, without waiting. Never raises."""


C = TypeVar("C", bound=PooledConnection)
K = TypeVar("K")
V = TypeVar("V")

RejectsExtra = Callable[[InetError], bool]
"""Whether an error of connecting means that the peer has too many connections."""

_MAX_SLOTS = 1 << 16
"""The capacity of a pipe on Linux, in bytes; a pool has far fewer slots."""


class ConnectionPool(Generic[C]):
    """A pool of up to `max_size` connections to one peer, made when they are needed and kept until `close`."""

    def __init__(self, max_size: int, rejects_extra: RejectsExtra) -> None:
        self._rejects_extra = rejects_extra
        self._lock = threading.Lock()
        self._idle: list[C] = []
        self._open_count = 0
        self._max_size = max_size
        self._user_count = 0
        """The number of targets that use a connection or wait for one."""
        self._free_slots = max_size
        """The number of bytes to write into the pipe when it is created."""
        self._slot_reader = self._slot_writer = -1

    def grow(self, max_size: int) -> None:
        """Raise the maximum number of connections to `max_size`; no effect if the maximum is at least that already."""
        with self._lock:
            more, self._max_size = max(0, max_size - self._max_size), max(max_size, self._max_size)
            if self._slot_reader < 0:
                self._free_slots += more
            else:
                os.write(self._slot_writer, b"x" * more)

    @property
    def has_several(self) -> bool:
        """Whether the pool has more than one connection."""
        return self._open_count > 1

    @contextmanager
    def acquire(self, deadline: Deadline, cancel: Cancel, make: Callable[[], C]) -> Iterator[C]:
        """Lend a connection for the time of the `with`: an idle one, else a new one from `make`, else after waiting.

        Errors: those of `make`, `TimedOut` when the deadline passes first, `Cancelled`.
        """
        self._add_user()
        try:
            with self._in_use(self._reuse_or_make(deadline, cancel, make)) as connection:
                yield connection
        finally:
            with self._lock:
                self._user_count -= 1

    def release_idle(self) -> None:
        """Quit the idle connections, and close the pipe until the next `acquire`. No effect while the pool is used."""
        with self._lock:
            if self._user_count or self._slot_reader < 0:
                return
            idle, self._idle = self._idle, []
            self._open_count -= len(idle)
            self._free_slots = len(os.read(self._slot_reader, _MAX_SLOTS))
            self._close_pipe()
        for connection in idle:
            connection.quit()

    def close(self) -> None:
        """Quit all idle connections. No target may be using the pool or waiting."""
        while self._idle:
            self._idle.pop().quit()
        if self._slot_reader >= 0:
            self._close_pipe()

    def _add_user(self) -> None:
        with self._lock:
            self._user_count += 1
            if self._slot_reader < 0:
                try:
                    self._slot_reader, self._slot_writer = os.pipe()
                except OSError as error:
                    self._user_count -= 1
                    raise Unreachable(f"no connection can be made: {(error.strerror or str(error)).lower()}") from error
                os.set_blocking(self._slot_reader, False)
                os.write(self._slot_writer, b"x" * self._free_slots)

    def _close_pipe(self) -> None:
        os.close(self._slot_reader)
        os.close(self._slot_writer)
        self._slot_reader = self._slot_writer = -1

    def _release_slot(self) -> None:
        os.write(self._slot_writer, b"x")

    @contextmanager
    def _in_use(self, connection: C) -> Iterator[C]:
        try:
            yield connection
        finally:
            with self._lock:
                kept = connection.usable
                is_extra = connection.rejected and self._open_count > 1
                if kept:
                    self._idle.append(connection)
                else:
                    self._open_count -= 1
            if not kept:
                connection.quit()
            if not is_extra:
                self._release_slot()

    def _reuse_or_make(self, deadline: Deadline, cancel: Cancel, make: Callable[[], C]) -> C:
        while True:
            self._wait_for_slot(deadline, cancel)
            with self._lock:
                if self._idle:
                    return self._idle.pop()
                self._open_count += 1
            try:
                return make()
            except InetError as error:
                has_others = self._discount_failed()
                if has_others and self._rejects_extra(error):
                    continue  # The slot is not released: the pool is smaller by one from now on.
                self._release_slot()
                raise
            except BaseException:
                self._discount_failed()
                self._release_slot()
                raise

    def _discount_failed(self) -> bool:
        """Subtract a connection that was counted but could not be made. True if the pool has other connections."""
        with self._lock:
            self._open_count -= 1
            return self._open_count > 0

    def _wait_for_slot(self, deadline: Deadline, cancel: Cancel) -> None:
        while True:
            try:
                os.read(self._slot_reader, 1)
                return
            except BlockingIOError:
                pass
            if not wait_any({self._slot_reader: READ}, deadline, cancel):
                raise deadline.timeout_error()


class KeyedCache(Generic[K, V]):
    """A cache that makes the value of each key once, also when several threads ask for it at the same time."""

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
        """Return the values that were made so far."""
        with self._lock:
            return list(self._values.values())
