"""Questions over datagrams: many in flight at once, each found again by its key.

The protocol brings three functions: `encode` (a question and a key to a datagram), `key_of` (a datagram to the key it
bears), and `fits` (whether a datagram with that key is a reply to that question). Everything else is the same for all:
a window of questions in flight, a limit for each try, a new key for each try, and ignoring what fits nothing: a forged
or late datagram must not end the wait for the right one. One question and a million take the same way.
"""

import heapq
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from inetcli.errors import InetError, TimedOut
from inetcli.net.datagram import Datagrams
from inetcli.net.wait import READ, wait_any

Q = TypeVar("Q")

WINDOW = 256
"""Questions in flight to one server: more only fills its socket's buffer (212992 bytes on Linux)."""

KEYS = 1 << 16


@dataclass(frozen=True, slots=True)
class Reply(Generic[Q]):
    """What became of a question: the datagram that fits it, or the error. `rtt_s` is that of the last try."""

    question: Q
    data: bytes
    error: InetError | None
    rtt_s: float
    tries: int


@dataclass(slots=True)
class _Flight(Generic[Q]):
    question: Q
    key: int
    sent_at: float
    until: float
    tries: int


@dataclass(frozen=True, slots=True)
class Codec(Generic[Q]):
    """What the protocol brings."""

    encode: Callable[[Q, int], bytes]
    key_of: Callable[[bytes], int | None]
    fits: Callable[[bytes, int, Q], bool]


def exchange(
    peer: Datagrams, questions: Iterable[Q], codec: Codec[Q], *, tries: int, timeout_s: float, window: int = WINDOW
) -> Iterator[Reply[Q]]:
    """Ask all questions, at most `window` at a time; yield each with its reply, as they come.

    Each try has `timeout_s`; after `tries` of them the reply's error is a `TimedOut`, and when the host says that its
    port is closed, an `Unreachable` for every question in flight. Raises `TimedOut` when the deadline of the whole
    passes, `Cancelled`.
    """
    return _Exchange(peer, codec, tries, timeout_s).run(iter(questions), window)


class _Exchange(Generic[Q]):
    def __init__(self, peer: Datagrams, codec: Codec[Q], tries: int, timeout_s: float) -> None:
        self._peer = peer
        self._codec = codec
        self._tries = tries
        self._timeout_s = timeout_s
        self._deadline = peer.patience.deadline
        self._clock = self._deadline.clock
        self._flying: dict[int, _Flight[Q]] = {}
        self._timers: list[tuple[float, int]] = []

    def run(self, questions: Iterator[Q], window: int) -> Iterator[Reply[Q]]:
        more = True
        while more or self._flying:
            while more and len(self._flying) < window:
                try:
                    question = next(questions)
                except StopIteration:
                    more = False
                    break
                yield from self._launch(question, 1)
            if self._flying:
                yield from self._wait()

    def _launch(self, question: Q, tries: int) -> Iterator[Reply[Q]]:
        key = secrets.randbelow(KEYS)
        while key in self._flying:
            key = secrets.randbelow(KEYS)
        now = self._clock.monotonic()
        flight = _Flight(question, key, now, now + self._timeout_s, tries)
        self._flying[key] = flight
        heapq.heappush(self._timers, (flight.until, key))
        try:
            self._peer.send(self._codec.encode(question, key))
        except InetError as error:
            yield self._land(flight, error)

    def _wait(self) -> Iterator[Reply[Q]]:
        """Until a datagram comes or a try's time is up."""
        soonest = max(0.0, self._timers[0][0] - self._clock.monotonic())
        limit = self._deadline.within(soonest, "")
        if wait_any({self._peer.fileno(): READ}, limit, self._peer.patience.cancel):
            yield from self._receive()
        elif self._deadline.passed:
            raise self._deadline.expired()
        yield from self._expire()

    def _receive(self) -> Iterator[Reply[Q]]:
        try:
            while (data := self._peer.poll()) is not None:
                key = self._codec.key_of(data)
                flight = self._flying.get(key) if key is not None else None
                if flight and self._codec.fits(data, flight.key, flight.question):
                    yield self._land(flight, None, data)
        except InetError as error:
            for flight in list(self._flying.values()):
                yield self._land(flight, error)

    def _expire(self) -> Iterator[Reply[Q]]:
        now = self._clock.monotonic()
        while self._timers and self._timers[0][0] <= now:
            until, key = heapq.heappop(self._timers)
            flight = self._flying.get(key)
            if flight is None or flight.until != until:
                continue  # answered meanwhile, and the key is another's now
            if flight.tries >= self._tries:
                yield self._land(flight, TimedOut(f"timed out: no reply from {self._peer.peer}"))
            else:
                del self._flying[key]
                yield from self._launch(flight.question, flight.tries + 1)

    def _land(self, flight: _Flight[Q], error: InetError | None, data: bytes = b"") -> Reply[Q]:
        del self._flying[flight.key]
        return Reply(flight.question, data, error, self._clock.monotonic() - flight.sent_at, flight.tries)
