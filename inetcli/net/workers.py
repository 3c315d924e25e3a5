"""Worker threads that process many items at once and give the results in input order.

Daemon threads, the workers, take items and put results into a queue. The caller's thread yields the results, in input
order or in the order in which they are done. At most `jobs + window` items are taken and not yet yielded, so that a
slow item at the front does not let finished results accumulate. Another thread reads the items, because reading may
block (`-i -` on a pipe that stays open) while finished results must be yielded.

Stopping: whenever the caller's loop ends early (Ctrl-C, a signal, an error, `close`), `cancel` is set, which ends every
wait of the workers. The workers then have half a second to clean up. The thread that reads the items is not waited for.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from inetcli.net.clock import SystemClock
from inetcli.net.wait import Cancel

T = TypeVar("T")
R = TypeVar("R")

WINDOW = 16
"""The number of finished results that may wait for their turn."""

JOIN_S = 0.5
"""The time that all workers together may take to clean up when they are stopped, in seconds."""

NO_TURN = -1
"""The value of `Turns.current` when no number has the turn. Numbers begin with 0."""

Outcome = tuple[int, T, R | BaseException]
"""The number of an item, the item, and its result or the exception of its work."""


def run_ordered(
    items: Iterable[T],
    work: Callable[[T], R],
    *,
    jobs: int,
    cancel: Cancel,
    window: int = WINDOW,
    ordered: bool = True,
) -> Generator[tuple[T, R | BaseException], None, None]:
    """Do `work` for each item, `jobs` at a time; yield each item with its result, or with the exception of `work`.

    With one job all work is done in the caller's thread, one item after the other, and a `BaseException` that is no
    `Exception` passes through. An error of reading the items is raised after all results before it were yielded. To
    stop early, close the generator; this, like every other early end, sets `cancel`.
    """
    if jobs == 1:  # No other thread needs to be cancelled.
        for item in items:
            yield item, _result_of(work, item)
        return
    yield from _Workers(items, work, jobs, cancel, window).results(ordered)


class _Workers(Generic[T, R]):
    """The threads of one run, and the queues between them."""

    def __init__(self, items: Iterable[T], work: Callable[[T], R], jobs: int, cancel: Cancel, window: int) -> None:
        self._items = items
        self._work = work
        self._jobs = jobs
        self._cancel = cancel
        self._capacity = threading.Semaphore(jobs + window)
        self._tasks: queue.SimpleQueue[tuple[int, T] | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[Outcome[T, R] | _EndOfItems] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._workers: list[threading.Thread] = []

    def results(self, ordered: bool) -> Iterator[tuple[T, R | BaseException]]:
        try:
            threading.Thread(target=self._read_items, name="targets", daemon=True).start()
            error = yield from self._yield_results(ordered)
        except BaseException:
            self._stop()
            raise
        finally:
            self._join()
        if error:  # All work is done: this error is no early end, and `cancel` stays unset for other users.
            raise error

    def _yield_results(self, ordered: bool) -> Generator[tuple[T, R | BaseException], None, BaseException | None]:
        """Yield all results, and return the error of reading the items, if there was one."""
        finished: dict[int, tuple[T, R | BaseException]] = {}
        due, count = 0, None
        end: _EndOfItems | None = None
        while count is None or due < count:
            outcome = self._outcomes.get()
            if isinstance(outcome, _EndOfItems):
                end, count = outcome, outcome.count
                continue
            number, item, result = outcome
            if not ordered:
                due += 1
                self._capacity.release()
                yield item, result
                continue
            finished[number] = item, result
            while due in finished:
                item_and_result = finished.pop(due)
                due += 1
                self._capacity.release()
                yield item_and_result
        return end.error if end else None

    def _read_items(self) -> None:
        """Read the items, on a thread of its own. The next item is read only when there is capacity for it."""
        count, error = 0, None
        try:
            items = iter(self._items)
            while self._capacity.acquire() and not self._stopped.is_set():
                try:
                    item = next(items)
                except StopIteration:
                    break
                if len(self._workers) < self._jobs:  # More workers than items are of no use.
                    self._start_worker()
                self._tasks.put((count, item))
                count += 1
        except BaseException as failure:  # noqa: BLE001 - raised again in the caller's thread
            error = failure
        self._outcomes.put(_EndOfItems(count, error))
        for _ in range(self._jobs):
            self._tasks.put(None)

    def _start_worker(self) -> None:
        worker = threading.Thread(target=self._run, name="job", daemon=True)
        try:
            worker.start()
        except RuntimeError:  # The system has no more threads; the workers that run do all the work.
            if not self._workers:
                raise
        else:
            self._workers.append(worker)

    def _run(self) -> None:
        """Run one worker on its thread. Every exception becomes an outcome, so that the caller never hangs."""
        while (taken := self._tasks.get()) is not None and not self._stopped.is_set():
            number, item = taken
            result: R | BaseException
            try:
                result = self._work(item)
            except BaseException as failure:  # noqa: BLE001 - passed to the caller, who separates failures from bugs
                result = failure
            self._outcomes.put((number, item, result))

    def _stop(self) -> None:
        self._stopped.set()  # before the workers wake up, so that they take no further item
        self._cancel.set()
        self._capacity.release()  # for the thread that reads the items, if it waits for capacity
        for _ in range(self._jobs):
            self._tasks.put(None)

    def _join(self) -> None:
        clock = SystemClock()
        until = clock.monotonic() + JOIN_S
        for worker in list(self._workers):
            worker.join(max(0.0, until - clock.monotonic()))


@dataclass(frozen=True, slots=True)
class _EndOfItems:
    """The end of the items: their number, and the error that ended the reading, if there was one."""

    count: int
    error: BaseException | None


def _result_of(work: Callable[[T], R], item: T) -> R | BaseException:
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 - passed to the caller, who separates failures from bugs
        return error


class Turns:
    """A reentrant lock with the number that has the turn, `current`.

    A thread must hold the lock while it reads or changes `current`, and while it does what only the number with the
    turn may do, such as printing.
    """

    def __init__(self) -> None:
        self.current = NO_TURN
        self._lock = threading.RLock()

    def __enter__(self) -> "Turns":
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def give(self, number: int) -> None:
        """Give the turn to a number. `NO_TURN`: no number has the turn."""
        with self._lock:
            self.current = number
