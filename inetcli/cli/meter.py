"""The progress of running transfers, on standard error: one line each, only on a terminal, only after half a second.

    nightly.iso   62%  434.0 MiB  70.2 MiB/s  0:03 left
    12 of 40 files  34.5 MiB  4.1 MiB/s

The last line appears if a target has many parts. Nothing is drawn in a pipe, a file or a cron job, or while payload
goes to the same terminal. The lines are erased while other text is printed. The clock in this module is for display
only; no time limit depends on it.

The runner of a command calls `start` and `finish` around each transfer, with `part=True` for the parts of a target;
`expect_parts` when the number of parts is known; `suspended` around all other printing; and `close` on every exit.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inetcli.wire.quantity import format_size

DELAY_S = 0.5
INTERVAL_S = 0.1

ERASE = "\r\x1b[J"
"""ECMA-48 CR and ED: erase everything from the line of the cursor on.

The cursor stays on the first line that is drawn, so one sequence erases any number of lines, also lines that were drawn
in part. CR comes first, because the terminal may have echoed a ^C.
"""

MIN_LABEL = 8
"""Columns of the shortest useful form of a name."""


class TransferProgress:
    """The progress of one transfer. Cheap without a meter: two additions for each piece of data."""

    __slots__ = ("_meter", "done", "label", "part", "started", "total")

    def __init__(self, label: str, meter: "Meter | None", *, part: bool = False) -> None:
        self.label = label
        self.part = part
        self.total: int | None = None
        self.done = 0
        self.started = time.monotonic()
        self._meter = meter

    def expect(self, total: int | None) -> None:
        """Start a transfer of `total` bytes; None = unknown. A retry starts again from 0."""
        self.total = total
        self.done = 0
        self.started = time.monotonic()

    def hide(self) -> None:
        """Draw nothing for this transfer: its bytes go to the terminal."""
        if self._meter:
            self._meter.finish(self)
            self._meter = None

    def advance(self, size: int) -> None:
        """Add `size` transferred bytes."""
        self.done += size
        if self._meter:
            self._meter.tick()


class Meter:
    """The display of all running transfers."""

    def __init__(self) -> None:
        self._running: list[TransferProgress] = []
        self._parts: PartsTotal | None = None
        self._shown = False
        self._closed = False
        self._next = time.monotonic() + DELAY_S
        self._lock = threading.Lock()

    def start(self, label: str, *, part: bool = False) -> TransferProgress:
        """Add a transfer. `part`: one of the parts of a target, counted in the total."""
        progress = TransferProgress(label, self, part=part)
        with self._lock:
            self._running.append(progress)
            if part and self._parts is None:
                self._parts = PartsTotal(progress.started)
        return progress

    def expect_parts(self, count: int) -> None:
        """Add to the expected number of parts; several targets add up. Until then the total shows `?`."""
        with self._lock:
            if self._parts is None:
                self._parts = PartsTotal(time.monotonic())
            self._parts.expected = (self._parts.expected or 0) + count

    def finish(self, progress: TransferProgress) -> None:
        """Remove a transfer and its line, at its end or because it must not be shown."""
        with self._lock:
            if progress not in self._running:
                return
            self._running.remove(progress)
            if progress.part and self._parts:
                self._parts.count += 1
                self._parts.size += progress.done
            if not self._running:
                self._wipe()
            elif (now := time.monotonic()) >= self._next:
                self._draw(now)

    def tick(self) -> None:
        """Draw if the interval has passed and no other thread is printing."""
        if time.monotonic() < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            self._draw(time.monotonic())
        finally:
            self._lock.release()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Erase the lines and draw nothing while other text is printed; then draw them again below it."""
        with self._lock:
            seen = self._shown
            self._wipe()
            yield
            if seen and self._running:
                self._draw(time.monotonic())

    def close(self) -> None:
        """Erase the lines and stop drawing, also if a signal ends the command during a transfer."""
        with self._lock:
            self._wipe()
            self._closed = True

    def _wipe(self) -> None:
        if self._shown:
            _write(ERASE)
            self._shown = False

    def _draw(self, now: float) -> None:
        if self._closed:
            return
        self._next = now + INTERVAL_S
        size = _terminal_size()
        # Lines that scroll out of the terminal could not be erased.
        if lines := self._lines(now, size.columns, max(1, size.lines - 1)):
            erase = ERASE if self._shown else ""
            # A signal may end the writing, or come right behind it: erasing what was not drawn does no harm.
            self._shown = True
            _write(erase + "\n".join(lines) + _back_to_the_first(len(lines)))
        else:
            self._wipe()

    def _lines(self, now: float, width: int, height: int) -> list[str]:
        running = [meter_line(item, now, width) for item in self._running if item.done]
        if not self._parts:
            return running[:height]
        parts = [item for item in self._running if item.part]
        if len(parts) + self._parts.count < 2 and (self._parts.expected or 0) < 2:
            return running[:height]
        return [*running[: height - 1], total_line(self._parts, sum(item.done for item in parts), now, width)]


