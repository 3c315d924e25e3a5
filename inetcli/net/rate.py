"""The lowest speed that counts as alive, `--min-rate`, and the highest that is taken, `--limit-rate`.

A server that sends one byte every 20 seconds never trips a silence limit. So a transfer's speed is averaged over
windows of 60 s, from its first byte on, and a window that falls short ends it.
"""

from inetcli.errors import TimedOut
from inetcli.net.wait import WaitLimits, wait_any

WINDOW_S = 60.0

STEP_S = 0.1
"""The time whose bytes are taken at once at a limited speed: short, so that the peer sees a steady flow."""


class LowSpeedGuard:
    """Watches one transfer. `floor` in bytes per second, 0 = off."""

    __slots__ = ("_bytes", "_floor", "_opened")

    def __init__(self, floor: int) -> None:
        self._floor = floor
        self._opened: float | None = None
        self._bytes = 0

    def count(self, size: int, now: float) -> None:
        """`size` bytes came at `now` (monotonic seconds). Raises `TimedOut` when the window that ends was too slow."""
        if self._opened is None:
            self._opened = now
        self._bytes += size
        elapsed = now - self._opened
        if elapsed < WINDOW_S:
            return
        if self._floor and self._bytes < self._floor * elapsed:
            raise TimedOut(
                f"too slow: {self._bytes} bytes came in {elapsed:.0f} s, less than {self._floor} bytes/s (--min-rate)"
            )
        self._opened, self._bytes = now, 0


class RateLimiter:
    """Keeps one transfer at no more than `rate` bytes a second, counted from its first byte."""

    __slots__ = ("_begun", "_bytes", "_rate")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._begun: float | None = None
        self._bytes = 0

    def piece(self, most: int) -> int:
        """How many bytes to take at a time."""
        return max(1, min(most, int(self._rate * STEP_S)))

    def keep(self, size: int, limits: WaitLimits) -> float:
        """`size` more bytes have been moved: wait until that is not too fast; return how many seconds that took.

        Raises `TimedOut` when the deadline passes meanwhile, `Cancelled`.
        """
        clock = limits.deadline.clock
        now = clock.monotonic()
        if self._begun is None:
            self._begun = now
        self._bytes += size
        early = self._begun + self._bytes / self._rate - now
        if early <= 0:
            return 0.0
        wait_any({}, limits.deadline.within(early, ""), limits.cancel)
        if limits.deadline.passed:
            raise limits.deadline.expired()
        return clock.monotonic() - now
