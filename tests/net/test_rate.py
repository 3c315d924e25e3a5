import pytest

from inetcli.errors import TimedOut
from inetcli.net.deadline import Deadline
from inetcli.net.rate import LowSpeedGuard, RateLimiter
from inetcli.net.wait import Cancel, WaitLimits


def test_window_below_the_minimum_ends_the_transfer() -> None:
    guard = LowSpeedGuard(100)
    guard.count(1, 1000)
    guard.count(5000, 1059)
    with pytest.raises(TimedOut) as caught:
        guard.count(998, 1060)
    assert caught.value.message == "too slow: 5999 bytes came in 60 s, less than 100 bytes/s (--min-rate)"


def test_minimum_rate_itself_is_allowed() -> None:
    guard = LowSpeedGuard(100)
    guard.count(1, 1000)
    guard.count(5999, 1060)


def test_each_window_counts_for_itself() -> None:
    guard = LowSpeedGuard(100)
    guard.count(1_000_000, 0)
    guard.count(1, 60)
    guard.count(1, 90)
    with pytest.raises(TimedOut, match="2 bytes came in 60 s"):
        guard.count(1, 120)


def test_the_time_before_the_first_byte_does_not_count() -> None:
    guard = LowSpeedGuard(100)
    guard.count(1, 5000)
    guard.count(1, 5059.9)


def test_long_pause_counts_completely() -> None:
    guard = LowSpeedGuard(100)
    guard.count(6000, 0)
    with pytest.raises(TimedOut, match="6001 bytes came in 600 s"):
        guard.count(1, 600)


def test_zero_is_off() -> None:
    guard = LowSpeedGuard(0)
    for minute in range(10):
        guard.count(0, 60.0 * minute)


class Waits:
    """A replacement of the poll: waiting moves the clock."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.seconds: list[float] = []

    def __call__(self, wanted, deadline: Deadline, cancel: Cancel) -> list[int]:
        left = deadline.left()
        assert not wanted
        assert left is not None
        self.seconds.append(round(left, 6))
        self.clock.advance(left)
        return []


@pytest.fixture
def waits(clock, monkeypatch: pytest.MonkeyPatch) -> Waits:
    waits = Waits(clock)
    monkeypatch.setattr("inetcli.net.rate.wait_any", waits)
    return waits


def test_chunk_size_is_a_tenth_of_a_second() -> None:
    assert [RateLimiter(1000).chunk_size(most) for most in (1, 50, 1 << 18)] == [1, 50, 100]
    assert RateLimiter(1).chunk_size(1 << 18) == 1
    assert RateLimiter(1 << 40).chunk_size(1 << 18) == 1 << 18


def test_throttle_waits_for_excess_bytes(clock, cancel: Cancel, waits: Waits) -> None:
    limiter, limits = RateLimiter(1000), WaitLimits(Deadline(clock), 20, cancel)
    assert limiter.throttle(100, limits) == pytest.approx(0.1)
    clock.advance(0.04)
    assert limiter.throttle(100, limits) == pytest.approx(0.06)
    assert waits.seconds == [0.1, 0.06]


def test_throttle_does_not_wait_below_the_limit(clock, cancel: Cancel, waits: Waits) -> None:
    limiter, limits = RateLimiter(1000), WaitLimits(Deadline(clock), 20, cancel)
    limiter.throttle(100, limits)
    clock.advance(10)
    assert limiter.throttle(100, limits) == 0.0
    assert waits.seconds == [0.1]


def test_throttle_ends_at_the_deadline(clock, cancel: Cancel, waits: Waits) -> None:
    limits = WaitLimits(Deadline(clock).within(0.05, "over (--max-time)"), 20, cancel)
    with pytest.raises(TimedOut, match="--max-time"):
        RateLimiter(1000).throttle(1000, limits)
    assert waits.seconds == [0.05]
