"""The clock: monotonic seconds for limits and durations, the date and time for output.

The clock is a parameter, so that tests can pass one that they control.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time."""

    def monotonic(self) -> float:
        """Return seconds since an unspecified start, never decreasing. For limits and durations."""

    def now(self) -> datetime:
        """Return the date and time in UTC. For output, never for a limit."""


class SystemClock:
    """The clock of the operating system."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)
