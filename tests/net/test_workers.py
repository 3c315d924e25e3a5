"""Work on many items at once: the order of results, limits, stopping, and whose turn it is."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from inetcli.net.deadline import Deadline
from inetcli.net.wait import Cancel, Cancelled, wait_any
from inetcli.net.workers import NO_TURN, Turns, run_ordered

LONG_S = 20.0


def is_set(cancel: Cancel) -> bool:
    try:
        wait_any({}, Deadline().within(0, ""), cancel)
    except Cancelled:
        return True
    return False


@pytest.mark.parametrize("jobs", [1, 2, 4, 9])
def test_every_item_has_its_result_in_input_order(cancel: Cancel, jobs: int) -> None:
    results = list(run_ordered(range(50), lambda n: n * n, jobs=jobs, cancel=cancel, window=3))
    assert results == [(n, n * n) for n in range(50)]


@pytest.mark.parametrize("jobs", [1, 4])
def test_no_items_give_no_results(cancel: Cancel, jobs: int) -> None:
    assert list(run_ordered([], str, jobs=jobs, cancel=cancel)) == []


def test_ordered_results_wait_for_their_turn(cancel: Cancel) -> None:
    done = [threading.Event() for _ in range(4)]
    finished = []

    def work(n: int) -> int:
        assert n == 3 or done[n + 1].wait(LONG_S)  # The last item finishes first.
        finished.append(n)
        done[n].set()
        return n

    assert [item for item, _ in run_ordered(range(4), work, jobs=4, cancel=cancel)] == [0, 1, 2, 3]
    assert finished == [3, 2, 1, 0]


def test_unordered_results_come_when_they_are_done(cancel: Cancel) -> None:
    handed_out = [threading.Event() for _ in range(4)]

    def work(n: int) -> int:
        assert n == 3 or handed_out[n + 1].wait(LONG_S)
        return n

    order = []
    for item, _ in run_ordered(range(4), work, jobs=4, cancel=cancel, ordered=False):
        order.append(item)
        handed_out[item].set()
    assert order == [3, 2, 1, 0]


def test_no_more_than_jobs_run_at_a_time(cancel: Cancel) -> None:
    running = threading.Semaphore(3)
    meeting = threading.Barrier(3, timeout=LONG_S)

    def work(_: int) -> None:
        assert running.acquire(blocking=False)
        meeting.wait()  # Three jobs must run at the same time.
        running.release()
        meeting.wait()

    assert all(result is None for _, result in run_ordered(range(9), work, jobs=3, cancel=cancel))


def test_behind_a_slow_item_jobs_and_window_items_are_taken(
    cancel: Cancel, background: Callable[..., threading.Thread]
) -> None:
    taken = [threading.Event() for _ in range(9)]
    go_on = threading.Event()

    def items() -> Iterator[int]:
        for n in range(9):
            taken[n].set()
            yield n

    def work(n: int) -> int:
        assert n or go_on.wait(LONG_S)
        return n

    def watch() -> None:
        assert taken[4].wait(LONG_S)
        assert not taken[5].wait(0.05)
        go_on.set()

    background(watch)
    assert [item for item, _ in run_ordered(items(), work, jobs=2, cancel=cancel, window=3)] == list(range(9))


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_exception_is_the_result_of_its_item_alone(cancel: Cancel, jobs: int) -> None:
    def work(n: int) -> int:
        if n == 1:
            raise ValueError("one")
        return n

    results = [result for _, result in run_ordered(range(3), work, jobs=jobs, cancel=cancel)]
    assert results[0] == 0
    assert isinstance(results[1], ValueError)
    assert results[2] == 2


@pytest.mark.parametrize("failure", [SystemExit(3), Cancelled()])
def test_a_base_exception_of_one_item_does_not_stop_the_others(cancel: Cancel, failure: BaseException) -> None:
    def work(n: int) -> int:
        if n == 1:
            raise failure
        return n

    assert list(run_ordered(range(3), work, jobs=2, cancel=cancel)) == [(0, 0), (1, failure), (2, 2)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_of_the_items_is_raised_after_the_results_before_it(cancel: Cancel, jobs: int) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("torn")

    results = run_ordered(items(), str, jobs=jobs, cancel=cancel)
    assert [next(results) for _ in range(5)] == [(n, str(n)) for n in range(5)]
    with pytest.raises(OSError, match="torn"):
        next(results)


def test_one_job_runs_in_the_callers_thread_when_its_result_is_requested(cancel: Cancel) -> None:
    taken = []
    threads = threading.active_count()

    def items() -> Iterator[int]:
        for n in range(3):
            taken.append(n)
            yield n

    results = run_ordered(items(), lambda _: (threading.get_ident(), threading.active_count()), jobs=1, cancel=cancel)
    assert next(results) == (0, (threading.get_ident(), threads))
    assert taken == [0]
    results.close()


def test_results_come_while_the_items_block_and_closing_does_not_wait_for_them(cancel: Cancel) -> None:
    never = threading.Event()

    def items() -> Iterator[int]:
        yield from (1, 2)
        never.wait(LONG_S)

    results = run_ordered(items(), str, jobs=4, cancel=cancel)
    assert [next(results), next(results)] == [(1, "1"), (2, "2")]
    before = time.monotonic()
    results.close()
    assert time.monotonic() - before < LONG_S / 4
    never.set()


def test_closing_wakes_the_waits_of_the_workers(cancel: Cancel) -> None:
    started = threading.Barrier(3, timeout=LONG_S)
    woken = []

    def work(n: int) -> int:
        started.wait()
        if n:
            try:
                wait_any({}, Deadline(), cancel)
            except Cancelled:
                woken.append(n)
                raise
        return n

    results = run_ordered(range(3), work, jobs=3, cancel=cancel, ordered=False)
    assert next(results) == (0, 0)
    results.close()
    assert sorted(woken) == [1, 2]
    assert is_set(cancel)


def test_a_worker_that_ignores_cancel_is_waited_for_half_a_second(cancel: Cancel) -> None:
    release, stuck = threading.Event(), threading.Event()

    def work(n: int) -> int:
        if n:
            stuck.set()
            release.wait(LONG_S)
        return n

    results = run_ordered(range(2), work, jobs=2, cancel=cancel)
    next(results)
    assert stuck.wait(LONG_S)
    before = time.monotonic()
    results.close()
    took = time.monotonic() - before
    release.set()
    assert 0.5 <= took < LONG_S / 4


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_normal_end_does_not_set_cancel(cancel: Cancel, jobs: int) -> None:
    assert len(list(run_ordered(range(20), str, jobs=jobs, cancel=cancel))) == 20
    assert not is_set(cancel)


@pytest.mark.parametrize("granted", [1, 2])
def test_fewer_threads_than_jobs_do_all_the_work(cancel: Cancel, monkeypatch: pytest.MonkeyPatch, granted: int) -> None:
    start = threading.Thread.start
    started = []

    def start_some(thread: threading.Thread) -> None:
        if thread.name == "job":
            if len(started) == granted:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    assert list(run_ordered(range(9), str, jobs=4, cancel=cancel)) == [(n, str(n)) for n in range(9)]


def test_without_any_thread_there_is_an_error_and_no_hang(cancel: Cancel, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def start_none(thread: threading.Thread) -> None:
        if thread.name == "job":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_none)
    with pytest.raises(RuntimeError, match="new thread"):
        list(run_ordered(range(9), str, jobs=4, cancel=cancel))


CTRL_C = """
import os, sys, threading
from inetcli.net.deadline import Deadline
from inetcli.net.workers import run_ordered
from inetcli.net.wait import Cancel, Cancelled, wait_any

