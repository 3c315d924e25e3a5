"""Questions over datagrams: many in flight at once, each found again by its key.

The protocol brings three functions: `encode` (a question and a key to a datagram), `key_of` (a datagram to the key it
bears), and `fits` (whether a datagram with that key is a reply to that question). Everything else is the same for all:
a window of questions in flight, a limit for each try, a new key for each try, and ignoring what fits nothing: a forged
or late datagram must not end the wait for the right one. One question and a million take the same way.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from inetcli.errors import InetError, TimedOut, Unreachable
from inetcli.net.datagram import Datagrams
from inetcli.net.wait import READ, wait_any

Q = TypeVar("Q")

WINDOW = 256
"""Questions in flight to one server: more only fills its socket's buffer (212992 bytes on Linux)."""

BURST = 256
"""Datagrams taken in one go before the limits are looked at again."""

KEYS = 1 << 16
"""Keys there are: a DNS message ID has 16 bits. The window has to stay far below: free keys are found by drawing, and
each key in flight is one that a forger may guess."""


@dataclass(frozen=True, slots=True)
class ExchangeResult(Generic[Q]):
    """What became of a question: the datagram that fits it, or the error. `rtt_s` is that of the last try."""

    question: Q
    data: bytes
    error: InetError | None
    rtt_s: float
    tries: int


@dataclass(slots=True)
class _Pending(Generic[Q]):
    question: Q
    key: int
    sent_at: float
    tries: int


@dataclass(frozen=True, slots=True)
class Codec(Generic[Q]):
    """What the protocol brings."""

    encode: Callable[[Q, int], bytes]
    key_of: Callable[[bytes], int | None]
    fits: Callable[[bytes, int, Q], bool]


def exchange(
    peer: Datagrams, questions: Iterable[Q], codec: Codec[Q], *, tries: int, timeout_s: float, window: int = WINDOW
) -> Iterator[ExchangeResult[Q]]:
    """Ask all questions, at most `window` at a time; yield each with its reply, as they come.

    Each try has `timeout_s`; after `tries` of them the reply's error is a `TimedOut`, and when the host says that its
    port is closed, an `Unreachable` for every question in flight. `questions` is read when there is room in the window,
    and must not block. Raises `TimedOut` when the deadline of the whole passes, `Cancelled`.
    """
    return _Exchange(peer, codec, tries, timeout_s).run(iter(questions), window)


class _Exchange(Generic[Q]):
    """One run. A dict keeps the order in which flights start, and as each try has the same limit, that is the order in
    which their times are up: the first flight is the next to expire."""

    def __init__(self, peer: Datagrams, codec: Codec[Q], tries: int, timeout_s: float) -> None:
        self._peer = peer
        self._codec = codec
        self._tries = tries
        self._timeout_s = timeout_s
        self._deadline = peer.limits.deadline
        self._clock = self._deadline.clock
        self._in_flight: dict[int, _Pending[Q]] = {}

    def run(self, questions: Iterator[Q], window: int) -> Iterator[ExchangeResult[Q]]:
        more = True
        while more or self._in_flight:
            while more and len(self._in_flight) < window:
                try:
                    question = next(questions)
                except StopIteration:
                    more = False
                    break
                yield from self._send(question, 1)
            if self._in_flight:
                yield from self._wait()

    def _send(self, question: Q, tries: int) -> Iterator[ExchangeResult[Q]]:
        key = secrets.randbelow(KEYS)
        while key in self._in_flight:
            key = secrets.randbelow(KEYS)
        pending = _Pending(question, key, self._clock.monotonic(), tries)
        self._in_flight[key] = pending
        try:
            self._peer.send(self._codec.encode(question, key))
        except Unreachable as error:  # told of an earlier datagram, and true for all
            yield from self._complete_all(error)
        except InetError as error:
            yield self._complete(pending, error)

    def _wait(self) -> Iterator[ExchangeResult[Q]]:
        """Until a datagram comes or a try's time is up."""
        limit = self._deadline.within(max(0.0, self._next_expiry() - self._clock.monotonic()), "")
        if wait_any({self._peer.fileno(): READ}, limit, self._peer.limits.cancel):
            yield from self._receive()
        if self._in_flight and self._deadline.passed:
            raise self._deadline.expired()
        while self._in_flight and self._next_expiry() <= self._clock.monotonic():
            yield from self._expire(next(iter(self._in_flight.values())))

    def _receive(self) -> Iterator[ExchangeResult[Q]]:
        """What is here, but not more than a burst: a flood of forged datagrams must not hold up the limits."""
        for _ in range(BURST):
            try:
                data = self._peer.poll()
            except InetError as error:
                yield from self._complete_all(error)
                return
            if data is None:
                return
            key = self._codec.key_of(data)
            pending = self._in_flight.get(key) if key is not None else None
            if pending and self._codec.fits(data, pending.key, pending.question):
                yield self._complete(pending, None, data)

    def _next_expiry(self) -> float:
        return next(iter(self._in_flight.values())).sent_at + self._timeout_s

    def _expire(self, pending: _Pending[Q]) -> Iterator[ExchangeResult[Q]]:
        if pending.tries >= self._tries:
            yield self._complete(pending, TimedOut(f"timed out: no reply from {self._peer.peer}"))
        else:
            del self._in_flight[pending.key]
            yield from self._send(pending.question, pending.tries + 1)

    def _complete(self, pending: _Pending[Q], error: InetError | None, data: bytes = b"") -> ExchangeResult[Q]:
        del self._in_flight[pending.key]
        return ExchangeResult(pending.question, data, error, self._clock.monotonic() - pending.sent_at, pending.tries)

    def _complete_all(self, error: InetError) -> Iterator[ExchangeResult[Q]]:
        for pending in list(self._in_flight.values()):
            yield self._complete(pending, error)
