"""The report of a finished target: its lines or its JSON, notes, failure and timing."""

import sys
from collections.abc import Iterable

from inetcli.cli.task import Row, TargetResult
from inetcli.cli.turns import TargetOutput
from inetcli.errors import InetError
from inetcli.net.session import Session
from inetcli.wire.escape import escape


class FinishedTarget:
    """A finished target with its result, and its error if it failed.

    `target` is the masked target; `known` are the JSON fields that are valid also for a failure. `session` is None if
    the target was never tried.
    """

    __slots__ = ("error", "known", "result", "session", "target")

    def __init__(
        self, target: str, result: TargetResult | InetError, session: Session | None = None, known: Row | None = None
    ) -> None:
        self.target = target
        self.session = session
        self.known = known or {}
        self.result = result if isinstance(result, TargetResult) else TargetResult()
        self.error = result if isinstance(result, InetError) else self.result.error
        if session:
            session.trace.freeze_timing()


class Report:
    """The printer of finished targets."""

    def __init__(self, *, json: bool, timing: bool) -> None:
        self._json = json
        self._timing = timing

    def finish(self, finished: FinishedTarget, output: TargetOutput) -> int:
        """Print the result of a target; return its exit code."""
        result, error, session, target = finished.result, finished.error, finished.session, finished.target
        if self._json:
            output.rows(self._rows(finished))
        else:
            output.lines(result.lines)
        output.flush()
        for note in session.attempt.notes if session else ():
            output.status(f"inetcli: {escape(target)}: note: {escape(note)}")
        for line in result.status_lines:
            output.status(line)
        if error:
            has_target = error.message.startswith(
                (f"{target}:", f"{target}.")
            )  # the message may contain the domain name with its final dot
            output.failure(escape(error.message if has_target else f"{target}: {error.message}"))
        if self._timing and session:
            self._draw_timing(session, output)
        return error.exit_code if error else 0

    def _rows(self, finished: FinishedTarget) -> Iterable[Row]:
        result = finished.result
        for row in result.rows:
            yield {"target": finished.target, **row}
        if result.record is not None or (finished.error and not result.failure_in_rows):
            target_line = {**finished.known, **(result.record or {})}
            yield {"target": finished.target, **target_line, **common_fields(finished.session, finished.error)}

    def _draw_timing(self, session: Session, output: TargetOutput) -> None:
        from inetcli.cli.timing_chart import draw_timing_chart

        encoding = (sys.stderr.encoding or "").lower() if sys.stderr else ""
        trace = session.trace
        for line in draw_timing_chart(trace.phases, trace.elapsed(), blocks=encoding.startswith("utf")):
            output.message(line)


def common_fields(session: Session | None, error: InetError | None) -> dict[str, object]:
    """Return the JSON fields of each line about a target: `tls` if TLS was used, `error` after a failure, `exit_code`,
    `notes`, `timing_ms`."""
    line: dict[str, object] = {"tls": session.attempt.tls} if session and session.attempt.tls else {}
    if error:
        line["error"] = {
            "kind": error.kind,
            "message": error.message,
            "reply_code": error.reply_code,
            "reply": error.reply,
        }
    line["exit_code"] = error.exit_code if error else 0
    line["notes"] = list(session.attempt.notes) if session else []
    line["timing_ms"] = session.trace.timing_ms() if session else {}
    return line
