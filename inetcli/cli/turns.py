"""Standard output and standard error of several targets, each in its turn.

The target whose turn it is prints directly. The output of the others is buffered: up to a megabyte in memory, then in a
temporary file. So a result of any size needs constant memory, and no worker waits for another target's turn.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, TypeVar

from inetcli.cli.meter import Meter
from inetcli.cli.output import Output
from inetcli.net.workers import Turns

T = TypeVar("T")

BATCH_SIZE = 512
"""Lines or rows per write."""

SPOOL_SIZE = 1 << 20
"""Bytes of a target's buffered output in memory, before a temporary file is used."""

_PIECE_SIZE = 1 << 16


class TargetOutput:
    """The output of one target. Threads of other targets may print at the same time."""

    def __init__(self, number: int, turns: Turns, output: Output, meter: Meter | None) -> None:
        self.number = number
        self._turns = turns
        self._output = output
        self._meter = meter
        self._held: SpooledTemporaryFile[bytes] | None = None
        self._held_messages: SpooledTemporaryFile[bytes] | None = None

    @property
    def payload(self) -> BinaryIO:
        """Return standard output for exact bytes; only if targets run one after another."""
        return self._output.payload

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines of composed text, already escaped."""
        for batch in _batches(lines):
            self._write(self._output.encode_lines(batch))

    def rows(self, rows: Iterable[Mapping[str, object]]) -> None:
        """Print JSON Lines."""
        for batch in _batches(rows):
            self._write(self._output.encode_rows(batch))

    def status(self, line: str) -> None:
        """Print a line on standard error that `-q` suppresses."""
        if not self._output.quiet:
            self.message(line)

    def failure(self, text: str) -> None:
        """Print the line of a failure on standard error."""
        self.message(self._output.format_failure(text))

    def message(self, line: str) -> None:
        """Print a line on standard error."""
        with self._turns, self._suspended_meter():
            if self._turns.current == self.number:
                self._print_held()
                self._output.message(line)
                return
            if self._held_messages is None:
                self._held_messages = _spool()
            self._held_messages.write(self._output.mask(line).encode("utf-8", "surrogateescape") + b"\n")

    def flush(self) -> None:
        """Flush standard output if it is this target's turn."""
        with self._turns:
            if self._turns.current == self.number:
                self._output.flush()

    def take_turn(self) -> None:
        """Start this target's turn: print the buffered output; later output is printed directly."""
        with self._turns, self._suspended_meter():
            self._turns.current = self.number
            self._print_held()

    def discard(self) -> None:
        """Drop the buffered output."""
        with self._turns:
            for held in (self._held, self._held_messages):
                if held:
                    held.close()
            self._held = self._held_messages = None

    def _write(self, data: bytes) -> None:
        if not data:
            return
        with self._turns:
            if self._turns.current == self.number:
                with self._suspended_meter():
                    self._print_held()
                    self._output.payload.write(data)
                    self._output.flush()
                return
            if self._held is None:
                self._held = _spool()
            self._held.write(data)

    def _print_held(self) -> None:
        held, self._held = self._held, None
        messages, self._held_messages = self._held_messages, None
        if held:
            with held:
                held.seek(0)
                while piece := held.read(_PIECE_SIZE):
                    self._output.payload.write(piece)
            self._output.flush()
        if messages:
            with messages:
                messages.seek(0)
                for line in messages:
                    self._output.message(line.decode("utf-8", "surrogateescape").removesuffix("\n"))

    def _suspended_meter(self) -> AbstractContextManager[None]:
        return self._meter.suspended() if self._meter else nullcontext()


def _spool() -> "SpooledTemporaryFile[bytes]":
    return SpooledTemporaryFile(SPOOL_SIZE)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_SIZE)):
        yield batch
