"""The clock: monotonic seconds for limits and durations, the date for what people read. Injected: tests own it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def monotonic(self) -> float:
        """Seconds from an unknown start, never going back: for every limit and every duration."""

    def now(self) -> datetime:
        """The date, in UTC: for what is shown, never for a limit."""


class SystemClock:
    """The real one."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)
