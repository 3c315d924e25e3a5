"""The gauntlet: any client, once against every fault of a server, and a verdict on each run.

    for run in run_gauntlet("ftp", ["curl", "-sS", "-o", "{out}", "{url}"]):
        print(run.fault, run.verdict)

Each run has a server, a folder and a process group of its own. In the command `{url}` is the thing to fetch, `{host}`
and `{port}` are the server's, `{out}` is where the file is to go, in the folder in which the command runs, `{ca}` the
CA to trust. First it runs without a fault: a command that does not get the thing from an honest server cannot be
judged. When it has written the file then, the file counts from there on; else standard output does.
"""

import os
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from mockservers import child
from mockservers.errands import Errand, errand
from mockservers.families import faults
from mockservers.faultkinds import Armed
from mockservers.faulttext import parse_fault
from mockservers.registry import make_server
from mockservers.trial import CannotRun, Stage, Trial
from mockservers.verdict import Verdict, expected_of, judge

LIMIT_S = 20.0
JOBS = 2
USAGE = 2
ADDRESSES = ("{url}", "{port}")
"""Without either the client cannot find the server."""


class Unfit(Exception):
    """The command cannot be judged; `exit_code` is what the program is to end with."""

    def __init__(self, message: str, exit_code: int = child.OWN_FAILURE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Run:
    """A fault, and what the client has made of it. `fired` False = the client never did what sets it off."""

    server: str
    fault: str
    verdict: Verdict
    exit_code: int | None
    sees: str
    fired: bool
    why: str

    @property
    def right(self) -> bool:
        return self.verdict is Verdict.RIGHT

    def json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "verdict": self.verdict.value}

    def line(self) -> str:
        """As a line of the table: verdict, exit code, fault, and what is to be said about it."""
        code = "-" if self.exit_code is None else str(self.exit_code)
        told = self.why or (self.sees if self.fired else "(not met)")
        return f"{self.verdict.value:<8}{code:>4}  {self.fault:<30} {told}"


def totals(server: str, runs: Sequence[Run]) -> str:
    """The last line of the table."""
    counts = Counter(run.verdict for run in runs)
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in Verdict]
    unmet = sum(run.right and not run.fired for run in runs)
    parts[0] += f" ({unmet} not met)" if unmet else ""
    return f"{server}: {len(runs)} faults: {', '.join(parts)}"


def gauntlet_faults(server: str) -> list[Armed]:
    """Every fault of the server, and once more, in the middle of what is fetched, those that end a connection."""
    return [*map(parse_fault, faults(server)), *errand(server).endings()]


def run_gauntlet(
    server: str,
    command: Sequence[str],
    *,
    chosen: Iterable[Armed] = (),
    limit: float = LIMIT_S,
    jobs: int = JOBS,
) -> Generator[Run, None, None]:
    """Run the command against these faults, or all, `jobs` at a time; the verdicts in the faults' order.

    `limit` = seconds for a run. `Unfit` when it cannot be judged, `BadFault` when the server does not know a fault.
    """
    if not any(place in word for word in command for place in ADDRESSES):
        raise Unfit(f"expected {' or '.join(ADDRESSES)} in the command: the server's address", USAGE)
    course = _Course(server, command, errand(server), limit)
    armed = list(chosen) or gauntlet_faults(server)
    with Stage() as stage, ThreadPoolExecutor(jobs) as pool:
        try:
            # Not in this thread: a signal's exception could come between a client's start and its being known of.
            course = pool.submit(course.measured, stage).result()
            yield from pool.map(partial(course.run, stage), armed)
        finally:
            stage.close()  # whoever waits for a client need not wait any longer


@dataclass(frozen=True, slots=True)
class _Course:
    """A command and what it is sent for; and, once that is known, how it behaves when all is well."""

    server: str
    command: Sequence[str]
    errand: Errand
    limit: float
    by_file: bool = False
    usual: frozenset[str] = frozenset()

    def measured(self, stage: Stage) -> "_Course":
        """The same, after a run against an honest server."""
        try:
            trial, _ = self._try(stage, None)
        except CannotRun as error:
            raise Unfit(f"{self.command[0]}: {error}", error.exit_code) from None
        said = f": {trial.complaint}" if trial.complaint else ""
        if trial.exit_code != 0:
            ended = f"takes over {self.limit:g} s" if trial.exit_code is None else f"exits {trial.exit_code}"
            raise Unfit(f"without any fault the command {ended}{said}")
        by_file = trial.file is not None
        wrong = self.errand.check(trial.file if trial.file is not None else trial.stdout)
        known = replace(self, by_file=by_file, usual=trial.left)
        if wrong and self.errand.optional:
            return replace(known, errand=replace(self.errand, check=lambda _: ""))
        if wrong:
            place = self.errand.name if by_file else "standard output"
            raise Unfit(f"without any fault the command brings {wrong} in {place}{said}")
        return known

    def run(self, stage: Stage, armed: Armed) -> Run:
        """The verdict on one fault."""
        trial, fired = self._try(stage, armed)
        expected = expected_of(armed, self.errand.outcome(armed.fault), fired=fired)
        found = judge(trial, expected, self.errand.check, by_file=self.by_file, usual=self.usual)
        return Run(
            self.server, str(armed), found.verdict, trial.exit_code, armed.fault.sees, fired=fired, why=found.why
        )

    def _try(self, stage: Stage, armed: Armed | None) -> tuple[Trial, bool]:
        folder = stage.folder()
        server = make_server(self.server, faults=[armed] if armed else [], **self.errand.options)
        try:
            values = {
                "url": server.url + self.errand.path,
                "out": str(folder / "work" / self.errand.name),
                "host": server.host,
                "port": str(server.port),
                "ca": server.ca_file or "",
            }
            env = {**os.environ, **server.env(), **child.trust(str(folder), [server])}
            trial = stage.run([_fill(word, values) for word in self.command], env, folder, self.errand.name, self.limit)
            problems = server.problems()
            if broken := [problem for problem in problems if problem.startswith("a handler raised")]:
                raise Unfit(f"{armed}: the server broke: {broken[0]}")
            return trial, not any(problem.startswith("fault never fired") for problem in problems)
        finally:
            server.stop()


def _fill(word: str, values: Mapping[str, str]) -> str:
    """Only these places are filled: other braces are the command's own."""
    for place, value in values.items():
        word = word.replace(f"{{{place}}}", value)
    return word