cancel, ready = Cancel(), threading.Barrier(2)

def waits(n):
    if ready.wait() == 0:
        os.write(1, b"ready\\n")
    try:
        wait_any({}, Deadline(), cancel)
    except Cancelled:
        os.write(1, b"tidy\\n")
        raise

def sticks(n):
    if ready.wait() == 0:
        os.write(1, b"ready\\n")
    threading.Event().wait()

for outcome in run_ordered(range(100), globals()[sys.argv[1]], jobs=2, cancel=cancel):
    os.write(1, b"an outcome\\n")
"""


@pytest.mark.parametrize(("work", "tidied"), [("waits", b"tidy\ntidy\n"), ("sticks", b"")])
def test_ctrl_c_ends_the_program_whatever_the_workers_do(work: str, tidied: bytes) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CTRL_C, work], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ)
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        before = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.stdout.read() == tidied
        assert child.wait(LONG_S) == -signal.SIGINT
    assert time.monotonic() - before < 5  # JOIN_S is half a second; the machine may be busy.


def test_no_number_has_the_turn_at_first() -> None:
    turns = Turns()
    assert turns.current == NO_TURN
    turns.give(0)
    assert turns.current == 0
    turns.give(NO_TURN)
    assert turns.current == NO_TURN


def test_the_thread_that_holds_the_turns_may_enter_again_and_give_them() -> None:
    turns = Turns()
    with turns, turns:
        turns.give(3)
        assert turns.current == 3


def test_the_turn_does_not_change_while_another_thread_holds_the_turns(
    background: Callable[..., threading.Thread],
) -> None:
    turns = Turns()
    about_to_give = threading.Event()

    def give() -> None:
        about_to_give.set()
        turns.give(1)

    with turns:
        giver = background(give)
        assert about_to_give.wait(LONG_S)
        giver.join(0.05)
        assert giver.is_alive()
        assert turns.current == NO_TURN
    giver.join(LONG_S)
    assert turns.current == 1


def test_the_turns_are_released_by_an_exception(background: Callable[..., threading.Thread]) -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="x"), turns:
        raise ValueError("x")
    background(turns.give, 2).join(LONG_S)
    assert turns.current == 2
