"""A command over its targets: from the arguments and `-i`, through the pool, to answers in their order.

A command brings `work`, which turns one target into an `Answer`. What is the same for all commands happens here: a
session each, `--retries`, `-j`, `-v`, `--timing`, the common JSON keys, the one line for a failure, the exit code.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import BinaryIO, TypeVar

from inetcli.cli.meter import Progress, make_meter
from inetcli.cli.options import Options, usage
from inetcli.cli.output import Output, Transcript
from inetcli.errors import Bug, InetError, LocalRead, Usage
from inetcli.net.backoff import RETRY_S, pauses
from inetcli.net.deadline import Deadline
from inetcli.net.session import Network, Session
from inetcli.net.source import read_lines
from inetcli.net.wait import Cancel, Cancelled
from inetcli.net.workers import run_ordered
from inetcli.wire.escape import escape
from inetcli.wire.target import mask_target

T = TypeVar("T")

MAX_TARGET = 1 << 16
"""Bytes of a line of `-i`."""


@dataclass(slots=True)
class Answer:
    """What a target gave. `lines` are composed text, escaped by the view; `rows` and `record` are JSON.

    With rows and no record, a success has no line of its own; with `rows_are_all`, a failure has none either: the rows
    tell it, with `common_keys`. `error` is a failure that has an answer all the same.
    """

    lines: Sequence[str] = ()
    rows: Iterable[Mapping[str, object]] = ()
    record: Mapping[str, object] | None = None
    remarks: Sequence[str] = ()
    error: InetError | None = None
    rows_are_all: bool = False


@dataclass(slots=True)
class Job:
    """One target being worked on."""

    text: str
    session: Session
    output: Output
    progress: Progress
    json: bool
    lasting: ExitStack
    """What outlives a try: it is closed when the target is done."""
    run: "_Run"
    record: dict[str, object] = field(default_factory=dict)
    """JSON keys that hold also when the work fails."""
    kept: object = None
    """What a try leaves for the next one."""
    parts: list["Finished"] = field(default_factory=list)
    """Parts that are done, and reported when the target is."""

    @property
    def payload(self) -> BinaryIO:
        """Standard output, for exact bytes; only where targets follow one another."""
        payload = self.output.payload
        if payload.isatty():
            self.progress.hide()
        return payload

    def stdout_descriptor(self) -> int:
        """The descriptor of standard output, for bytes that go past Python; what was printed before is out."""
        self.output.flush()
        return self.payload.fileno()

    @property
    def on_terminal(self) -> bool:
        """Whether somebody looks at standard error: cron does not."""
        return sys.stderr is not None and sys.stderr.isatty()

    def each(
        self, items: Iterable[T], name: Callable[[T], str], work: Callable[["Job", T], Answer], *, jobs: int
    ) -> "Iterator[Finished]":
        """Work on the many things that this target turned out to be, each with its own tries, and yield each when it is
        done and reported. `jobs` at a time, but one where several targets are worked on; then they are reported with
        their target."""
        return self.run.each(self, items, name, work, jobs)

    def say(self, line: str) -> None:
        """A line of the answer at once, where it grows while people wait; only where targets follow one another."""
        self.output.lines([line])
        self.output.flush()

    def say_row(self, row: Mapping[str, object]) -> None:
        """A JSON row at once, likewise."""
        self.output.objects([{"target": mask_target(self.text), **row}])
        self.output.flush()


Work = Callable[[Job], Answer]


def run_targets(options: Options, targets: Sequence[str], work: Work, *, jobs: int | None = None) -> int:
    """Work on all targets, print what they give, and return the exit code of the first that failed, in input order.

    `jobs=1` is for what changes the remote and for one byte stream. Raises `click.UsageError` without any target.
    """
    if not targets and options.input is None:
        raise usage("No target given.")
    if options.password_file == "-":
        claim_stdin("--password-file -")
    run = _Run(options, work, jobs or options.jobs)
    with run.cancel.woken_by_signals():
        return run.run(targets)


class _Run:
    """One command line being carried out."""

    def __init__(self, options: Options, work: Work, jobs: int) -> None:
        self._options = options
        self._work = work
        self._jobs = jobs
        self._output = Output(quiet=options.quiet, color=options.color)
        self._network = options.network()
        self.cancel = self._network.cancel
        self._meter = make_meter(quiet=options.quiet, verbose=options.verbose)

    def run(self, targets: Sequence[str]) -> int:
        failures: dict[int, int] = {}
        numbered = enumerate(self._all(targets))
        if len(targets) <= 1 and self._options.input is None:
            self._jobs = 1
        results = run_ordered(
            numbered, self._attempts, jobs=self._jobs, cancel=self.cancel, ordered=not self._options.unordered
        )
        count = 0
        try:
            for (number, text), finished in results:
                count += 1
                if isinstance(finished, BaseException):
                    finished = Finished(text, _as_error(finished), None)  # noqa: PLW2901
                code = self._print(finished)
                if code:
                    failures[number] = code
                    if self._options.fail_early:
                        break
        finally:
            results.close()
        if not count:
            raise usage("No target given.")
        return failures[min(failures)] if failures else 0

    def _all(self, targets: Sequence[str]) -> Iterator[str]:
        yield from targets
        if self._options.input is not None:
            yield from input_targets(self._options.input, self._network)

    def each(
        self,
        whole: Job,
        items: Iterable[T],
        name: Callable[[T], str],
        work: Callable[[Job, T], Answer],
        jobs: int,
    ) -> Iterator["Finished"]:
        def attempt(item: T) -> Finished:
            label = f"{mask_target(whole.text)} {name(item)}"
            with self._working(whole.text, label if jobs > 1 else "", name(item), whole.session) as job:
                return self._try(job, lambda job: work(job, item))

        alone = self._jobs == 1
        jobs = jobs if alone else 1
        results = run_ordered(items, attempt, jobs=jobs, cancel=self.cancel, ordered=not self._options.unordered)
        try:
            for _, finished in results:
                if isinstance(finished, BaseException):
                    finished = Finished(whole.text, _as_error(finished), None)  # noqa: PLW2901
                if alone:
                    self._print(finished)
                else:
                    whole.parts.append(finished)
                yield finished
                if finished.error and self._options.fail_early:
                    break
        finally:
            results.close()

    def _attempts(self, numbered: tuple[int, str]) -> "Finished":
        text = numbered[1]
        shown = mask_target(text)
        with self._working(text, shown if self._jobs > 1 else "", shown) as job:
            return self._try(job, self._work)

    @contextmanager
    def _working(self, text: str, label: str, shown: str, whole: Session | None = None) -> Iterator[Job]:
        """What is needed to work on a target, or on a part of one: `label` is for `-v`, `shown` for the meter."""
        transcript = Transcript(self._output, escape(label))
        listener = transcript if self._options.verbose else None
        session = whole.child(listener) if whole else self._network.session(listener)
        progress = self._meter.start(escape(shown)) if self._meter else Progress(shown, None)
        with ExitStack() as lasting:
            try:
                yield Job(text, session, self._output, progress, self._options.json, lasting, self)
            finally:
                transcript.finish()
                if self._meter:
                    self._meter.finish(progress)

    def _try(self, job: Job, work: Work) -> "Finished":
        """Work, and again after failures that may pass."""
        session = job.session
        pause, left = pauses(*RETRY_S), self._options.retries
        while True:
            try:
                return Finished(job.text, work(job), job)
            except InetError as error:
                if not (error.transient and left) or session.attempt.retry_forbidden:
                    return Finished(job.text, error, job)
                if over := _paused(session, next(pause), error):
                    return Finished(job.text, over, job)
                session.trace.resume()
                session.note(f"tried again after: {error.message}")
            left -= 1

    def _print(self, finished: "Finished") -> int:
        with self._meter.hidden() if self._meter else nullcontext():
            for part in finished.job.parts if finished.job else ():
                self._report(part)
            return self._report(finished)

    def _report(self, finished: "Finished") -> int:
        """Print what a target gave, in one piece; return its exit code."""
        answer, error = finished.answer, finished.error
        shown = mask_target(finished.text)
        if self._options.json:
            rows = [{"target": shown, **row} for row in answer.rows]
            if answer.record is not None or (error and not answer.rows_are_all):
                rows.append(_record(shown, finished))
            self._output.objects(rows)
        else:
            self._output.lines(answer.lines)
        self._output.flush()
        for note in finished.job.session.attempt.notes if finished.job else ():
            self._output.remark(f"inetcli: {escape(shown)}: note: {escape(note)}")
        for line in answer.remarks:
            self._output.remark(line)
        if error:
            named = error.message.startswith((f"{shown}:", f"{shown}."))  # a domain name has got its final dot
            self._output.fail(escape(error.message if named else f"{shown}: {error.message}"))
        if self._options.timing and finished.job:
            self._draw(finished.job)
        return error.exit_code if error else 0

    def _draw(self, job: Job) -> None:
        from inetcli.cli.timing_chart import draw_timing_chart

        trace = job.session.trace
        encoding = (sys.stderr.encoding or "").lower() if sys.stderr else ""
        for line in draw_timing_chart(trace.phases, trace.elapsed(), blocks=encoding.startswith("utf")):
            self._output.tell(line)


class Finished:
    """A target that is done: its answer, and the error if it failed."""

    __slots__ = ("answer", "error", "job", "text")

    def __init__(self, text: str, result: "Answer | InetError", job: Job | None) -> None:
        self.text = text
        self.job = job
        self.answer = result if isinstance(result, Answer) else Answer()
        self.error = result if isinstance(result, InetError) else self.answer.error
        if job:
            job.session.trace.freeze_timing()


def input_targets(path: str, network: Network) -> Iterator[str]:
    """The targets of `-i`, as they arrive: one a line, without quoting; blank lines and `#` lines are skipped."""
    if path == "-":
        claim_stdin("-i -")
    for line in _lines(path, Deadline(network.clock), network.cancel, MAX_TARGET):
        text = line.decode("utf-8", "surrogateescape").strip()
        if text and not text.startswith("#"):
            yield text


def input_lines(job: Job, path: str, limit: int) -> Iterator[bytes]:
    """The lines of a FILE argument as they arrive, without their ends, within --max-time. `-` = standard input, which
    is claimed already: a retry comes here again."""
    return _lines(path, job.session.deadline, job.session.network.cancel, limit)


def _lines(path: str, deadline: Deadline, cancel: Cancel, limit: int) -> Iterator[bytes]:
    """The lines; what cannot be opened is told now, and not when the first line is asked for."""
    import os

    if path == "-":
        return read_lines(0, deadline, cancel, limit=limit, name="standard input")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise LocalRead(f"{path}: cannot be read: {error.strerror}") from error

    def lines() -> Iterator[bytes]:
        try:
            yield from read_lines(descriptor, deadline, cancel, limit=limit, name=path)
        finally:
            os.close(descriptor)

    return lines()


_claims: list[str] = []


def claim_stdin(what: str) -> None:
    """Standard input is for one reader. `Usage` for the second."""
    if _claims:
        raise Usage(f"{_claims[0]} and {what} cannot both read standard input")
    if sys.stdin is None:
        raise LocalRead("standard input is closed")
    _claims.append(what)


def _paused(session: Session, seconds: float, failure: InetError) -> InetError | None:
    """Pause before a retry; an error when the time of this target is up."""
    try:
        session.pause(seconds, failure)
    except InetError as over:
        return over
    return None


def _record(shown: str, finished: Finished) -> dict[str, object]:
    error, job, answer = finished.error, finished.job, finished.answer
    line: dict[str, object] = {"target": shown, **(job.record if job else {}), **(answer.record or {})}
    return line | common_keys(job.session if job else None, error)


def common_keys(session: Session | None, error: InetError | None) -> dict[str, object]:
    """The keys that every line about a target has: `tls` where it was spoken, `error` when it failed, `exit_code`,
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


def _as_error(failure: BaseException) -> InetError:
    """What came out of `work` and is no answer: an error of ours, or a bug. What ends the program is raised."""
    if isinstance(failure, InetError):
        return failure
    if isinstance(failure, OSError | Cancelled) or not isinstance(failure, Exception):
        raise failure
    import os

    if os.environ.get("INETCLI_DEBUG") == "1":
        raise failure
    return Bug.of(failure)
