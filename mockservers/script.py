"""What a server is to do when something happens: the engine under all of them (match, skip, times, reply, expect).

A server tells the script what happened, under all of its names from the general to the particular, and is given the
faults that fire:

    shots = script.happened("RETR", "RETR a.bin")
    shots.first(WrongSize)        # a fault that the server carries out itself, or None; asking for it is firing it
    shots.arm(connection)         # the transport's and TLS's: the connection fires them when their byte has come
    shots.reply                   # the text of a `reply(...)`, or None

A rule's trigger is one of these names, a pattern with `*` in it, or `*` alone. Every rule that matches counts the
occasion (SKIP, TIMES); of those whose faults have the same name the most particular fires, and of equals the one that
was armed first and is not used up. So `RETR:reply(450 wait)x1` before `RETR:reply(550 no)` gives the one and then the
other, and `RETR a.bin:...` goes before `RETR:...` before `*:...`. The first word of a name is matched whatever its
case, the rest exactly; a name of one word (a question, too) whatever its case.

A fault has fired when it was carried out, not when its trigger came: `RETR:rst@4096` on a file of 100 bytes never
fires, and `unmet` says so.
"""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mockservers.faultkinds import DATAGRAM_KINDS, KERNEL_KINDS, Armed, Fault, Reply
from mockservers.log import MAIN, Log

F = TypeVar("F", bound=Fault)

EVERYTHING = "*"
PLACES = ("connect", "data")
"""What is no command: `*` does not mean it."""


@dataclass(slots=True, eq=False)
class Rule:
    """An armed fault, and how often it was met, let go, and carried out."""

    armed: Armed
    met: int = 0
    taken: int = 0
    fired: int = 0

    def rank(self, names: tuple[str, ...]) -> int:
        """How particular the match is; 0 = none."""
        return rank(self.armed.trigger, names)

    @property
    def ready(self) -> bool:
        """SKIP is over, TIMES is not."""
        times = self.armed.times
        return self.met > self.armed.skip and (times is None or self.taken < times)


@dataclass(slots=True, eq=False)
class Expectation:
    """What clients are to say: `times` times, or at least once."""

    trigger: str
    times: int | None
    met: int = 0

    def __str__(self) -> str:
        wanted = "at least once" if self.times is None else f"{self.times} times"
        return f"expected {self.trigger} {wanted}, came {self.met} times"

    @property
    def holds(self) -> bool:
        return self.met > 0 if self.times is None else self.met == self.times


class Shot:
    """A fault that was let go, until it is carried out. `lasting`: for the whole connection, not for one reply."""

    __slots__ = ("_log", "fault", "fired", "lasting", "rule")

    def __init__(self, fault: Fault, log: Log, rule: Rule | None = None, *, lasting: bool = True) -> None:
        self.fault = fault
        self.rule = rule
        self.fired = False
        self.lasting = lasting
        self._log = log

    def fire(self, connection: int = 0, channel: str = MAIN) -> None:
        """It is being carried out; told once."""
        if self.fired:
            return
        self.fired = True
        if self.rule:
            self.rule.fired += 1
        self._log.fault(self.fault, self.rule.armed if self.rule else None, connection=connection, channel=channel)


class Target(Protocol):
    """What faults are armed on: a connection, or a datagram."""

    number: int
    channel: str

    def arm(self, fault: "Shot | Fault") -> None: ...