@dataclass(slots=True)
class PartsTotal:
    """The number of finished parts, the expected number (None = not known yet), and the bytes of the finished parts."""

    started: float
    count: int = 0
    expected: int | None = None
    size: int = 0


def make_meter(*, quiet: bool, verbose: bool) -> Meter | None:
    """Return a meter if it would be visible; None with `-q`, `-v` or without a terminal."""
    visible = not quiet and not verbose and sys.stderr is not None and sys.stderr.isatty()
    return Meter() if visible and os.environ.get("TERM") != "dumb" else None


def meter_line(progress: TransferProgress, now: float, width: int) -> str:
    """Format `name  62%  4.1 MiB  1.2 MiB/s  0:07 left`. If it is too wide, the name is shortened first; then the time
    left and the size are omitted."""
    elapsed = max(1e-9, now - progress.started)
    rate = progress.done / elapsed
    size, speed, percent, left = [format_size(progress.done)], [f"{format_size(int(rate))}/s"], [], []
    if progress.total:
        percent.append(f"{min(100, progress.done * 100 // progress.total):3d}%")
        if rate > 0:
            seconds = int(max(0, progress.total - progress.done) / rate)
            left.append(f"{seconds // 60}:{seconds % 60:02d} left")
    available = max(10, width - 1)
    for facts in (percent + size + speed + left, percent + size + speed, percent + speed, percent or speed):
        tail = "  ".join(facts)
        label_width = available - len(tail) - 2
        if label_width >= min(MIN_LABEL, _columns(progress.label)):
            break
    label = shorten(progress.label, max(0, label_width))
    return _truncate(f"{label}  {tail}" if label else tail, available)


def total_line(parts: PartsTotal, running: int, now: float, width: int) -> str:
    """Format `12 of 40 files  34.5 MiB  4.1 MiB/s`; `running` = bytes of the parts that are not finished."""
    size = parts.size + running
    rate = int(size / max(1e-9, now - parts.started))
    expected = "?" if parts.expected is None else max(parts.expected, parts.count)
    return _truncate(
        f"{parts.count} of {expected} files  {format_size(size)}  {format_size(rate)}/s", max(10, width - 1)
    )


def shorten(name: str, width: int) -> str:
    """Shorten a name to a number of columns: most of its end and some of its beginning, with a mark between."""
    if _columns(name) <= width:
        return name
    mark = "…" if sys.stderr and (sys.stderr.encoding or "").lower().startswith("utf") else "..."
    available = width - len(mark)
    if available < 1:
        return ""
    head = _truncate(name, available // 3)
    return f"{head}{mark}{_truncate_start(name, available - _columns(head))}"


def _truncate(text: str, width: int) -> str:
    """Return the beginning that fits into the columns: a line must not wrap."""
    if text.isascii():
        return text[:width]
    columns = 0
    for at, character in enumerate(text):
        columns += _columns(character)
        if columns > width:
            return text[:at]
    return text


def _truncate_start(text: str, width: int) -> str:
    """Return the end that fits into the columns, without a combining character whose letter is cut off."""
    columns = 0
    start = len(text)
    for at in range(len(text) - 1, -1, -1):
        columns += (wide := _columns(text[at]))
        if columns > width:
            break
        start = at if wide else start
    return text[start:]


def _columns(text: str) -> int:
    """Return the number of columns of a text on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _back_to_the_first(lines: int) -> str:
    """Return the sequence that moves from the last drawn line to the beginning of the first (ECMA-48 CR, CUU)."""
    return f"\r\x1b[{lines - 1}A" if lines > 1 else "\r"


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass  # the terminal is closed


def _terminal_size() -> os.terminal_size:
    try:
        size = os.get_terminal_size(2)
    except OSError:
        return os.terminal_size((80, 24))
    return os.terminal_size((size.columns or 80, size.lines or 24))
