"""Progress of transfers: the interface through which a copy reports its bytes."""

from typing import Protocol


class Progress(Protocol):
    """The receiver of progress reports for one transfer, such as a line of the meter."""

    def expect(self, total: int | None) -> object:
        """Start a transfer of `total` bytes; None = unknown. A second try starts again."""

    def advance(self, size: int) -> object:
        """Count `size` more bytes."""


class NoProgress:
    """A receiver that ignores all reports."""

    def expect(self, total: int | None) -> None:
        """No-op: the report is ignored."""

    def advance(self, size: int) -> None:
        """No-op: the report is ignored."""


NO_PROGRESS = NoProgress()
