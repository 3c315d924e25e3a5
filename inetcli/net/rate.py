"""The lowest speed that counts as alive: `--min-rate`.

A server that sends one byte every 20 seconds never trips a silence limit. So a transfer's speed is averaged over
windows of 60 s, from its first byte on, and a window that falls short ends it.
"""

from inetcli.errors import TimedOut

WINDOW_S = 60.0


class RateGuard:
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
