"""A clock that the test controls, and the fixture that makes one."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest


@dataclass
class ManualClock:
    """A clock that stands still until the test calls `advance`. Satisfies `inetcli.net.clock.Clock`."""

    seconds: float = 1000.0
    date: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.date

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> ManualClock:
    """A clock that the test controls."""
    return ManualClock()
