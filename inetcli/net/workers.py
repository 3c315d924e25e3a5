"""Many targets at once, with the answers in their order.

A few daemon threads take items and put results; the caller's thread hands the results out, in input order or as they
come. At most `jobs + window` items are taken and not yet handed out, so a slow one at the front does not let finished
ones pile up. The items are read by a thread of their own, because reading them may block (`-i -` on a pipe that stays
open), and what is done must be handed out meanwhile.

Stopping: whatever ends the caller's loop (Ctrl-C, a signal, an error, or just no interest in more) sets `cancel`, which
wakes every wait of the workers; they are given half a second to tidy up. Nobody waits for a reader that is stuck.
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
"""Finished results that may wait for their turn."""

JOIN_S = 0.5
"""How long all workers together may take to tidy up when they are stopped."""

NOBODY = -1
"""Nobody's turn: numbers begin with 0."""

Outcome = tuple[int, T, R | BaseException]


def run_ordered(
    items: Iterable[T],
    work: Callable[[T], R],
    *,
    jobs: int,
    cancel: Cancel,
    window: int = WINDOW,
    ordered: bool = True,
) -> Generator[tuple[T, R | BaseException], None, None]:
    """Do `work` for each item, `jobs` at a time; yield each item with its result, or with what `work` raised.

    With one job everything happens in the caller's thread, one item after the other, and what ends a program (not an
    `Exception`) passes through. An error while reading the items is raised when all results before it have been handed
    out. To stop early, close the generator: `cancel` is set then, and by anything else that ends it before its time.
    """
    if jobs == 1:  # nobody else is there to be cancelled
        for item in items:
            yield item, _try(work, item)
        return
    yield from _Pool(items, work, jobs, cancel, window).results(ordered)


class _Pool(Generic[T, R]):
    """One run: its threads, and the queues between them."""

    def __init__(self, items: Iterable[T], work: Callable[[T], R], jobs: int, cancel: Cancel, window: int) -> None:
        self._items = items
        self._work = work
        self._jobs = jobs
        self._cancel = cancel
        self._room = threading.Semaphore(jobs + window)
        self._waiting: queue.SimpleQueue[tuple[int, T] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome[T, R] | _End] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._workers: list[threading.Thread] = []

    def results(self, ordered: bool) -> Iterator[tuple[T, R | BaseException]]:
        try:
            threading.Thread(target=self._read_items, name="targets", daemon=True).start()
            error = yield from self._hand_out(ordered)
        except BaseException:
            self._stop()
            raise
        finally:
            self._join()
        if error:  # nothing is under way any more: this is no stop, and others may go on
            raise error

    def _hand_out(self, ordered: bool) -> Generator[tuple[T, R | BaseException], None, BaseException | None]:
        """All results; returns the error that ended the items, if one did."""
        early: dict[int, tuple[T, R | BaseException]] = {}
        due, count = 0, None
        end: _End | None = None
        while count is None or due < count:
            outcome = self._done.get()
            if isinstance(outcome, _End):
                end, count = outcome, outcome.count
                continue
            number, item, result = outcome
            if not ordered:
                due += 1
                self._room.release()
                yield item, result
                continue
            early[number] = item, result
            while due in early:
                finished = early.pop(due)
                due += 1
                self._room.release()
                yield finished
        return end.error if end else None

    def _read_items(self) -> None:
        """The thread of the reader: an item is asked for only when there is room for it."""
        count, error = 0, None
        try:
            items = iter(self._items)
            while self._room.acquire() and not self._stopped.is_set():
                try:
                    item = next(items)
                except StopIteration:
                    break
                if len(self._workers) < self._jobs:  # no more workers than there are items
                    self._start_worker()
                self._waiting.put((count, item))
                count += 1
        except BaseException as failure:  # noqa: BLE001 - raised again in the caller's thread
            error = failure
        self._done.put(_End(count, error))
        for _ in range(self._jobs):
            self._waiting.put(None)

    def _start_worker(self) -> None:
        worker = threading.Thread(target=self._run, name="job", daemon=True)
        try:
            worker.start()
        except RuntimeError:  # the system gives no more threads: those that run do all the work
            if not self._workers:
                raise
        else:
            self._workers.append(worker)

    def _run(self) -> None:
        """The thread of a worker. Whatever comes out of the work is handed over: nobody waits for what never comes."""
        while (taken := self._waiting.get()) is not None and not self._stopped.is_set():
            number, item = taken
            result: R | BaseException
            try:
                result = self._work(item)
            except BaseException as failure:  # noqa: BLE001 - handed to the caller, who tells a failure from a bug
                result = failure
            self._done.put((number, item, result))

    def _stop(self) -> None:
        self._stopped.set()  # before the others wake up: they must not begin anything new
        self._cancel.set()
        self._room.release()  # for the reader of items, should it wait for room
        for _ in range(self._jobs):
            self._waiting.put(None)

    def _join(self) -> None:
        clock = SystemClock()
        until = clock.monotonic() + JOIN_S
        for worker in list(self._workers):
            worker.join(max(0.0, until - clock.monotonic()))


@dataclass(frozen=True, slots=True)
class _End:
    """No more items: how many there were, and why, if that is an error."""

    count: int
    error: BaseException | None


def _try(work: Callable[[T], R], item: T) -> R | BaseException:
    try:
        return work(item)
    except Exception as error:  # noqa: BLE001 - handed to the caller, who tells a failure from a bug
        return error


class Turns:
    """Whose turn it is among numbered threads: a lock, to be held while `current` is looked at or set, and while
    whoever has the turn makes use of it. May be entered again by the thread that holds it."""

    def __init__(self) -> None:
        self.current = NOBODY
        self._lock = threading.RLock()

    def __enter__(self) -> "Turns":
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def give(self, number: int) -> None:
        """Give the turn to a number, or to `NOBODY`."""
        with self._lock:
            self.current = number
