"""State of one target over all tries of `--retries`: its notes, its TLS facts, and whether another try may follow.

A trace records what happens and has no effect. An attempt has an effect: `forbid_retry` ends the retries, and notes and
TLS facts become part of the result.
"""

from collections.abc import Mapping


class Attempt:
    """The shared state of all tries for one target."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        """Facts for the user that are not failures, such as fall-backs and skipped names."""
        self.tls: Mapping[str, object] | None = None
        """The TLS parameters of the main channel, for the `tls` object of the result. None = TLS was not used."""
        self.retry_forbidden: str | None = None
        """The reason why another try must not follow; None = another try may follow."""

    def add_note(self, text: str) -> bool:
        """Add a note, unless the same note exists. True if the note is new."""
        new = text not in self.notes
        if new:
            self.notes.append(text)
        return new

    def forbid_retry(self, reason: str) -> None:
        """Forbid another try, because data was sent that must not be sent twice."""
        self.retry_forbidden = reason

    def allow_retry(self) -> None:
        """Allow another try again, because the peer accepted the data that was sent."""
        self.retry_forbidden = None
