"""Deadlines: the point in time at which a wait must end, and the option that sets it.

Each target has one deadline (`--max-time`), which is passed down. `within` adds a shorter limit: the result is the
earlier of the two, with its reason. The reason names the option, so that the message of a timeout tells the user which
option to change. A deadline is a point in time and not a duration, so that several waits in a row share one limit.
"""

from dataclasses import dataclass, field

from inetcli.errors import TimedOut
from inetcli.net.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on a monotonic clock. `at`: seconds on that clock; None = no limit."""

    clock: Clock = field(default_factory=SystemClock)
    at: float | None = None
    reason: str = ""

    def within(self, seconds: float | None, reason: str) -> "Deadline":
        """Return the earlier of this deadline and `seconds` from now; None = this deadline.

        `reason` is the message of the error, such as "timed out: not done after 30 s (--max-time)".
        """
        if seconds is None:
            return self
        at = self.clock.monotonic() + seconds
        return self if self.at is not None and self.at <= at else Deadline(self.clock, at, reason)

    def left(self) -> float | None:
        """Return the seconds that are left, at least 0; None = no limit."""
        return None if self.at is None else max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self.left() == 0.0

    def timeout_error(self) -> TimedOut:
        """Return the error to raise when the deadline has passed."""
        return TimedOut(self.reason)
