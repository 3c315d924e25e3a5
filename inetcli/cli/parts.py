"""The sum of the many parts of one target: `get -r`, `put -r`, a pattern."""

from dataclasses import replace

from inetcli.cli.report import FinishedTarget
from inetcli.cli.task import SkippedPart, TargetResult
from inetcli.errors import Incomplete, InetError


class PartsSummary:
    """What has become of the parts of one target."""

    def __init__(self) -> None:
        self._files = self._bytes = self._skipped = self._failed = 0
        self._first_failure: InetError | None = None
        self._unsafe = 0
        self._unseen: InetError | None = None

    def add(self, part: FinishedTarget) -> None:
        """Count a part that is done: as failed, as skipped where its record says so, or with its bytes."""
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
        """Count a part that is not worked on."""
        self._unsafe += part.unsafe
        self._unseen = self._unseen or part.error

    def total(self, whole: TargetResult, *, on_terminal: bool) -> TargetResult:
        """The result of the whole: its own record with the counts of the parts, and the error that counts."""
        counts = {"files": self._files, "bytes": self._bytes, "skipped": self._skipped, "failed": self._failed}
        line = f"{self._files} files, {self._bytes} bytes; {self._skipped} were there, {self._failed} failed"
        return replace(
            whole,
            record={**(whole.record or {}), **counts},
            status_lines=[*whole.status_lines, line] if on_terminal else whole.status_lines,
            error=self._error(),
            parts=None,
        )

    def _error(self) -> InetError | None:
        """That of the first part that failed; else what could not be looked at, or not be named here."""
        if self._first_failure is not None:
            total = self._files + self._skipped + self._failed
            error = type(self._first_failure)(
                f"{self._failed} of {total} files failed, the first: {self._first_failure.message}",
                reply_code=self._first_failure.reply_code,
                reply=self._first_failure.reply,
            )
            error.transient = False  # each had its tries
            return error
        if self._unseen is not None:
            return self._unseen
        if self._unsafe:
            return Incomplete(f"{self._unsafe} listed names cannot be names of files here")
        return None
