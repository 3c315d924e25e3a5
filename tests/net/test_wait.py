import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from inetcli.errors import TimedOut
from inetcli.net.deadline import Deadline
from inetcli.net.wait import READ, WRITE, Cancel, Cancelled, WaitLimits, wait_any


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_ready_descriptors_are_returned(ends, pipe, cancel: Cancel) -> None:
    ours, theirs = ends
    reading, _ = pipe
    theirs.send(b"x")
    assert wait_any({ours.fileno(): READ, reading: READ}, Deadline(), cancel) == [ours.fileno()]
    assert sorted(wait_any({ours.fileno(): WRITE, theirs.fileno(): WRITE}, Deadline(), cancel)) == sorted(
        (ours.fileno(), theirs.fileno())
    )


def test_passed_deadline_returns_an_empty_list(pipe, cancel: Cancel) -> None:
    assert wait_any({pipe[0]: READ}, Deadline().within(0.01, ""), cancel) == []


def test_ready_descriptors_are_returned_after_the_deadline(ends, clock, cancel: Cancel) -> None:
    ours, theirs = ends
    theirs.send(b"x")
    deadline = Deadline(clock).within(1, "")
    clock.advance(2)
    assert wait_any({ours.fileno(): READ}, deadline, cancel) == [ours.fileno()]


def test_the_clock_decides_when_the_deadline_has_passed(pipe, clock, cancel: Cancel, monkeypatch) -> None:
    asked: list[int] = []

    class Poll:
        def register(self, *_: int) -> None:
            pass

        def poll(self, timeout_ms: int) -> list[tuple[int, int]]:
            asked.append(timeout_ms)
            clock.advance(timeout_ms / 2000)  # half of it: poll(2) was early
            return []

    monkeypatch.setattr(select, "poll", Poll)
    assert wait_any({}, Deadline(clock).within(8, ""), cancel) == []
    assert asked[:4] == [8000, 4000, 2000, 1000]
    assert asked[-1] >= 1  # a fraction of a millisecond is slept, not spun


def test_wait_without_limit_polls_for_an_hour_at_a_time(clock, cancel: Cancel, monkeypatch) -> None:
    asked: list[int] = []

    class Poll:
        def register(self, *_: int) -> None:
            pass

        def poll(self, timeout_ms: int) -> list[tuple[int, int]]:
            asked.append(timeout_ms)
            return [(5, READ)] if len(asked) == 2 else []

    monkeypatch.setattr(select, "poll", Poll)
    assert wait_any({5: READ}, Deadline(clock), cancel) == [5]
    assert asked == [3_600_000, 3_600_000]


def test_a_closed_end_is_ready(ends, cancel: Cancel) -> None:
    ours, theirs = ends
    theirs.close()
    assert wait_any({ours.fileno(): READ}, Deadline(), cancel) == [ours.fileno()]


def test_closed_descriptor_is_ready(pipe, cancel: Cancel) -> None:
    stale = os.dup(pipe[0])
    os.close(stale)
    assert wait_any({stale: READ}, Deadline(), cancel) == [stale]


def test_cancel_has_precedence_and_lasts(ends, cancel: Cancel) -> None:
    ours, theirs = ends
    theirs.send(b"x")
    cancel.set()
    for _ in range(2):
        with pytest.raises(Cancelled):
            wait_any({ours.fileno(): READ}, Deadline(), cancel)


def test_cancel_wakes_waits_on_other_threads(pipe, cancel: Cancel, background) -> None:
    woken = threading.Semaphore(0)

    def wait() -> None:
        try:
            wait_any({pipe[0]: READ}, Deadline(), cancel)
        except Cancelled:
            woken.release()

    for _ in range(3):
        background(wait)
    cancel.set()
    for _ in range(3):
        assert woken.acquire(timeout=20)


def test_cancel_may_be_set_more_often_than_its_pipe_holds(cancel: Cancel) -> None:
    for _ in range(70_000):
        cancel.set()
    with pytest.raises(Cancelled):
        wait_any({}, Deadline(), cancel)


def test_wait_limits_report_the_limit_that_passed(pipe, cancel: Cancel) -> None:
    with pytest.raises(TimedOut) as caught:
        WaitLimits(Deadline(), 0.01, cancel).wait(pipe[0], READ)
    assert caught.value.message == "timed out: the peer was silent for 0.01 s (--timeout)"
    with pytest.raises(TimedOut) as caught:
        WaitLimits(Deadline().within(0.01, "over (--max-time)"), 20, cancel).wait(pipe[0], READ)
    assert caught.value.message == "over (--max-time)"


def test_wait_limits_return_when_the_descriptor_is_ready(pipe, limits: WaitLimits) -> None:
    limits.wait(pipe[1], WRITE)


class Stopped(Exception):
    """The exception of the signal handler."""


def test_a_signal_that_another_thread_got_wakes_the_wait(cancel: Cancel, background: Callable[..., object]) -> None:
    """Handlers run in the main thread, which gets no EINTR if the kernel chose another thread."""

    def stop(number: int, frame: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGUSR1, stop)
    begins = threading.Event()

    def interrupt() -> None:
        begins.wait()
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    def interrupted_wait() -> None:
        with cancel.woken_by_signals():
            begins.set()
            wait_any({}, limit, cancel)

    limit = Deadline().within(20.0, "")
    try:
        background(interrupt)
        with pytest.raises(Stopped):
            interrupted_wait()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not limit.passed
    assert signal.set_wakeup_fd(-1) == -1  # given back
