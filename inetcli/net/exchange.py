"""Questions and replies over datagrams, with many questions in flight at once. A key matches replies to questions.

The protocol supplies three functions: `encode` (a question and a key to a datagram), `key_of` (a datagram to its key),
and `fits` (whether a datagram with that key is a reply to that question). This module does the rest for all protocols:
a window of questions in flight, a limit for each try, and a new key for each try. A datagram that matches no question
is ignored, because a forged or late datagram must not end the wait for the right one.
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
"""The number of questions in flight to one server. More would only fill its socket buffer (212992 bytes on Linux)."""

BURST = 256
"""The number of datagrams that are received before the time limits are checked again."""

KEYS = 1 << 16
"""The number of possible keys: a DNS message ID has 16 bits.

The window must be much smaller, because free keys are found by drawing at random, and because a forged reply succeeds
if it guesses any of the keys in flight.
"""


@dataclass(frozen=True, slots=True)
class ExchangeResult(Generic[Q]):
    """The outcome of a question: the datagram that fits it, or the error. `rtt_s` is the time of the last try."""

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
    """The functions that a protocol supplies."""

    encode: Callable[[Q, int], bytes]
    key_of: Callable[[bytes], int | None]
    fits: Callable[[bytes, int, Q], bool]


def exchange(
    peer: Datagrams, questions: Iterable[Q], codec: Codec[Q], *, tries: int, timeout_s: float, window: int = WINDOW
) -> Iterator[ExchangeResult[Q]]:
    """Ask all questions, at most `window` at a time; yield the result of each, in the order in which replies arrive.

    Each try lasts `timeout_s` seconds at most. After `tries` of them the error of the result is a `TimedOut`. If the
    host reports that the port is closed, the error is an `Unreachable` for every question in flight. The next question
    is read when there is room in the window; the iterable must not block. Raises `TimedOut` when the deadline of the
    session passes, and `Cancelled`.
    """
    return _Exchange(peer, codec, tries, timeout_s).run(iter(questions), window)


class _Exchange(Generic[Q]):
    """The state of one run of `exchange`.

    A dict keeps the order in which tries start. All tries have the same limit, so that the first one in the dict is the
    next one to expire.
    """

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
        except Unreachable as error:  # The ICMP error of an earlier datagram holds for all questions.
            yield from self._complete_all(error)
        except InetError as error:
            yield self._complete(pending, error)

    def _wait(self) -> Iterator[ExchangeResult[Q]]:
        """Wait until a datagram arrives or a try expires."""
        limit = self._deadline.within(max(0.0, self._next_expiry() - self._clock.monotonic()), "")
        if wait_any({self._peer.fileno(): READ}, limit, self._peer.limits.cancel):
            yield from self._receive()
        if self._in_flight and self._deadline.passed:
            raise self._deadline.timeout_error()
        while self._in_flight and self._next_expiry() <= self._clock.monotonic():
            yield from self._expire(next(iter(self._in_flight.values())))

    def _receive(self) -> Iterator[ExchangeResult[Q]]:
        """Receive the datagrams that have arrived, at most `BURST`, so that a flood does not delay the time limits."""
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
