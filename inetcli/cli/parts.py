"""The summary over the parts of one target: `get -r`, `put -r`, a pattern."""

from dataclasses import replace

from inetcli.cli.report import FinishedTarget
from inetcli.cli.task import SkippedPart, TargetResult
from inetcli.errors import Incomplete, InetError


class PartsSummary:
    """The counts and the first failure of the parts of one target."""

    def __init__(self) -> None:
        self._files = self._bytes = self._skipped = self._failed = 0
        self._first_failure: InetError | None = None
        self._unsafe = 0
        self._unreadable: InetError | None = None

    def add(self, part: FinishedTarget) -> None:
        """Count a finished part: as failed, as skipped (if its record says so), or with its bytes."""
        record = part.result.record or {}
        size = record.get("bytes")
        if part.error:
            self._failed += 1
            self._first_failure = self._first_failure or part.error
        elif record.get("skipped"):
            self._skipped += 1
        else:
            self._files += 1
            self._bytes += size if isinstance(size, int) else 0

    def skip(self, part: SkippedPart) -> None:
        """Count a part that was skipped before any work."""
        self._unsafe += part.unsafe
        self._unreadable = self._unreadable or part.error

    def total(self, whole: TargetResult, *, on_terminal: bool) -> TargetResult:
        """Return the result of the target: its record with the counts of the parts, and the decisive error."""
        counts = {"files": self._files, "bytes": self._bytes, "skipped": self._skipped, "failed": self._failed}
        line = f"{self._files} files, {self._bytes} bytes; {self._skipped} skipped, {self._failed} failed"
        return replace(
            whole,
            record={**(whole.record or {}), **counts},
            status_lines=[*whole.status_lines, line] if on_terminal else whole.status_lines,
            error=self._error(),
            parts=None,
        )

    def _error(self) -> InetError | None:
        """Return the error of the first failed part; else of a part that could not be read; else of unusable names;
        else None."""
        if self._first_failure is not None:
            total = self._files + self._skipped + self._failed
            error = type(self._first_failure)(
                f"{self._failed} of {total} files failed, the first: {self._first_failure.message}",
                reply_code=self._first_failure.reply_code,
                reply=self._first_failure.reply,
            )
            error.transient = False  # each part had its own tries
            return error
        if self._unreadable is not None:
            return self._unreadable
        if self._unsafe:
            return Incomplete(f"{self._unsafe} listed names cannot be used as local file names")
        return None
