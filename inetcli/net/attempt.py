"""What the tries for one target have brought so far beside their result: notes, TLS facts, and whether another try may
follow.

A trace observes; an attempt decides. Both live as long as their target, over all tries of `--retries`.
"""

from collections.abc import Mapping


class Attempt:
    """The tries for one target."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        """Facts that the user should know though nothing failed: fall-backs, skipped names."""
        self.tls: Mapping[str, object] | None = None
        """What TLS agreed on, on the main channel: the `tls` of the result. None = TLS was not spoken."""
        self.retry_forbidden: str | None = None
        """Why another try must not follow; None = another try may follow."""

    def add_note(self, text: str) -> bool:
        """Add a note, once. True if the note is new."""
        new = text not in self.notes
        if new:
            self.notes.append(text)
        return new

    def forbid_retry(self, reason: str) -> None:
        """Forbid another try: something has gone out that must not go out twice."""
        self.retry_forbidden = reason

    def allow_retry(self) -> None:
        """Allow another try again: what went out has been accepted."""
        self.retry_forbidden = None
