"""A command over its targets: from the arguments and `-i`, through the workers, to results in their order.

    target -> task -> attempt, again after what may pass -> result -> its parts, each a task -> report

A command brings a task for each target (`task`). What is the same for all commands happens here: a session each,
`--retries`, `-j`, `-v`, `--fail-early`, the exit code. `report` prints, each target in its turn (`turns`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from inetcli.cli.inputs import STDIN, claim_stdin, input_targets
from inetcli.cli.meter import TransferProgress, make_meter
from inetcli.cli.options import Options, usage
from inetcli.cli.output import Output, Transcript
from inetcli.cli.parts import PartsSummary
from inetcli.cli.report import FinishedTarget, Report
from inetcli.cli.task import Parts, SkippedPart, TargetResult, TargetRun, Task
from inetcli.cli.turns import TargetOutput
from inetcli.errors import Bug, InetError
from inetcli.net.backoff import RETRY_S, pauses
from inetcli.net.session import Session
from inetcli.net.wait import Cancelled
from inetcli.net.workers import NOBODY, Turns, run_ordered
from inetcli.secret import SecretMasker
from inetcli.wire.escape import escape
from inetcli.wire.target import mask_target

MakeTask = Callable[[str], Task]
"""How a command makes the task of a target. What it raises is the failure of that target."""


def run_targets(
    options: Options,
    targets: Sequence[str],
    make_task: MakeTask,
    *,
    jobs: int | None = None,
    reads_stdin: str | None = None,
) -> int:
    """Work on all targets, print what they give, and return the exit code of the first that failed, in input order.

    `jobs=1` is for what changes the remote and for one byte stream. `reads_stdin` is the argument of the command that
    reads standard input, if one does. Raises `click.UsageError` without any target; an
    `-i` that is empty is no failure.
    """
    if not targets and options.input is None:
        raise usage("No target given.")
    claim_stdin(
        "--password-file -" if options.password_file == STDIN else None,
        "-i -" if options.input == STDIN else None,
        reads_stdin,
    )
    runner = _Runner(options, make_task, jobs or options.jobs)
    with runner.cancel.woken_by_signals():
        return runner.run(targets)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A target, its place in the input, and where its output goes."""

    text: str
    shown: str
    output: TargetOutput


