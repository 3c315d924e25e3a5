"""The run of a command over its targets: arguments and `-i`, workers, retries, and results in input order.

    target -> task -> attempt, repeated after transient failures -> result -> its parts, a task each -> report

A command makes one task per target (`task`). This module does the work that all commands share: one session per target,
`--retries`, `-j`, `-v`, `--fail-early`, the exit code. `report` prints each target in its turn (`turns`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from inetcli.cli.inputs import STDIN, claim_stdin, input_targets
from inetcli.cli.meter import TransferProgress, make_meter
from inetcli.cli.options import Options, usage_error
from inetcli.cli.output import Output, Transcript
from inetcli.cli.parts import PartsSummary
from inetcli.cli.report import FinishedTarget, Report
from inetcli.cli.task import Parts, SkippedPart, TargetResult, TargetRun, Task
from inetcli.cli.turns import TargetOutput
from inetcli.errors import Bug, InetError
from inetcli.net.backoff import RETRY_S, pauses
from inetcli.net.session import Session
from inetcli.net.wait import Cancelled
from inetcli.net.workers import NO_TURN, Turns, run_ordered
from inetcli.secret import SecretMasker
from inetcli.wire.escape import escape
from inetcli.wire.target import mask_target

MakeTask = Callable[[str], Task]
"""Makes the task of a target. An `InetError` from it is the failure of that target."""


def run_targets(
    options: Options,
    targets: Sequence[str],
    make_task: MakeTask,
    *,
    jobs: int | None = None,
    reads_stdin: str | None = None,
) -> int:
    """Work on all targets, print their results, and return the exit code of the first failed target in input order.

    `jobs=1` is for commands that change the remote side or write one byte stream. `reads_stdin` is the argument that
    reads standard input, if any. Raises `click.UsageError` without a target; an empty `-i` list is not a failure.
    """
    if not targets and options.input is None:
        raise usage_error("No target given.")
    claim_stdin(
        "--password-file -" if options.password_file == STDIN else None,
        "-i -" if options.input == STDIN else None,
        reads_stdin,
    )
    runner = _Runner(options, make_task, jobs or options.jobs)
    with runner.cancel.woken_by_signals():
        return runner.run(targets)


@dataclass(frozen=True, slots=True)
class _NumberedTarget:
    """A target as text, its masked form, and its output with its number in the input."""

    text: str
    masked: str
    output: TargetOutput


class _Runner:
    """One run of a command over its targets."""

    def __init__(self, options: Options, make_task: MakeTask, jobs: int) -> None:
        self._options = options
        self._make_task = make_task
        self._network = options.network(_command_secrets())
        self.cancel = self._network.cancel
        self._output = Output(quiet=options.quiet, color=options.color, secrets=self._network.secrets)
        self._report = Report(json=options.json, timing=options.timing)
        self._meter = make_meter(quiet=options.quiet, verbose=options.verbose)
        self._turns = Turns()
        self._outputs: dict[int, TargetOutput] = {}
        """The outputs of the targets that are in work or wait for their turn."""
        self._jobs = jobs

    def run(self, targets: Sequence[str]) -> int:
        """Work on the targets; see `run_targets`."""
        if len(targets) <= 1 and self._options.input is None:
            self._jobs = 1
        results = run_ordered(
            self._numbered_targets(targets),
            self._run_target,
            jobs=self._jobs,
            cancel=self.cancel,
            ordered=not self._options.unordered,
        )
        first_failure: tuple[int, int] | None = None
        self._give_turn(0)
        try:
            for numbered, result in results:
                if code := self._finish_target(numbered, result):
                    failure = numbered.output.number, code
                    first_failure = min(first_failure or failure, failure)
                    if self._options.fail_early:
                        break
        finally:
            results.close()
            for output in list(self._outputs.values()):
                output.discard()
            if self._meter:
                self._meter.close()
        return first_failure[1] if first_failure else 0

    def _numbered_targets(self, targets: Sequence[str]) -> Iterator[_NumberedTarget]:
        for number, text in enumerate(self._all_targets(targets)):
            output = self._outputs[number] = TargetOutput(number, self._turns, self._output, self._meter)
            yield _NumberedTarget(text, mask_target(text), output)

    def _all_targets(self, targets: Sequence[str]) -> Iterator[str]:
        yield from targets
        if self._options.input is not None:
            yield from input_targets(self._options.input, self._network)

    def _finish_target(self, numbered: _NumberedTarget, result: int | BaseException) -> int:
        """Print the buffered output of a finished target, and give the turn to the next. Return the exit code."""
        output = self._outputs.pop(numbered.output.number)
        output.take_turn()
        if isinstance(result, BaseException):
            result = self._report.finish(FinishedTarget(numbered.masked, worker_error(result)), output)
        if not (result and self._options.fail_early):
            self._give_turn(output.number + 1)
        return result

    def _give_turn(self, number: int) -> None:
        """Let this target print directly from now on; with `--unordered` no target does."""
        self._turns.give(NO_TURN if self._options.unordered else number)
        if not self._options.unordered and (output := self._outputs.get(number)):
            output.take_turn()

    def _run_target(self, numbered: _NumberedTarget) -> int:
        """Work on a target up to its report; return its exit code."""
        if self._jobs == 1:
            numbered.output.take_turn()
        label = numbered.masked if self._jobs > 1 else ""
        with self._open_run(numbered.masked, label, numbered.masked, numbered.output) as run:
            finished = self._run_task(run, lambda: self._make_task(numbered.text))
        return self._report.finish(finished, numbered.output)

    @contextmanager
    def _open_run(
        self, target: str, label: str, shown: str, output: TargetOutput, whole: Session | None = None
    ) -> Iterator[TargetRun]:
        """Open the `TargetRun` of a target, or of a part of one: `label` is for `-v`, `shown` for the meter."""
        transcript = Transcript(self._output, escape(label))
        listener = transcript if self._options.verbose else None
        session = whole.child(listener) if whole else self._network.session(listener)
        shown = self._output.mask(escape(shown))
        progress = self._meter.start(shown, part=whole is not None) if self._meter else TransferProgress(shown, None)
        try:
            yield TargetRun(target, session, output, progress, self._options.json)
        finally:
            transcript.finish()
            if self._meter:
                self._meter.finish(progress)

    def _run_task(self, run: TargetRun, make_task: Callable[[], Task]) -> FinishedTarget:
        """Make the task and attempt it, again after transient failures."""
        try:
            task = make_task()
        except InetError as error:
            return FinishedTarget(run.target, error, run.session)
        try:
            return FinishedTarget(run.target, self._attempt_with_retries(run, task), run.session, task.known_fields())
        finally:
            task.close()

    def _attempt_with_retries(self, run: TargetRun, task: Task) -> TargetResult | InetError:
        session = run.session
        intervals, retries_left = pauses(*RETRY_S), self._options.retries
        while True:
            try:
                result = task.attempt(run)
                return self._run_parts(run, result, result.parts) if result.parts else result
            except InetError as error:
                if not (error.transient and retries_left) or session.attempt.retry_forbidden:
                    return error
                try:
                    session.pause(next(intervals), error)
                except InetError as limit_error:
                    return limit_error
                session.trace.resume()
                session.note(f"retried after: {error.message}")
            retries_left -= 1

    def _run_parts(self, run: TargetRun, whole: TargetResult, parts: Parts[Any]) -> TargetResult:
        """Work on each part of a target and report it; return the result of the target with the summary of
        its parts."""
        summary = PartsSummary()

        def items() -> Iterator[object]:
            count = 0
            for item in parts.items:
                if isinstance(item, SkippedPart):
                    summary.skip(item)
                    run.session.note(f"{item.name}: skipped: {item.reason}")
                else:
                    count += 1
                    yield item
            if self._meter:
                self._meter.expect_parts(count)

        jobs = parts.jobs if self._jobs == 1 else 1

        def work(item: object) -> FinishedTarget:
            name = parts.name(item)
            label = f"{run.target} {name}" if jobs > 1 else ""
            with self._open_run(run.target, label, name, run.output, run.session) as part:
                finished = self._run_task(part, lambda: parts.make_task(item))
            if finished.error and name not in finished.error.message:
                finished.error.message = f"{name}: {finished.error.message}"
            return finished

        results = run_ordered(items(), work, jobs=jobs, cancel=self.cancel, ordered=not self._options.unordered)
        try:
            for _, result in results:
                if isinstance(result, BaseException):
                    result = FinishedTarget(run.target, worker_error(result))  # noqa: PLW2901
                self._report.finish(result, run.output)
                summary.add(result)
                if result.error and self._options.fail_early:
                    break
        finally:
            results.close()
        return summary.total(whole, on_terminal=run.on_terminal)


def _command_secrets() -> SecretMasker | None:
    """Return the masker of the program; None = the command runs outside of it, as in a test."""
    ctx = click.get_current_context(silent=True)
    return ctx.find_object(SecretMasker) if ctx else None


def worker_error(failure: BaseException) -> InetError:
    """Return the error for an exception of a worker: an `InetError`, or a `Bug`. Raise exceptions that end
    the program."""
    if isinstance(failure, InetError):
        return failure
    if isinstance(failure, OSError | Cancelled) or not isinstance(failure, Exception):
        raise failure
    import os

    if os.environ.get("INETCLI_DEBUG") == "1":
        raise failure
    return Bug.from_exception(failure)