class Shots:
    """The faults that one occasion has set off."""

    def __init__(self, shots: list[Shot], *, connection: int = 0, channel: str = MAIN) -> None:
        self._shots = shots
        self._place = (connection, channel)
        self.answered = False
        """A `reply(...)` has gone out instead of what the command would do."""

    def __bool__(self) -> bool:
        return bool(self._shots)

    def __iter__(self) -> Iterator[Fault]:
        return (shot.fault for shot in self._shots)

    def has(self, kind: type[Fault]) -> bool:
        """Whether there is such a fault, without firing it."""
        return any(isinstance(fault, kind) for fault in self)

    def first(self, kind: type[F]) -> F | None:
        """The fault of that kind, to be carried out now; None = there is none."""
        return next(iter(self.all(kind)[:1]), None)

    def all(self, kind: type[F]) -> list[F]:
        """The faults of that kind, to be carried out now."""
        found = []
        for shot in self._shots:
            if isinstance(shot.fault, kind):
                shot.fire(*self._place)
                found.append(shot.fault)
        return found

    @property
    def reply(self) -> str | None:
        """The reply to give instead, to be given now."""
        reply = self.first(Reply)
        return reply.text if reply else None

    def arm(self, target: Target) -> None:
        """Let the connection carry out what is its own: the transport's faults and those of TLS."""
        for shot in self._shots:
            if {"any", "tls"} & set(shot.fault.families):
                target.arm(shot)


class Script:
    """The rules and expectations of one server. May be used from any thread."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._expectations: list[Expectation] = []

    def arm(self, armed: Armed) -> None:
        """Add a rule. What the kernel does is not seen to fire, and counts as fired at once."""
        rule = Rule(armed)
        with self._lock:
            self._rules.append(rule)
        if isinstance(armed.fault, KERNEL_KINDS):
            Shot(armed.fault, self._log, rule).fire()

    def expect(self, trigger: str, times: int | None = None) -> None:
        """Something that must be said: `times` times (0 = never), or at least once."""
        with self._lock:
            self._expectations.append(Expectation(trigger, times))

    def happened(self, *names: str, datagram: bool = False, connection: int = 0, channel: str = MAIN) -> Shots:
        """The faults that fire for what just happened; `names` go from the general to the particular."""
        return Shots(self.shots(*names, datagram=datagram), connection=connection, channel=channel)

    def shots(self, *names: str, datagram: bool = False) -> list[Shot]:
        """The same, for whoever carries all of them out itself."""
        with self._lock:
            for expectation in self._expectations:
                expectation.met += rank(expectation.trigger, names) > 0
            ranked = [(rule.rank(names), rule) for rule in self._rules if not datagram or _fits_datagram(rule)]
            chosen: dict[str, tuple[int, Rule]] = {}
            for place, rule in ranked:
                if not place:
                    continue
                rule.met += 1
                if rule.ready and place > chosen.get(rule.armed.fault.name, (0, rule))[0]:
                    chosen[rule.armed.fault.name] = (place, rule)
            for _, rule in chosen.values():
                rule.taken += 1
            lasting = names[0] in PLACES
            return [Shot(rule.armed.fault, self._log, rule, lasting=lasting) for _, rule in chosen.values()]

    def unmet(self) -> list[str]:
        """The faults that never fired, and the expectations that were not met; a sentence each."""
        with self._lock:
            return [
                *(_idle(rule) for rule in self._rules if not rule.fired),
                *(str(expectation) for expectation in self._expectations if not expectation.holds),
            ]


def rank(trigger: str, names: tuple[str, ...]) -> int:
    """How particular a trigger is among the names of what happened: 0 = it is not meant."""
    wanted = _folded(trigger)
    if wanted == EVERYTHING:
        return 0 if names[0] in PLACES else 1
    pattern = re.compile(".*".join(map(re.escape, wanted.split("*"))), re.DOTALL) if "*" in wanted else None
    found = 0
    for place, name in enumerate(map(_folded, names), 1):
        if wanted == name:
            found = 2 * place + 1
        elif pattern and pattern.fullmatch(name):
            found = 2 * place
    return found


def _folded(name: str) -> str:
    word, space, rest = name.partition(" ")
    return word.upper() + space + rest


def _fits_datagram(rule: Rule) -> bool:
    fault = rule.armed.fault
    return isinstance(fault, DATAGRAM_KINDS) or not {"any", "tls"} & set(fault.families)


def _idle(rule: Rule) -> str:
    text = f"fault never fired: {rule.armed}"
    if rule.taken:
        return f"{text} (its trigger came, but not its moment: too few bytes, or nothing that it acts on)"
    return f"{text} (its trigger came {rule.met} times)" if rule.met else text
