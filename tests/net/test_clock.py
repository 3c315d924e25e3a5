"""The clock of the system."""

from datetime import UTC, datetime, timedelta

from support.clock import ManualClock

from inetcli.net.clock import Clock, SystemClock


def test_the_monotonic_clock_never_decreases() -> None:
    clock = SystemClock()
    seen = [clock.monotonic() for _ in range(1000)]
    assert seen == sorted(seen)


def test_the_date_is_that_of_the_system_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    after = datetime.now(UTC)
    assert before <= now <= after
    assert now.utcoffset() == timedelta()


def test_the_manual_clock_stands_still_until_advance(clock: ManualClock) -> None:
    given: Clock = clock
    start = given.monotonic()
    assert (given.monotonic(), given.now()) == (start, given.now())
    clock.advance(2.5)
    assert given.monotonic() == start + 2.5
