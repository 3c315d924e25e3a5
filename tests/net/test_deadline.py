"""Deadlines: the earlier limit counts, and its reason is the message."""

import time
from datetime import UTC

from inetcli.errors import TimedOut
from inetcli.net.clock import SystemClock
from inetcli.net.deadline import Deadline


def test_no_limit_never_passes(clock) -> None:
    deadline = Deadline(clock)
    clock.advance(1e9)
    assert deadline.left() is None
    assert not deadline.passed


def test_a_limit_counts_down_to_zero(clock) -> None:
    deadline = Deadline(clock).within(5, "late")
    assert deadline.left() == 5
    clock.advance(4)
    assert (deadline.left(), deadline.passed) == (1, False)
    clock.advance(1)
    assert (deadline.left(), deadline.passed) == (0, True)
    clock.advance(10)
    assert (deadline.left(), deadline.passed) == (0, True)


def test_the_sooner_of_two_limits_counts_and_gives_its_reason(clock) -> None:
    outer = Deadline(clock).within(10, "outer")
    assert outer.within(3, "inner").reason == "inner"
    assert outer.within(30, "inner") is outer
    assert outer.within(None, "inner") is outer
    clock.advance(8)
    assert outer.within(3, "inner").reason == "outer"


def test_of_equal_limits_the_outer_one_counts(clock) -> None:
    outer = Deadline(clock).within(10, "outer")
    assert outer.within(10, "inner") is outer


def test_a_limit_within_a_deadline_does_not_extend_it(clock) -> None:
    deadline = Deadline(clock).within(10, "late")
    clock.advance(9)
    assert deadline.within(5, "x").left() == 1


def test_the_error_names_the_limit(clock) -> None:
    error = Deadline(clock).within(0, "timed out: not done after 5 s (--max-time)").timeout_error()
    assert isinstance(error, TimedOut)
    assert error.message == "timed out: not done after 5 s (--max-time)"


def test_the_system_clock_is_monotonic_and_in_utc() -> None:
    clock = SystemClock()
    before, here, after = time.monotonic(), clock.monotonic(), time.monotonic()
    assert before <= here <= after
    assert clock.now().tzinfo is UTC
    assert abs(clock.now().timestamp() - time.time()) < 60
