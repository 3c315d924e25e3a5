"""The record of one target's conversation.

Every byte that goes out or comes in is told to the trace with its channel, as it passes; so are the phases and the
remarks (`*`). `-v` listens to the trace, `--timing` and `timing_ms` read the phases from it. A trace keeps times, never
bytes: a listener that wants those gets them once. Secrets do not reach a trace: the sender hands over the masked form.

The phases on the main channel follow one another:

    resolve, connect, tls     timed where they take place (`phase`); a look-up begins a new connection, and a new record
    login                     what has passed since the phase before (`lap`), be it in two pieces
    commands                  from there up to the last request before the first byte of its answer (`follow`)
    first_byte                from the last byte of that request to that first byte

Where data has a channel of its own, the first byte that comes there ends `first_byte`; and once a byte has passed
there, either way, later requests change nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from inetcli.net.clock import Clock, SystemClock

MAIN = "main"
"""The channel of the connection that the conversation is held on; FTP has "data" beside it."""


class EventKind(Enum):
    """The subject of an event; the value is its mark in `-v`."""

    SENT = ">"
    RECEIVED = "<"
    REMARK = "*"


@dataclass(frozen=True, slots=True)
class Event:
    """One event, `at` seconds after the target's start.

    `size` counts the bytes, also where `data` does not hold them: bytes that the kernel moved from socket to file.
    `whole` = `data` is a message of its own (a datagram), not a piece of a stream.
    """

    at: float
    kind: EventKind
    channel: str
    data: bytes
    size: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A phase: its start after the target's start, and how long it took, in seconds."""

    start: float
    duration: float


Listener = Callable[[Event], None]


class Trace:
    """The record of what happened on the way to one target. Times are seconds since it was made."""

    def __init__(self, clock: Clock | None = None, listener: Listener | None = None) -> None:
        self._clock = clock or SystemClock()
        self._listener = listener
        self._origin = self._clock.monotonic()
        self._asked_at: float | None = None
        self._settled: float | None = None
        self._lap_start = 0.0
        """Where the last phase ended."""
        self._followed: str | None = None
        """The phase that the requests belong to."""
        self._delivered = False
        """The first byte on a channel beside the main one has passed."""
        self.phases: dict[str, Span] = {}
        """The phases that took place, those of the last connection."""
        self.received_bytes = 0
        self.sent_bytes = 0

    def elapsed(self) -> float:
        """Seconds since the target's start, up to `freeze_timing`."""
        return self._settled if self._settled is not None else self._clock.monotonic() - self._origin

    def freeze_timing(self) -> None:
        """Leave what follows the answer (QUIT, a close) out of its times."""
        if self._settled is None:
            self._settled = self.elapsed()

    def resume(self) -> None:
        """Begin another attempt: its time counts, too, and the phases are its own."""
        self._settled = None
        self._start_over()

    def sent(self, channel: str, data: bytes | memoryview, *, at: float | None = None, whole: bool = False) -> None:
        """Record that `data` went out, the last of it `at` this `now()`; secrets in it are masked already.

        The sender gives the time from before its call: when that returns, the peer on a busy machine may have answered.
        """
        at = self.now() if at is None else at
        self.sent_bytes += len(data)
        if channel != MAIN:
            self._delivered = True
        elif self._settled is None and not self._delivered:
            self._asked_at = at
        if self._listener:
            self._listener(Event(at, EventKind.SENT, channel, bytes(data), len(data), whole))

    def received(self, channel: str, data: bytes | bytearray | memoryview, *, whole: bool = False) -> None:
        """Record that `data` came in."""
        self.moved(channel, len(data), data, whole=whole)

    def moved(
        self, channel: str, size: int, data: bytes | bytearray | memoryview = b"", *, whole: bool = False
    ) -> None:
        """Record that `size` bytes came in, also where `data` does not hold them."""
        now = self.now()
        self.received_bytes += size
        if self._asked_at is not None:
            self._end_request(self._asked_at, now)
            self._asked_at = None
        if channel != MAIN and not self._delivered and self._settled is None:
            self._delivered = True
            if request := self.phases.get("first_byte"):
                self._end_request(request.start, now)
        if self._listener:
            self._listener(Event(now, EventKind.RECEIVED, channel, bytes(data), size, whole))

    def remark(self, text: str, channel: str = MAIN) -> None:
        """Record a line for `-v`: where the connection went, what TLS agreed on."""
        data = text.encode("utf-8", "surrogateescape")
        if self._listener:
            self._listener(Event(self.now(), EventKind.REMARK, channel, data, len(data), whole=True))

    @contextmanager
    def phase(self, name: str, channel: str = MAIN) -> Iterator[None]:
        """Time a phase, also one that fails. Only those of the main channel are kept."""
        start = self.now()
        if channel == MAIN and name == "resolve":
            self._start_over()
        try:
            yield
        finally:
            if channel == MAIN:
                self._lap_start = self.now()
                self.phases[name] = Span(start, self._lap_start - start)

    def lap(self, name: str) -> None:
        """End the phase `name` here, be it by a failure: add the time since the last phase ended to it."""
        if self._settled is not None:
            return
        now = self.now()
        before = self.phases.get(name, Span(self._lap_start, 0.0))
        self.phases[name] = Span(before.start, before.duration + now - self._lap_start)
        self.phases.pop("first_byte", None)  # of a request that belongs to the phase
        self._lap_start = now
        self._asked_at = None

    def follow(self, name: str) -> None:
        """Count what comes from the end of the last phase up to the last request to the phase `name`.

        A request that is out already, sent together with those of the phase before, counts from here.
        """
        self._followed = name
        self._end_request(self._lap_start, self._lap_start)
        self._asked_at = self._lap_start

    def timing_ms(self) -> dict[str, float]:
        """The durations for JSON: milliseconds with three decimals, the phases in their order, and `total`."""
        in_order = sorted(self.phases.items(), key=lambda item: item[1].start)
        phases = {name: round(span.duration * 1000, 3) for name, span in in_order}
        return {**phases, "total": round(self.elapsed() * 1000, 3)}

    def _start_over(self) -> None:
        """Forget the phases of an earlier connection."""
        self.phases.clear()
        self._lap_start = self.now()
        self._followed, self._delivered, self._asked_at = None, False, None

    def _end_request(self, asked_at: float, now: float) -> None:
        """Record a request that was sent `asked_at` and answered `now`, and the phase that led to it."""
        if self._followed and asked_at > self._lap_start:
            self.phases[self._followed] = Span(self._lap_start, asked_at - self._lap_start)
        self.phases["first_byte"] = Span(asked_at, now - asked_at)

    def now(self) -> float:
        """Seconds since the target's start."""
        return self._clock.monotonic() - self._origin
