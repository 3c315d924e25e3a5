"""Progress: how the copies of bytes tell whoever follows a transfer."""

from typing import Protocol


class Progress(Protocol):
    """The follower of one transfer, such as a line of the meter."""

    def expect(self, total: int | None) -> object:
        """Begin a transfer of `total` bytes; None = the number is not known. A second try begins anew."""

    def advance(self, size: int) -> object:
        """Count `size` more bytes."""


class NoProgress:
    """The progress of a transfer that nobody follows."""

    def expect(self, total: int | None) -> None:
        """No-op: nobody follows."""

    def advance(self, size: int) -> None:
        """No-op: nobody follows."""


NO_PROGRESS = NoProgress()
