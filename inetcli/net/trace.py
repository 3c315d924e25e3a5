"""The record of one target's conversation.

Every byte that goes out or comes in is told to the trace with its channel, as it passes; so are the phases (resolve,
connect, tls), the remarks (`*`) and the notes that end up in the answer. `-v` listens to it, `--timing` and `timing_ms`
read the phases from it. It keeps times and notes, never bytes: a listener that wants those gets them once.

Secrets do not reach a trace: whoever sends one hands over the masked form beside it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from inetcli.net.clock import Clock, SystemClock

MAIN = "main"
"""The channel of the connection that the conversation is held on; FTP has "data" beside it."""


class EventKind(Enum):
    """What an event is about; the value is its mark in `-v`."""

    SENT = ">"
    RECEIVED = "<"
    REMARK = "*"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened `at` seconds after the target's start.

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
    """What happened on the way to one target. Times are seconds since it was made."""

    def __init__(self, clock: Clock | None = None, listener: Listener | None = None) -> None:
        self._clock = clock or SystemClock()
        self._listener = listener
        self._origin = self._clock.monotonic()
        self._asked_at: float | None = None
        self._settled: float | None = None
        self.phases: dict[str, Span] = {}
        """resolve, connect, tls and first_byte, those that took place; the last of each on the main channel."""
        self.received_bytes = 0
        self.sent_bytes = 0

    def elapsed(self) -> float:
        """Seconds since the target's start, up to `settle`."""
        return self._settled if self._settled is not None else self._clock.monotonic() - self._origin

    def freeze_timing(self) -> None:
        """The answer is here: what follows (QUIT, a close) is not part of its times."""
        if self._settled is None:
            self._settled = self.elapsed()

    def resume(self) -> None:
        """That was no answer yet: another attempt follows, and its time counts."""
        self._settled = None

    def sent(self, channel: str, data: bytes | memoryview, *, at: float | None = None, whole: bool = False) -> None:
        """`data` went out, the last of it `at` this `now()`; secrets in it are masked already.

        Who sends gives the time from before the call: when it returns, the peer on a busy machine may have answered.
        """
        at = self.now() if at is None else at
        self.sent_bytes += len(data)
        if channel == MAIN and self._settled is None:
            self._asked_at = at
        if self._listener:
            self._listener(Event(at, EventKind.SENT, channel, bytes(data), len(data), whole))

    def received(self, channel: str, data: bytes | bytearray | memoryview, *, whole: bool = False) -> None:
        """`data` came in."""
        self.moved(channel, len(data), data, whole=whole)

    def moved(
        self, channel: str, size: int, data: bytes | bytearray | memoryview = b"", *, whole: bool = False
    ) -> None:
        """`size` bytes came in, which may have gone where nobody looks at them."""
        now = self.now()
        self.received_bytes += size
        if self._asked_at is not None:
            self.phases["first_byte"] = Span(self._asked_at, now - self._asked_at)
            self._asked_at = None
        if self._listener:
            self._listener(Event(now, EventKind.RECEIVED, channel, bytes(data), size, whole))

    def remark(self, text: str, channel: str = MAIN) -> None:
        """Something worth a line in `-v`: where the connection went, what TLS agreed on."""
        data = text.encode("utf-8", "surrogateescape")
        if self._listener:
            self._listener(Event(self.now(), EventKind.REMARK, channel, data, len(data), whole=True))

    @contextmanager
    def phase(self, name: str, channel: str = MAIN) -> Iterator[None]:
        """Time a phase, also one that fails. Only those of the main channel are kept."""
        start = self.now()
        try:
            yield
        finally:
            if channel == MAIN:
                self.phases[name] = Span(start, self.now() - start)

    def timing_ms(self) -> dict[str, float]:
        """The durations for JSON: milliseconds with three decimals, phases that took place, and `total`."""
        phases = {name: round(span.duration * 1000, 3) for name, span in self.phases.items()}
        return {**phases, "total": round(self.elapsed() * 1000, 3)}

    def now(self) -> float:
        """Seconds since the target's start."""
        return self._clock.monotonic() - self._origin
