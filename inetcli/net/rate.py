"""Limits on the speed of a transfer: the lowest allowed speed (`--min-rate`) and the highest used one (`--limit-rate`).

A server that sends one byte every 20 seconds never reaches the silence limit. Therefore the speed of a transfer is
averaged over windows of 60 s, beginning with its first byte, and a window below the minimum ends the transfer.
"""

from inetcli.errors import TimedOut
from inetcli.net.wait import WaitLimits, wait_any

WINDOW_S = 60.0

STEP_S = 0.1
"""The time in seconds for which `RateLimiter` allows bytes at once; short, so that the peer sees a steady flow."""


class LowSpeedGuard:
    """A check of one transfer against a minimum speed. `min_rate` in bytes per second; 0 = off."""

    __slots__ = ("_bytes", "_min_rate", "_window_start")

    def __init__(self, min_rate: int) -> None:
        self._min_rate = min_rate
        self._window_start: float | None = None
        self._bytes = 0

    def count(self, size: int, now: float) -> None:
        """Count `size` bytes at `now` (monotonic seconds). Raises `TimedOut` if a window ends below the minimum."""
        if self._window_start is None:
            self._window_start = now
        self._bytes += size
        elapsed = now - self._window_start
        if elapsed < WINDOW_S:
            return
        if self._min_rate and self._bytes < self._min_rate * elapsed:
            rate = f"{self._bytes} bytes came in {elapsed:.0f} s, less than {self._min_rate} bytes/s"
            raise TimedOut(f"too slow: {rate} (--min-rate)")
        self._window_start, self._bytes = now, 0


class RateLimiter:
    """A limit of one transfer to `rate` bytes per second, counted from its first byte."""

    __slots__ = ("_bytes", "_rate", "_start")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._start: float | None = None
        self._bytes = 0

    def chunk_size(self, max_size: int) -> int:
        """Return the number of bytes to take at a time, at most `max_size`."""
        return max(1, min(max_size, int(self._rate * STEP_S)))

    def throttle(self, size: int, limits: WaitLimits) -> float:
        """Count `size` more bytes and wait until they are within the limit; return the number of seconds waited.

        Raises `TimedOut` if the deadline passes first, `Cancelled`.
        """
        clock = limits.deadline.clock
        now = clock.monotonic()
        if self._start is None:
            self._start = now
        self._bytes += size
        excess_s = self._start + self._bytes / self._rate - now
        if excess_s <= 0:
            return 0.0
        wait_any({}, limits.deadline.within(excess_s, ""), limits.cancel)
        if limits.deadline.passed:
            raise limits.deadline.timeout_error()
        return clock.monotonic() - now
