"""The faults at work on one connection, or on one datagram."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from mockservers.faultkinds import Fault
from mockservers.log import Log
from mockservers.script import Shot

F = TypeVar("F", bound=Fault)


@dataclass(slots=True, eq=False)
class Active:
    """A fault at work: how many bytes have gone out since it was armed."""

    shot: Shot
    sent: int = 0

    @property
    def fault(self) -> Fault:
        return self.shot.fault


class ActiveFaults:
    """What a client is treated to. `number` and `channel` are its place in the log."""

    def __init__(self, log: Log, number: int, channel: str) -> None:
        self.log = log
        self.number = number
        self.channel = channel
        self._active: list[Active] = []

    def arm(self, fault: Shot | Fault) -> None:
        """A fault begins to work on what goes out from now on."""
        self._active.append(Active(fault if isinstance(fault, Shot) else Shot(fault, self.log)))

    def disarm(self, fault: Fault) -> None:
        """A fault is over."""
        self._active = [active for active in self._active if active.fault is not fault]

    def next_command(self) -> None:
        """The faults of the command before are over."""
        self._active = [active for active in self._active if active.shot.lasting]

    def armed(self, kind: type[Fault]) -> bool:
        """Whether such a fault is at work here, without firing it."""
        return any(isinstance(active.fault, kind) for active in self._active)

    def first(self, kind: type[F]) -> F | None:
        """The fault of that kind that is at work here, to be carried out now by whoever asks; None = there is none."""
        return next(self.firing(kind), None)

    def firing(self, kind: type[F]) -> Iterator[F]:
        """All of that kind, each fired as it is taken."""
        for active in self._active:
            if isinstance(active.fault, kind):
                active.shot.fire(self.number, self.channel)
                yield active.fault

    def faults(self) -> list[Fault]:
        """The faults at work here."""
        return [active.fault for active in self._active]
