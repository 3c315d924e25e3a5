"""The progress of running transfers, on standard error: a line for each, only on a terminal, only after half a second.

    nightly.iso   62%  434.0 MiB  70.2 MiB/s  0:03 left
    12 of 40 files  34.5 MiB  4.1 MiB/s

The last line is there when a target has many parts. A pipe, a file or cron never sees any of it, nor does a terminal
that shows the bytes themselves. The lines make way for whatever else is printed. The clock here is for looks only; no
limit goes by it.

The runner of a command calls `start` and `finish` around each transfer, with `part=True` for the parts of a target;
`expect_parts` when the number of parts is known; `hidden` around whatever it prints; and `close` on every way out.
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

MIN_LABEL = 8
"""Columns of a shortened name that still say something."""


class TransferProgress:
    """One running transfer. Cheap when nobody looks: two additions a piece."""

    __slots__ = ("_meter", "done", "label", "part", "started", "total")

    def __init__(self, label: str, meter: "Meter | None", *, part: bool = False) -> None:
        self.label = label
        self.part = part
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
        self._running: list[TransferProgress] = []
        self._parts: PartsTotal | None = None
        self._drawn = 0
        self._closed = False
        self._next = time.monotonic() + DELAY_S
        self._lock = threading.Lock()

    def start(self, label: str, *, part: bool = False) -> TransferProgress:
        """A transfer begins. `part`: one of many that a target turned out to be; the total counts it."""
        progress = TransferProgress(label, self, part=part)
        with self._lock:
            self._running.append(progress)
            if part and self._parts is None:
                self._parts = PartsTotal(progress.started)
        return progress

    def expect_parts(self, count: int) -> None:
        """So many parts of a target there are in all; several targets add up. Until then the total says `?`."""
        with self._lock:
            if self._parts is None:
                self._parts = PartsTotal(time.monotonic())
            self._parts.expected = (self._parts.expected or 0) + count

    def finish(self, progress: TransferProgress) -> None:
        """A transfer has ended, or is not to be shown: its line goes away."""
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
        """Draw, if it is time to, and nobody else is printing."""
        if time.monotonic() < self._next or not self._lock.acquire(blocking=False):
            return
        try:
            self._draw(time.monotonic())
        finally:
            self._lock.release()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """The lines are gone, and nothing is drawn meanwhile: something else is printed, and they stand below it."""
        with self._lock:
            seen = self._drawn
            self._wipe()
            yield
            if seen and self._running:
                self._draw(time.monotonic())

    def close(self) -> None:
        """The lines are gone for good, also when a signal ends the command while transfers run."""
        with self._lock:
            self._wipe()
            self._closed = True

    def _wipe(self) -> None:
        _write(_up(self._drawn))
        self._drawn = 0

    def _draw(self, now: float) -> None:
        if self._closed:
            return
        self._next = now + INTERVAL_S
        size = _terminal_size()
        # What scrolls out of the terminal could not be taken back.
        lines = self._lines(now, size.columns, max(1, size.lines - 1))
        _write(_up(self._drawn) + "".join(line + "\n" for line in lines))
        self._drawn = len(lines)

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
    """The parts that have ended: how many of how many (None = not known yet), and their bytes."""

    started: float
    count: int = 0
    expected: int | None = None
    size: int = 0


def make_meter(*, quiet: bool, verbose: bool) -> Meter | None:
    """A meter if somebody can see it; the conversation on the same terminal tells enough by itself."""
    visible = not quiet and not verbose and sys.stderr is not None and sys.stderr.isatty()
    return Meter() if visible and os.environ.get("TERM") != "dumb" else None


def meter_line(progress: TransferProgress, now: float, width: int) -> str:
    """`name  62%  4.1 MiB  1.2 MiB/s  0:07 left`. Where that is too wide, the name is shortened first, and then the
    time left and the size go away."""
    elapsed = max(1e-9, now - progress.started)
    rate = progress.done / elapsed
    size, speed, percent, left = [format_size(progress.done)], [f"{format_size(int(rate))}/s"], [], []
    if progress.total:
        percent.append(f"{min(100, progress.done * 100 // progress.total):3d}%")
        if rate > 0:
            seconds = int(max(0, progress.total - progress.done) / rate)
            left.append(f"{seconds // 60}:{seconds % 60:02d} left")
    room = max(10, width - 1)
    for facts in (percent + size + speed + left, percent + size + speed, percent + speed, percent or speed):
        tail = "  ".join(facts)
        rest = room - len(tail) - 2
        if rest >= min(MIN_LABEL, _columns(progress.label)):
            break
    label = shorten(progress.label, max(0, rest))
    return _cut(f"{label}  {tail}" if label else tail, room)


def total_line(parts: PartsTotal, running: int, now: float, width: int) -> str:
    """`12 of 40 files  34.5 MiB  4.1 MiB/s`; `running` bytes belong to parts that have not ended."""
    size = parts.size + running
    rate = int(size / max(1e-9, now - parts.started))
    of = "?" if parts.expected is None else max(parts.expected, parts.count)
    return _cut(f"{parts.count} of {of} files  {format_size(size)}  {format_size(rate)}/s", max(10, width - 1))


def shorten(name: str, width: int) -> str:
    """A name within so many columns: its end tells more than its middle, its beginning more than nothing."""
    if _columns(name) <= width:
        return name
    mark = "…" if sys.stderr and (sys.stderr.encoding or "").lower().startswith("utf") else "..."
    room = width - len(mark)
    if room < 1:
        return ""
    head = _cut(name, room // 3)
    return f"{head}{mark}{_cut_front(name, room - _columns(head))}"


def _cut(text: str, width: int) -> str:
    """The beginning that fits into so many columns: a line that wraps would be two."""
    if text.isascii():
        return text[:width]
    columns = 0
    for at, character in enumerate(text):
        columns += _columns(character)
        if columns > width:
            return text[:at]
    return text


def _cut_front(text: str, width: int) -> str:
    """The end that fits, likewise, without an accent whose letter is gone."""
    columns = 0
    begin = len(text)
    for at in range(len(text) - 1, -1, -1):
        columns += (wide := _columns(text[at]))
        if columns > width:
            break
        begin = at if wide else begin
    return text[begin:]


def _columns(text: str) -> int:
    """The columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def _up(lines: int) -> str:
    """Back to the beginning of what was drawn, and all below it erased (ECMA-48 CR, CUU, ED). The cursor may stand
    behind the ^C that a terminal shows."""
    return f"\r\x1b[{lines}A\x1b[J" if lines else ""


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
