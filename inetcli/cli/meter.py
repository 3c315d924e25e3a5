"""The progress of running transfers, on standard error: a line for each, only on a terminal, only after half a second.

A pipe, a file or cron never sees it. The clock here is for looks only; no limit goes by it.
"""

import os
import sys
import threading
import time

from inetcli.wire.quantity import show_size

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
        """How many bytes it will be; None = not known."""
        self.total = total

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
        """A transfer has ended: its line goes away."""
        with self._lock:
            self._running.remove(progress)
            self._erase()

    def tick(self) -> None:
        """Draw, if it is time to."""
        if time.monotonic() < self._next:
            return
        with self._lock:
            self._next = time.monotonic() + INTERVAL_S
            self._erase()
            now = time.monotonic()
            width = _width()
            lines = [meter_line(item, now, width) for item in self._running if item.done]
            self._drawn = len(lines)
            if lines:
                sys.stderr.write("".join(line + "\n" for line in lines))
                sys.stderr.flush()

    def clear(self) -> None:
        """Take the lines away, because something else is to be printed."""
        with self._lock:
            self._erase()

    def _erase(self) -> None:
        if self._drawn:
            sys.stderr.write(f"\x1b[{self._drawn}A\x1b[J")
            sys.stderr.flush()
            self._drawn = 0


def make_meter(*, quiet: bool) -> Meter | None:
    """A meter if somebody can see it."""
    visible = not quiet and sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return Meter() if visible else None


def meter_line(progress: Progress, now: float, width: int) -> str:
    """`name  62%  4.1 MiB/s  0:07 left`."""
    elapsed = max(1e-9, now - progress.started)
    rate = progress.done / elapsed
    parts = [progress.label]
    if progress.total:
        parts.append(f"{min(100, progress.done * 100 // progress.total):3d}%")
    parts += [show_size(progress.done), f"{show_size(int(rate))}/s"]
    if progress.total and rate > 0:
        left = int(max(0, progress.total - progress.done) / rate)
        parts.append(f"{left // 60}:{left % 60:02d} left")
    return "  ".join(parts)[: max(10, width - 1)]


def _width() -> int:
    try:
        return os.get_terminal_size(2).columns
    except OSError:
        return 80
