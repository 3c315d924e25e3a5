"""What happened on a server: every line and piece with its time, connection and channel, and every fault that fired.

Readable as a transcript:

    +0.003 C> RETR a.bin
    +0.004 S> 150 here it comes
    !> rst@4096 fired
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

MAIN = "main"
KEPT = 10_000
"""Events that are kept; the oldest go first."""

_SHOWN = 200


class Kind(Enum):
    """What an event is; the value is its mark in a transcript."""

    FROM_CLIENT = "C>"
    TO_CLIENT = "S>"
    OPENED = "+>"
    CLOSED = "->"
    FAULT = "!>"
    PROBLEM = "?>"


@dataclass(frozen=True, slots=True)
class Event:
    """`at` seconds after the server's start, on connection number `connection` (from 1; 0 = none)."""

    at: float
    kind: Kind
    connection: int
    channel: str
    data: bytes

    @property
    def text(self) -> str:
        """The data as one line of text, control characters escaped."""
        return self.data.decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")


class Log:
    """The events of one server. Written on the servers' thread, read and waited for on any."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._events: list[Event] = []
        self._dropped = 0
        self._changed = threading.Condition()

    def add(self, kind: Kind, data: bytes | str = b"", *, connection: int = 0, channel: str = MAIN) -> None:
        """Something happened just now."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        with self._changed:
            self._events.append(Event(time.monotonic() - self._started, kind, connection, channel, raw))
            if len(self._events) > KEPT:
                del self._events[0]
                self._dropped += 1
            self._changed.notify_all()

    def events(self, kind: Kind | None = None) -> list[Event]:
        """The events so far, all or of one kind."""
        with self._changed:
            return [event for event in self._events if kind in (None, event.kind)]

    def commands(self) -> list[str]:
        """What clients said, line by line, without line ends."""
        return [event.data.decode("utf-8", "replace") for event in self.events(Kind.FROM_CLIENT)]

    def wait_for(self, wanted: Callable[[Event], bool], timeout: float) -> Event:
        """The first event that is wanted, those that have happened included. `TimeoutError` with the transcript."""
        found: list[Event] = []

        def look() -> bool:
            found[:] = [event for event in self._events if wanted(event)][:1]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(look, timeout):
                lines = "\n".join(transcript_line(event) for event in self._events)
                raise TimeoutError(f"not seen within {timeout:g} s; what happened:\n{lines}")
        return found[0]

    def transcript(self) -> str:
        """All events as lines."""
        dropped = [f"({self._dropped} earlier events are not kept)"] if self._dropped else []
        return "\n".join([*dropped, *(transcript_line(event) for event in self.events())])


def transcript_line(event: Event) -> str:
    """One event, on one line."""
    text = event.text
    if len(text) > _SHOWN:
        text = f"{text[:_SHOWN]}... ({len(event.data)} bytes)"
    channel = "" if event.channel == MAIN else f"[{event.channel}] "
    head = "" if event.kind is Kind.FAULT else f"+{event.at:.3f} "
    return f"{head}{event.kind.value} {channel}{text}".rstrip()
