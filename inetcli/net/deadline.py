"""When a wait has to be over, and which limit says so.

One deadline is made per target (`--max-time`) and passed down. A shorter limit is laid inside it with `within`: the
result is the sooner of the two, and carries the words for the message, so that whoever times out says which option to
turn. A limit is a point of time and not a duration: seconds that were spent are never granted twice.
"""

from dataclasses import dataclass, field

from inetcli.errors import TimedOut
from inetcli.net.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point of time on a monotonic clock, in seconds; None = no limit."""

    clock: Clock = field(default_factory=SystemClock)
    at: float | None = None
    reason: str = ""

    def within(self, seconds: float | None, reason: str) -> "Deadline":
        """The sooner of this one and `seconds` from now. `reason` completes "timed out: ...", as in
        "no answer for 30 s (--timeout)"."""
        if seconds is None:
            return self
        at = self.clock.monotonic() + seconds
        return self if self.at is not None and self.at <= at else Deadline(self.clock, at, reason)

    def left(self) -> float | None:
        """Seconds that are left, not below 0; None = no limit."""
        return None if self.at is None else max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return self.left() == 0.0

    def expired(self) -> TimedOut:
        """The error to raise when the time is up."""
        return TimedOut(self.reason)
