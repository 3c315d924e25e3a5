"""The interface between a command and the runner: a `Task` per target, its `TargetRun` and its `TargetResult`.

    run_targets(options, targets, make_task)        `runner`

`make_task` makes one object per target. `attempt` is called once per try, on the same object for all tries of
`--retries`. State that must survive a failed try is a field of the object. `close` is called once, after the last try.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, TypeVar

from inetcli.cli.meter import TransferProgress
from inetcli.cli.turns import TargetOutput
from inetcli.errors import InetError
from inetcli.net.session import Session

P = TypeVar("P")

Row = Mapping[str, object]
"""The keys and values of one JSON line."""


class Task(ABC):
    """The work of a command on one target."""

    @abstractmethod
    def attempt(self, run: "TargetRun") -> "TargetResult":
        """Try once. Raises `InetError`; after a transient error another try may follow."""

    def known_fields(self) -> Row:
        """Return the JSON fields that are known before the result: they are also in the line of a failure."""
        return {}

    def close(self) -> None:
        """Release the resources of the tries. Called once, after the last try."""


@dataclass(frozen=True, slots=True)
class SkippedPart:
    """A part that is skipped. `unsafe`: its name cannot be used as a local name; `error`: it could not be read."""

    name: str
    reason: str
    unsafe: bool = False
    error: InetError | None = None


@dataclass(frozen=True, slots=True)
class Parts(Generic[P]):
    """The parts of a target: each is a task with its own tries and its own JSON line.

    `jobs` parts run at a time; one at a time if several targets run at once.
    """

    items: Iterable[P | SkippedPart]
    name: Callable[[P], str]
    make_task: Callable[[P], Task]
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class TargetResult:
    """The result of a target. `lines` are composed text, escaped by the view; `rows` are JSON rows, `record` is the
    JSON of the target's own line. Lines and rows are printed in batches and need not fit in memory.

    With rows and no record, a successful target has no line of its own. With `failure_in_rows`, a failed target has
    none either: the rows report the failure, with `common_fields`. `error` is a failure with a result. `parts` are
    worked on next and counted in the record.
    """

    lines: Iterable[str] = ()
    rows: Iterable[Row] = ()
    record: Row | None = None
    status_lines: Sequence[str] = ()
    error: InetError | None = None
    failure_in_rows: bool = False
    parts: Parts[Any] | None = None


@dataclass(frozen=True, slots=True)
class TargetRun:
    """The resources for the tries of one target: session, output, progress."""

    target: str
    """The target with its password masked."""
    session: Session
    output: TargetOutput
    progress: TransferProgress
    json: bool

    @property
    def payload(self) -> BinaryIO:
        """Return standard output for exact bytes; only if targets run one after another."""
        payload = self.output.payload
        if payload.isatty():
            self.progress.hide()
        return payload

    def stdout_descriptor(self) -> int:
        """Flush standard output and return its descriptor, for bytes that bypass Python's buffer."""
        self.output.flush()
        return self.payload.fileno()

    @property
    def on_terminal(self) -> bool:
        """Whether standard error is a terminal."""
        return sys.stderr is not None and sys.stderr.isatty()

    def emit_line(self, line: str) -> None:
        """Print a line of the result now, for results that grow slowly. Forbids further tries."""
        self.emit_lines([line])

    def emit_lines(self, lines: Iterable[str]) -> None:
        """Print lines of the result as they arrive, in batches. Forbids further tries."""
        self.session.attempt.forbid_retry("part of the result has been printed")
        self.output.lines(lines)

    def emit_row(self, row: Row) -> None:
        """Print a JSON row of the result now. Forbids further tries."""
        self.emit_rows([row])

    def emit_rows(self, rows: Iterable[Row]) -> None:
        """Print JSON rows of the result as they arrive, in batches. Forbids further tries."""
        self.session.attempt.forbid_retry("part of the result has been printed")
        self.output.rows({"target": self.target, **row} for row in rows)
