"""Standard input, which one reader of a command line may claim."""

import sys

from inetcli.errors import LocalRead, Usage


class StandardInput:
    """The claim to standard input, one for each command line."""

    def __init__(self) -> None:
        self._claimed_by: str | None = None

    def claim(self, what: str) -> None:
        """Claim standard input for `what`, as it stands on the command line. `Usage` for the second claim, `LocalRead`
        where it is closed."""
        if self._claimed_by is not None:
            raise Usage(f"{self._claimed_by} and {what} cannot both read standard input")
        if sys.stdin is None:
            raise LocalRead("standard input is closed")
        self._claimed_by = what
