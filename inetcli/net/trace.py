"""The trace: a record of one target's conversation.

The streams report every sent and received byte to the trace, with its channel. The trace also records the phases and
the remarks (the lines with `*`). `-v` listens to the trace; `--timing` and `timing_ms` read the phases from it. A trace
stores times and no bytes: only a listener receives the bytes. No secret reaches a trace, because the sender passes a
masked form.

The phases on the main channel follow one another:

    resolve, connect, tls     measured where they take place (`phase`); a look-up begins a new connection and its record
    login                     the time since the end of the phase before (`end_phase`), also in two parts
    commands                  from there to the last request before the first byte of its reply (`begin_phase`)
    first_byte                from the last byte of that request to that first byte

If data has its own channel, the first byte received there ends `first_byte`. After a byte was sent or received there,
later requests do not change the phases.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from inetcli.net.clock import Clock, SystemClock

MAIN = "main"
"""The channel of the control or only connection; FTP also has "data"."""


class EventKind(Enum):
    """The kind of an event; the value is its mark in the output of `-v`."""

    SENT = ">"
    RECEIVED = "<"
    REMARK = "*"


@dataclass(frozen=True, slots=True)
class Event:
    """One event, `at` seconds after the target's start.

    `size` is the number of bytes, also if `data` does not contain them because the kernel moved them from socket to
    file. `whole`: `data` is a complete message (a datagram) and not a part of a stream.
    """

    at: float
    kind: EventKind
    channel: str
    data: bytes
    size: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A phase: its start, counted from the target's start, and its duration, in seconds."""

    start: float
    duration: float


Listener = Callable[[Event], None]


class Trace:
    """The record of the events and phases of one target. Times are seconds since the trace was made."""

    def __init__(self, clock: Clock | None = None, listener: Listener | None = None) -> None:
        self._clock = clock or SystemClock()
        self._listener = listener
        self._origin = self._clock.monotonic()
        self._requested_at: float | None = None
        self._frozen_at: float | None = None
        self._phase_end = 0.0
        """The end of the last phase."""
        self._request_phase: str | None = None
        """The phase that the requests belong to; None = none."""
        self._data_seen = False
        """Whether a byte was sent or received on a channel other than the main one."""
        self.phases: dict[str, Span] = {}
        """The phases of the last try on its last connection, by name."""
        self.tries = 1
        """The number of tries that have begun."""
        self.received_bytes = 0
        self.sent_bytes = 0

    def elapsed(self) -> float:
        """Return the seconds since the target's start, up to `freeze_timing`."""
        return self._frozen_at if self._frozen_at is not None else self._clock.monotonic() - self._origin

    def freeze_timing(self) -> None:
        """Exclude what follows the result (QUIT, closing) from the timing."""
        if self._frozen_at is None:
            self._frozen_at = self.elapsed()

    def resume(self) -> None:
        """Begin another try, whose time counts too, and discard the phases of the try before."""
        self._frozen_at = None
        self.tries += 1
        self._start_over()

    def sent(self, channel: str, data: bytes | memoryview, *, at: float | None = None, whole: bool = False) -> None:
        """Record that `data`, in which secrets are masked, was sent. `at`: the `now()` of its last byte.

        The sender takes `at` before its call, because a peer on a busy machine may have replied when the call returns.
        """
        at = self.now() if at is None else at
        self.sent_bytes += len(data)
        if channel != MAIN:
            self._data_seen = True
        elif self._frozen_at is None and not self._data_seen:
            self._requested_at = at
        if self._listener:
            self._listener(Event(at, EventKind.SENT, channel, bytes(data), len(data), whole))

    def received(self, channel: str, data: bytes | bytearray | memoryview, *, whole: bool = False) -> None:
        """Record that `data` was received."""
        self.received_size(channel, len(data), data, whole=whole)

    def received_size(
        self, channel: str, size: int, data: bytes | bytearray | memoryview = b"", *, whole: bool = False
    ) -> None:
        """Record that `size` bytes were received. `data` may be empty, if the kernel moved the bytes."""
        now = self.now()
        self.received_bytes += size
        if self._requested_at is not None:
            self._end_request(self._requested_at, now)
            self._requested_at = None
        if channel != MAIN and not self._data_seen and self._frozen_at is None:
            self._data_seen = True
            if request := self.phases.get("first_byte"):
                self._end_request(request.start, now)
        if self._listener:
            self._listener(Event(now, EventKind.RECEIVED, channel, bytes(data), size, whole))

    def remark(self, text: str, channel: str = MAIN) -> None:
        """Record a line for `-v`, such as the address of the connection or the TLS version."""
        data = text.encode("utf-8", "surrogateescape")
        if self._listener:
            self._listener(Event(self.now(), EventKind.REMARK, channel, data, len(data), whole=True))

    @contextmanager
    def phase(self, name: str, channel: str = MAIN) -> Iterator[None]:
        """Measure a phase, also one that fails. Only phases of the main channel are recorded."""
        start = self.now()
        if channel == MAIN and name == "resolve":
            self._start_over()
        try:
            yield
        finally:
            if channel == MAIN:
                self._phase_end = self.now()
                self.phases[name] = Span(start, self._phase_end - start)

    def end_phase(self, name: str) -> None:
        """End the phase `name` now, also after a failure: add the time since the end of the last phase to it."""
        if self._frozen_at is not None:
            return
        now = self.now()
        span = self.phases.get(name, Span(self._phase_end, 0.0))
        self.phases[name] = Span(span.start, span.duration + now - self._phase_end)
        self.phases.pop("first_byte", None)  # Its request belongs to the phase that ends here.
        self._phase_end = now
        self._requested_at = None

    def begin_phase(self, name: str) -> None:
        """Begin the phase `name`, which lasts from the end of the last phase to the last request.

        A request that was already sent, together with those of the phase before, counts as sent now.
        """
        self._request_phase = name
        self._end_request(self._phase_end, self._phase_end)
        self._requested_at = self._phase_end

    def timing_ms(self) -> dict[str, float]:
        """Return the durations for JSON: milliseconds with three decimals, the phases in their order, and `total`."""
        in_order = sorted(self.phases.items(), key=lambda item: item[1].start)
        phases = {name: round(span.duration * 1000, 3) for name, span in in_order}
        return {**phases, "total": round(self.elapsed() * 1000, 3)}

    def _start_over(self) -> None:
        """Discard the phases of an earlier connection."""
        self.phases.clear()
        self._phase_end = self.now()
        self._request_phase, self._data_seen, self._requested_at = None, False, None

    def _end_request(self, requested_at: float, now: float) -> None:
        """Record a request with the times of its sending and of its reply, and the phase that ended with it."""
        if self._request_phase and requested_at > self._phase_end:
            self.phases[self._request_phase] = Span(self._phase_end, requested_at - self._phase_end)
        self.phases["first_byte"] = Span(requested_at, now - requested_at)

    def now(self) -> float:
        """Return the seconds since the target's start."""
        return self._clock.monotonic() - self._origin
