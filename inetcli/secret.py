"""A password, and the one way to get at it.

Only the code that sends a password calls `Secret.reveal`. Everything else (messages, traces, JSON, tracebacks, resume
files) formats the object, and gets `***`.
"""

MASK = "***"


class Secret:
    """Text that shows itself as `***` wherever it is formatted, logged, compared or pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the line that sends it, and for nothing else."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not to be stored")
