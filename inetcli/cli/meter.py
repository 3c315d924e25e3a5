"""The progress of running transfers, on standard error: a line for each, only on a terminal, only after half a second.

A pipe, a file or cron never sees it, nor does a terminal that shows the bytes themselves. The lines go away before
anything else is printed. The clock here is for looks only; no limit goes by it.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from inetcli.wire.quantity import format_size

DELAY_S = 0.5
INTERVAL_S = 0.1


class Progress:
    """One running transfer. Cheap when nobody looks: two additions a piece."""

    __slots__ = ("_meter", "done", "label", "started", "total")

    def __init__(self, label: str, meter: "Meter | None") -> None:
        self.label = label
        self.total: int | None = None
        self.done = 0
        self.started = time.monotonic()
        self._meter = meter

    def expect(self, total: int | None) -> None:
        """A transfer of that many bytes begins; None = not known. After a retry it begins anew."""
        self.total = total
        self.done = 0
        self.started = time.monotonic()

    def hide(self) -> None:
        """Show nothing of this one: its bytes go to the terminal."""
        if self._meter:
            self._meter.finish(self)
            self._meter = None

    def advance(self, size: int) -> None:
        """`size` more bytes are done."""
        self.done += size
        if self._meter:
            self._meter.tick()


class Meter:
    """All running transfers, drawn together."""

    def __init__(self) -> None:
        self._running: list[Progress] = []
        self._drawn = 0
        self._next = time.monotonic() + DELAY_S
        self._lock = threading.Lock()

    def start(self, label: str) -> Progress:
        """A transfer begins."""
        progress = Progress(label, self)
        with self._lock:
            self._running.append(progress)
        return progress

    def finish(self, progress: Progress) -> None:
        """A transfer has ended, or is not to be shown: its line goes away."""
        with self.hidden():
            if progress in self._running:
                self._running.remove(progress)

    def tick(self) -> None:
        """Draw, if it is time to, and nobody else is printing."""
        if time.monotonic() < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            now = time.monotonic()
            self._next = now + INTERVAL_S
            size = _terminal_size()
            # What scrolls out of the terminal could not be taken back.
            lines = [meter_line(item, now, size.columns) for item in self._running if item.done][: size.lines - 1]
            _write(_up(self._drawn) + "".join(line + "\n" for line in lines))
            self._drawn = len(lines)
        finally:
            self._lock.release()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """The lines are gone, and nothing is drawn meanwhile: something else is printed."""
        with self._lock:
            _write(_up(self._drawn))
            self._drawn = 0
            yield


def make_meter(*, quiet: bool, verbose: bool) -> Meter | None:
    """A meter if somebody can see it; the conversation on the same terminal tells enough by itself."""
    visible = not quiet and not verbose and sys.stderr is not None and sys.stderr.isatty()
    return Meter() if visible and os.environ.get("TERM") != "dumb" else None


def meter_line(progress: Progress, now: float, width: int) -> str:
    """`name  62%  4.1 MiB/s  0:07 left`."""
    elapsed = max(1e-9, now - progress.started)
    rate = progress.done / elapsed
    parts = [progress.label]
    if progress.total:
        parts.append(f"{min(100, progress.done * 100 // progress.total):3d}%")
    parts += [format_size(progress.done), f"{format_size(int(rate))}/s"]
    if progress.total and rate > 0:
        left = int(max(0, progress.total - progress.done) / rate)
        parts.append(f"{left // 60}:{left % 60:02d} left")
    return _cut("  ".join(parts), max(10, width - 1))


def _cut(text: str, width: int) -> str:
    """The beginning that fits into so many columns: a line that wraps would be two."""
    if text.isascii():
        return text[:width]
    from unicodedata import combining, east_asian_width

    columns = 0
    for at, character in enumerate(text):
        columns += 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        if columns > width:
            return text[:at]
    return text


def _up(lines: int) -> str:
    """Back to the beginning of what was drawn, and all below it erased (ECMA-48 CUU, ED)."""
    return f"\x1b[{lines}A\x1b[J" if lines else ""


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass  # the terminal is gone: nobody is left to be shown


def _terminal_size() -> os.terminal_size:
    try:
        return os.get_terminal_size(2)
    except OSError:
        return os.terminal_size((80, 24))
