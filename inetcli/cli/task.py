"""What a command brings: a task for each target, and what a try of it has at hand and gives back.

    run_targets(options, targets, make_task)        `runner`

One object per target, made by `make_task`; `attempt` is called once per try, with the same object for all tries of
`--retries`. Whatever must outlive a failed try is a field of the object. `close` is called once, when the last try is
over.
"""

import sys
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


class Task:
    """What a command does with one target."""

    def attempt(self, run: "TargetRun") -> "TargetResult":
        """Try once. Raises `InetError`; where that is transient, another try may follow."""
        raise NotImplementedError

    def known_fields(self) -> Row:
        """The JSON keys that hold whatever becomes of the target: they stand in the line of a failure, too."""
        return {}

    def close(self) -> None:
        """Give back what the tries have left: called once, after the last."""


@dataclass(frozen=True, slots=True)
class SkippedPart:
    """A part that is not worked on. `unsafe`: its name cannot be used here; `error`: looking at it failed."""

    name: str
    why: str
    unsafe: bool = False
    error: InetError | None = None


@dataclass(frozen=True, slots=True)
class Parts(Generic[P]):
    """The many things that a target turned out to be: each is a task of its own, with its own tries and its own JSON
    line. `jobs` of them at a time; one where several targets are worked on at once."""

    items: Iterable[P | SkippedPart]
    name: Callable[[P], str]
    make_task: Callable[[P], Task]
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What a target gave. `lines` are composed text, escaped by the view; `rows` and `record` are JSON, `record` that
    of the target's own line. Lines and rows are printed in batches, and need not be in memory as a whole.

    With rows and no record, a success has no line of its own; with `rows_are_all`, a failure has none either: the rows
    tell it, with `common_fields`. `error` is a failure that has a result all the same. `parts` are worked on next, and
    counted in the record.
    """

    lines: Iterable[str] = ()
    rows: Iterable[Row] = ()
    record: Row | None = None
    status_lines: Sequence[str] = ()
    error: InetError | None = None
    rows_are_all: bool = False
    parts: Parts[Any] | None = None


@dataclass(frozen=True, slots=True)
class TargetRun:
    """What the tries of a target have at hand."""

    target: str
    """The target as it may be shown."""
    session: Session
    output: TargetOutput
    progress: TransferProgress
    json: bool

    @property
    def payload(self) -> BinaryIO:
        """Standard output, for exact bytes; only where targets follow one another."""
        payload = self.output.payload
        if payload.isatty():
            self.progress.hide()
        return payload

    def stdout_descriptor(self) -> int:
        """The descriptor of standard output, for bytes that go past Python; what was printed before is out."""
        self.output.flush()
        return self.payload.fileno()

    @property
    def on_terminal(self) -> bool:
        """Whether standard error is a terminal: cron's is not."""
        return sys.stderr is not None and sys.stderr.isatty()

    def emit_line(self, line: str) -> None:
        """Print a line of the result now, where it grows while people wait. No other try may follow."""
        self.emit_lines([line])

    def emit_lines(self, lines: Iterable[str]) -> None:
        """Print lines of the result as they come, in batches. No other try may follow."""
        self.session.attempt.forbid_retry("part of the result has been printed")
        self.output.lines(lines)

    def emit_row(self, row: Row) -> None:
        """Print a JSON row of the result now, likewise."""
        self.emit_rows([row])

    def emit_rows(self, rows: Iterable[Row]) -> None:
        """Print JSON rows of the result as they come, in batches, likewise."""
        self.session.attempt.forbid_retry("part of the result has been printed")
        self.output.rows({"target": self.target, **row} for row in rows)
