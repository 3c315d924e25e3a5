"""What happened on a server, as typed events: every line and piece both ways with its time, connection and channel,
TLS, every fault that was carried out, and how each connection ended.

Readable as a transcript, in which passwords are masked:

    +0.001 +>
    +0.003 C> RETR a.bin
    +0.004 S> 150 here it comes
    !> rst at=4096 fired
    +0.005 -> fault, 52 bytes in, 8192 out

A second connection is marked `[2]`, another channel `[data]`, datagrams `[udp]`. `Log.commands` is the truth.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from mockservers.passwords import Passwords

if TYPE_CHECKING:
    from mockservers.faultkinds import Armed, Fault

MAIN = "main"
UDP = "udp"
KEPT = 10_000
KEPT_BYTES = 64 << 20
"""Events that are kept, and their bytes; the oldest go first."""


class Kind(Enum):
    """What an event is; the value begins with its mark in a transcript."""

    FROM_CLIENT = "C>"
    UPLOAD = "C> bytes"
    TO_CLIENT = "S>"
    OPENED = "+>"
    SECURED = "=>"
    CLOSED = "->"
    FAULT = "!>"
    PROBLEM = "?>"

    @property
    def mark(self) -> str:
        return self.value[:2]


class Reason(Enum):
    """Why a connection is over: what came first."""

    CLIENT_CLOSED = "client closed"
    CLIENT_RESET = "client reset"
    SERVER_CLOSED = "server closed"
    FAULT = "fault"
    RAISED = "handler raised"
    STOPPED = "server stopped"


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


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """A connection is over. Bytes are the application's, the same with and without TLS."""

    reason: Reason
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Secured(Event):
    """TLS is established."""

    version: str
    cipher: str
    alpn: str | None
    session_reused: bool


@dataclass(frozen=True, slots=True)
class FaultFired(Event):
    """A fault is being carried out; `armed` is its rule."""

    fault: "Fault"
    armed: "Armed | None"


class Log:
    """The events of one server. Written on the servers' thread, read and waited for on any."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._passwords = Passwords()

    def add(self, kind: Kind, data: bytes | str = b"", *, connection: int = 0, channel: str = MAIN) -> None:
        """Something happened just now."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        self._keep(lambda at: Event(at, kind, connection, channel, raw))

    def closed(self, connection: int, channel: str, reason: Reason, received: int, sent: int) -> None:
        """A connection is over."""
        raw = f"{reason.value}, {received} bytes in, {sent} out".encode()
        self._keep(lambda at: Closed(at, Kind.CLOSED, connection, channel, raw, reason, received, sent))

    def secured(self, connection: int, channel: str, version: str, cipher: str, alpn: str | None, reused: bool) -> None:
        """TLS is established."""
        words = [version, cipher, *([alpn] if alpn else []), *(["session reused"] if reused else [])]
        raw = " ".join(words).encode()
        self._keep(lambda at: Secured(at, Kind.SECURED, connection, channel, raw, version, cipher, alpn, reused))

    def fault(self, fault: "Fault", armed: "Armed | None", *, connection: int, channel: str) -> None:
        """A fault is being carried out."""
        raw = f"{fault.words} fired".encode("utf-8", "surrogateescape")
        self._keep(lambda at: FaultFired(at, Kind.FAULT, connection, channel, raw, fault, armed))

    @property
    def count(self) -> int:
        """How many events there have been."""
        with self._changed:
            return self._dropped + len(self._events)

    def events(self, kind: Kind | None = None) -> list[Event]:
        """The events so far, all or of one kind."""
        with self._changed:
            return [event for event in self._events if kind in (None, event.kind)]

    def commands(self) -> list[str]:
        """What clients said, line by line, without line ends and without masks."""
        return [event.data.decode("utf-8", "replace") for event in self.events(Kind.FROM_CLIENT)]

    def wait_for(self, wanted: Callable[[Event], bool], timeout: float, count: int = 1) -> Event:
        """The first event that is wanted, or the `count`th, those that have happened included. `TimeoutError` with the
        transcript."""
        found: list[Event] = []
        seen = 0  # of all that ever happened, so that none is looked at twice

        def look() -> bool:
            nonlocal seen
            total = self._dropped + len(self._events)
            for number in range(max(0, seen - self._dropped), len(self._events)):
                if len(found) < count and wanted(self._events[number]):
                    found.append(self._events[number])
            seen = total
            return len(found) >= count

        with self._changed:
            if self._changed.wait_for(look, timeout):
                return found[-1]
        raise TimeoutError(f"not seen within {timeout:g} s; what happened:\n{self.transcript()}")

    def transcript(self) -> str:
        """All events as lines; passwords masked, also where a server sent one back."""
        from mockservers.transcript import write_transcript

        with self._changed:
            events, dropped = list(self._events), self._dropped
        return write_transcript(events, dropped, self.mask)

    def add_passwords(self, users: Mapping[str, str]) -> None:
        """Mask the passwords of these users, too; those that clients send are found by themselves."""
        with self._changed:
            self._passwords.add(users)

    def mask(self, text: str) -> str:
        """Return the text with `***` in place of the passwords that are known so far."""
        with self._changed:
            return self._passwords.mask(text)

    def _keep(self, make: Callable[[float], Event]) -> None:
        with self._changed:
            event = make(time.monotonic() - self._started)
            if event.kind is Kind.FROM_CLIENT:
                self._passwords.hear(event.connection, event.data)
            elif event.kind is Kind.TO_CLIENT:
                self._passwords.hear_reply(event.connection, event.data)
            self._events.append(event)
            self._bytes += len(event.data)
            while len(self._events) > KEPT or (self._bytes > KEPT_BYTES and len(self._events) > 1):
                self._bytes -= len(self._events.popleft().data)
                self._dropped += 1
            self._changed.notify_all()