class _Runner:
    """One command line being carried out."""

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
        """Those of the targets that are being worked on, or wait for their turn."""
        self._jobs = jobs

    def run(self, targets: Sequence[str]) -> int:
        """Work on the targets; see `run_targets`."""
        if len(targets) <= 1 and self._options.input is None:
            self._jobs = 1
        results = run_ordered(
            self._numbered(targets),
            self._work,
            jobs=self._jobs,
            cancel=self.cancel,
            ordered=not self._options.unordered,
        )
        first: tuple[int, int] | None = None
        self._give_turn(0)
        try:
            for numbered, result in results:
                if code := self._hand_out(numbered, result):
                    failure = numbered.output.number, code
                    first = min(first or failure, failure)
                    if self._options.fail_early:
                        break
        finally:
            results.close()
            for output in list(self._outputs.values()):
                output.discard()
            if self._meter:
                self._meter.close()
        return first[1] if first else 0

    def _numbered(self, targets: Sequence[str]) -> Iterator[_Numbered]:
        for number, text in enumerate(self._all(targets)):
            output = self._outputs[number] = TargetOutput(number, self._turns, self._output, self._meter)
            yield _Numbered(text, mask_target(text), output)

    def _all(self, targets: Sequence[str]) -> Iterator[str]:
        yield from targets
        if self._options.input is not None:
            yield from input_targets(self._options.input, self._network)

    def _hand_out(self, numbered: _Numbered, result: int | BaseException) -> int:
        """Let a finished target print what it held back, and give the turn to the next. Returns the exit code."""
        output = self._outputs.pop(numbered.output.number)
        output.take_turn()
        if isinstance(result, BaseException):
            result = self._report.finish(FinishedTarget(numbered.shown, _as_error(result)), output)
        self._give_turn(output.number + 1)
        return result

    def _give_turn(self, number: int) -> None:
        """From now on the output of this target is printed at once; of nobody's, where the order does not matter."""
        self._turns.give(NOBODY if self._options.unordered else number)
        if not self._options.unordered and (output := self._outputs.get(number)):
            output.take_turn()

    def _work(self, numbered: _Numbered) -> int:
        """Work on a target up to its report; its exit code."""
        if self._jobs == 1:
            numbered.output.take_turn()
        label = numbered.shown if self._jobs > 1 else ""
        with self._at_hand(numbered.shown, label, numbered.shown, numbered.output) as run:
            finished = self._try(run, lambda: self._make_task(numbered.text))
        return self._report.finish(finished, numbered.output)

    @contextmanager
    def _at_hand(
        self, target: str, label: str, shown: str, output: TargetOutput, whole: Session | None = None
    ) -> Iterator[TargetRun]:
        """What the tries of a target, or of a part of one, have at hand: `label` is for `-v`, `shown` for the meter."""
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

    def _try(self, run: TargetRun, make_task: Callable[[], Task]) -> FinishedTarget:
        """Make the task, try, and try again after failures that may pass."""
        try:
            task = make_task()
        except InetError as error:
            return FinishedTarget(run.target, error, run.session)
        try:
            return FinishedTarget(run.target, self._attempts(run, task), run.session, task.known_fields())
        finally:
            task.close()

    def _attempts(self, run: TargetRun, task: Task) -> TargetResult | InetError:
        session = run.session
        pause, left = pauses(*RETRY_S), self._options.retries
        while True:
            try:
                result = task.attempt(run)
                return self._work_on_parts(run, result, result.parts) if result.parts else result
            except InetError as error:
                if not (error.transient and left) or session.attempt.retry_forbidden:
                    return error
                try:
                    session.pause(next(pause), error)
                except InetError as over:
                    return over
                session.trace.resume()
                session.note(f"tried again after: {error.message}")
            left -= 1

    def _work_on_parts(self, run: TargetRun, whole: TargetResult, parts: Parts[Any]) -> TargetResult:
        """Work on each part of a target and report it; the result of the whole, with the sum of its parts."""
        summary = PartsSummary()

        def items() -> Iterator[object]:
            for item in parts.items:
                if isinstance(item, SkippedPart):
                    summary.skip(item)
                    run.session.note(f"{item.name}: passed over: {item.why}")
                else:
                    yield item

        jobs = parts.jobs if self._jobs == 1 else 1

        def work(item: object) -> FinishedTarget:
            name = parts.name(item)
            label = f"{run.target} {name}" if jobs > 1 else ""
            with self._at_hand(run.target, label, name, run.output, run.session) as part:
                return self._try(part, lambda: parts.make_task(item))

        results = run_ordered(items(), work, jobs=jobs, cancel=self.cancel, ordered=not self._options.unordered)
        try:
            for _, result in results:
                if isinstance(result, BaseException):
                    result = FinishedTarget(run.target, _as_error(result))  # noqa: PLW2901
                self._report.finish(result, run.output)
                summary.add(result)
                if result.error and self._options.fail_early:
                    break
        finally:
            results.close()
        return summary.total(whole, on_terminal=run.on_terminal)


def _command_secrets() -> SecretMasker | None:
    """Where the program itself looks for the passwords to mask; None = nobody runs this command as a program."""
    ctx = click.get_current_context(silent=True)
    return ctx.find_object(SecretMasker) if ctx else None


def _as_error(failure: BaseException) -> InetError:
    """What came out of a worker and is no result: an error of ours, or a bug. What ends the program is raised."""
    if isinstance(failure, InetError):
        return failure
    if isinstance(failure, OSError | Cancelled) or not isinstance(failure, Exception):
        raise failure
    import os

    if os.environ.get("INETCLI_DEBUG") == "1":
        raise failure
    return Bug.of(failure)
