"""Waiting for descriptors until one is ready, a deadline passes, or the program is stopped. Contains the only poll(2).

Every wait for the network uses this module. Therefore every wait has a limit and can be stopped. `close()` from another
thread does not wake a `recv`, so that `Cancel` uses a descriptor of its own, which is part of every poll.
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
"""The longest time of one poll(2), whose timeout is an int of milliseconds. Longer waits poll several times."""


class Cancelled(Exception):
    """The end of a wait because the program is being stopped. Not an error of a target."""


class Cancel:
    """A request to stop the program: a descriptor that becomes readable once and stays readable."""

    __slots__ = ("_read", "_write", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        """For loops that never block and must poll for cancellation."""
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK) if hasattr(os, "pipe2") else os.pipe()

    def fileno(self) -> int:
        """Return the descriptor to poll for reading."""
        return self._read

    def set(self) -> None:
        """End every wait, now and later. Any thread may call this method, any number of times."""
        self.is_set = True
        try:
            os.write(self._write, b"x")
        except BlockingIOError:
            pass  # The pipe is full, after 65536 calls.

    @contextmanager
    def woken_by_signals(self) -> Iterator[None]:
        """Let a signal with a handler wake every wait, during the `with`. For the main thread only.

        EINTR alone does not do this: a signal may arrive just before a wait begins, and the kernel may deliver it to a
        thread that does not run Python's signal handlers (as with a second Ctrl-C while the first is pending). The
        handler would then run only after the wait.
        """
        os.set_blocking(self._write, False)
        before = -1
        try:  # A handler may raise as soon as the descriptor is set.
            before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            yield
        finally:
            signal.set_wakeup_fd(before)

    def close(self) -> None:
        """Close the descriptors. No wait may be in progress."""
        os.close(self._read)
        os.close(self._write)


def wait_any(wanted: Mapping[int, int], deadline: Deadline, cancel: Cancel) -> list[int]:
    """Wait until at least one descriptor is ready and return the ready ones; an empty list = the deadline passed.

    A descriptor with an error is ready, too, and the next call on it raises the error. `wanted` maps descriptors to
    READ, WRITE or both. Raises `Cancelled`.
    """
    poll = select.poll()
    poll.register(cancel.fileno(), READ)
    for descriptor, events in wanted.items():
        poll.register(descriptor, events)
    while True:
        remaining_s = deadline.left()
        # Rounded up, because rounding down would make the last fraction of a millisecond a busy loop.
        timeout = int(min(_MAX_POLL_S if remaining_s is None else remaining_s, _MAX_POLL_S) * 1000 + 0.999)
        ready = [descriptor for descriptor, _ in poll.poll(timeout)]
        if cancel.fileno() in ready:
            raise Cancelled
        if ready or deadline.passed:
            return ready


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """The limits of waiting on one stream: the target's deadline, and the longest silence of the peer."""

    deadline: Deadline
    silence_s: float
    cancel: Cancel

    def override(self, silence_s: float | None = None, deadline: Deadline | None = None) -> "WaitLimits":
        """Return the limits with another silence limit or another deadline, for one call."""
        return replace(
            self,
            silence_s=self.silence_s if silence_s is None else silence_s,
            deadline=deadline or self.deadline,
        )

    def check(self) -> None:
        """Raise `TimedOut` if the deadline has passed, or `Cancelled`.

        For loops that may never wait: a peer that sends without a pause must not outlast the deadline.
        """
        if self.cancel.is_set:
            raise Cancelled
        if self.deadline.passed:
            raise self.deadline.timeout_error()

    def wait(self, descriptor: int, events: int) -> None:
        """Wait for one descriptor. Raises `TimedOut` with the limit that passed, or `Cancelled`."""
        limit = self.deadline.within(
            self.silence_s, f"timed out: the peer was silent for {self.silence_s:g} s (--timeout)"
        )
        if not wait_any({descriptor: events}, limit, self.cancel):
            raise limit.timeout_error()
