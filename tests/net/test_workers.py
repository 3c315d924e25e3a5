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
from inetcli.net.workers import run_ordered

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
        assert n == 3 or done[n + 1].wait(LONG_S)  # the last one finishes first
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
        meeting.wait()  # all three at once, not fewer
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
def test_a_worker_that_is_ended_holds_nobody_up(cancel: Cancel, failure: BaseException) -> None:
    def work(n: int) -> int:
        if n == 1:
            raise failure
        return n

    assert list(run_ordered(range(3), work, jobs=2, cancel=cancel)) == [(0, 0), (1, failure), (2, 2)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_of_the_source_comes_behind_the_results_before_it(cancel: Cancel, jobs: int) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("torn")

    results = run_ordered(items(), str, jobs=jobs, cancel=cancel)
    assert [next(results) for _ in range(5)] == [(n, str(n)) for n in range(5)]
    with pytest.raises(OSError, match="torn"):
        next(results)


def test_one_job_runs_in_the_callers_thread_as_its_results_are_asked_for(cancel: Cancel) -> None:
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


def test_results_come_while_the_source_blocks_and_closing_does_not_wait_for_it(cancel: Cancel) -> None:
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


def test_a_worker_that_cannot_be_woken_is_waited_for_half_a_second(cancel: Cancel) -> None:
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
def test_an_end_in_peace_cancels_nothing(cancel: Cancel, jobs: int) -> None:
    assert len(list(run_ordered(range(20), str, jobs=jobs, cancel=cancel))) == 20
    assert not is_set(cancel)


@pytest.mark.parametrize("granted", [1, 2])
def test_fewer_threads_than_jobs_do_all_the_work(cancel: Cancel, monkeypatch: pytest.MonkeyPatch, granted: int) -> None:
    start = threading.Thread.start
    started = []

    def grudging(thread: threading.Thread) -> None:
        if thread.name == "job":
            if len(started) == granted:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", grudging)
    assert list(run_ordered(range(9), str, jobs=4, cancel=cancel)) == [(n, str(n)) for n in range(9)]


def test_no_thread_at_all_is_an_error_and_no_hang(cancel: Cancel, monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refusing(thread: threading.Thread) -> None:
        if thread.name == "job":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refusing)
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
    assert time.monotonic() - before < 5  # half a second, on a machine that is busy
