"""The only poll of the program: wait for descriptors, a deadline, or being cancelled.

Every wait on the network ends here, and so every wait has a limit and can be stopped. `close()` from another thread
does not wake a `recv`, so stopping goes through a descriptor of its own, which is part of every poll.
"""

import os
import select
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from inetcli.net.deadline import Deadline

READ = select.POLLIN
WRITE = select.POLLOUT

_MAX_POLL_S = 3600.0
"""poll(2) takes an int of milliseconds: longer waits are cut into hours."""


class Cancelled(Exception):
    """The wait was given up because the program is being stopped: nobody's error."""


class Cancel:
    """A descriptor that becomes readable once, for good, when the program is to stop."""

    __slots__ = ("_read", "_write", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        """For loops that never block and must poll for cancellation."""
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()

    def fileno(self) -> int:
        """The descriptor to poll for reading."""
        return self._read

    def set(self) -> None:
        """Wake every wait, now and later. May be called from any thread, more than once."""
        self.is_set = True
        try:
            os.write(self._write, b"x")
        except BlockingIOError:
            pass  # set 65536 times already

    @contextmanager
    def woken_by_signals(self) -> Iterator[None]:
        """Meanwhile a signal with a handler wakes every wait. In the main thread only.

        EINTR is not enough: a signal may come just before a wait begins, and the kernel may hand it to a thread that
        is not the one that runs Python's handlers (a second Ctrl-C, while the first is pending, does). The handler
        then would run only when that wait is over.
        """
        os.set_blocking(self._write, False)
        before = -1
        try:  # a handler may raise as soon as the descriptor is set
            before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            yield
        finally:
            signal.set_wakeup_fd(before)

    def close(self) -> None:
        """Give the descriptors back; no wait may be going on."""
        os.close(self._read)
        os.close(self._write)


def wait_any(wanted: Mapping[int, int], deadline: Deadline, cancel: Cancel) -> list[int]:
    """Wait until one of the descriptors is ready (or broken: the next call on it says how) and return those that are.

    `wanted` maps descriptors to READ, WRITE or both. An empty list = the deadline passed. Raises `Cancelled`.
    """
    poll = select.poll()
    poll.register(cancel.fileno(), READ)
    for descriptor, events in wanted.items():
        poll.register(descriptor, events)
    while True:
        left = deadline.left()
        # Rounded up, else the last fraction of a millisecond is spent in a busy loop.
        timeout = int(min(_MAX_POLL_S if left is None else left, _MAX_POLL_S) * 1000 + 0.999)
        ready = [descriptor for descriptor, _ in poll.poll(timeout)]
        if cancel.fileno() in ready:
            raise Cancelled
        if ready or deadline.passed:
            return ready


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """How long one stream may keep us waiting: its target's deadline, and the longest silence on the way there."""

    deadline: Deadline
    silence_s: float
    cancel: Cancel

    def narrowed(self, silence_s: float | None = None, deadline: Deadline | None = None) -> "WaitLimits":
        """The limits of one call that has its own silence, or its own deadline."""
        return replace(
            self,
            silence_s=self.silence_s if silence_s is None else silence_s,
            deadline=deadline or self.deadline,
        )

    def check(self) -> None:
        """Raise `TimedOut` if the time is up, or `Cancelled`.

        For loops in which there may be nothing to wait for: a peer that sends without a pause must not outlast the
        deadline."""
        if self.cancel.is_set:
            raise Cancelled
        if self.deadline.passed:
            raise self.deadline.expired()

    def wait(self, descriptor: int, events: int) -> None:
        """Wait for one descriptor. Raises `TimedOut` with the limit that passed, or `Cancelled`."""
        limit = self.deadline.within(
            self.silence_s, f"timed out: the peer was silent for {self.silence_s:g} s (--timeout)"
        )
        if not wait_any({descriptor: events}, limit, self.cancel):
            raise limit.expired()
