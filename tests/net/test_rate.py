import pytest

from inetcli.errors import TimedOut
from inetcli.net.rate import RateGuard


def test_a_window_that_falls_short_ends_the_transfer() -> None:
    guard = RateGuard(100)
    guard.count(1, 1000)
    guard.count(5000, 1059)
    with pytest.raises(TimedOut) as caught:
        guard.count(998, 1060)
    assert caught.value.message == "too slow: 5999 bytes came in 60 s, less than 100 bytes/s (--min-rate)"


def test_the_floor_itself_is_fast_enough() -> None:
    guard = RateGuard(100)
    guard.count(1, 1000)
    guard.count(5999, 1060)


def test_each_window_counts_for_itself() -> None:
    guard = RateGuard(100)
    guard.count(1_000_000, 0)
    guard.count(1, 60)
    guard.count(1, 90)
    with pytest.raises(TimedOut, match="2 bytes came in 60 s"):
        guard.count(1, 120)


def test_the_time_before_the_first_byte_does_not_count() -> None:
    guard = RateGuard(100)
    guard.count(1, 5000)
    guard.count(1, 5059.9)


def test_a_long_gap_counts_whole() -> None:
    guard = RateGuard(100)
    guard.count(6000, 0)
    with pytest.raises(TimedOut, match="6001 bytes came in 600 s"):
        guard.count(1, 600)


def test_zero_is_off() -> None:
    guard = RateGuard(0)
    for minute in range(10):
        guard.count(0, 60.0 * minute)
