"""Programs beside each other: each in turn, A B C A B C ..., and the ratios of their times, round by round.

A ratio of one round says that on this machine, in these seconds, one took so much longer than the other. The median of
the rounds is what to look at; the ratio of the best times beside it shows how much of that is the machine's unrest, and
the ratio of the processor's times what a busy machine cannot spoil.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = "inetcli"
INETCLI = [sys.executable, "-m", "inetcli"]

LAUNCHER = """
import os, sys, time
command, null = sys.argv[1:], os.open(os.devnull, os.O_WRONLY)
started = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
_, status, used = os.wait4(child, 0)
print(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A program's peak begins with that of who starts it: so one that is small does, and measures."""

Command = Sequence[str]
Contenders = Mapping[str, Command]
Check = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program: seconds on the wall and of the processor, MiB at its peak."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: Command, *, folder: Path, check: Check | None = None) -> Run:
    """Run it in a new folder, which goes afterwards. It must succeed, and `check` must find nothing wrong there."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", LAUNCHER, *command],
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
        )
        if check:
            check(Path(work))
    wall, cpu, peak = map(float, done.stdout.split())
    return Run(wall, cpu, peak / 1024)


def race(what: str, contenders: Contenders, *, folder: Path, runs: int, check: Check | None = None) -> None:
    """Run the contenders in turn, and print a row for each; ours is the first. One round before is not counted."""
    races({what: contenders}, folder=folder, runs=runs, check=check)


def races(
    groups: Mapping[str, Contenders], *, folder: Path, runs: int, check: Check | None = None
) -> dict[str, dict[str, list[Run]]]:
    """Several races in one, round by round, whose results may be held against each other."""
    done: dict[str, dict[str, list[Run]]] = {what: {} for what in groups}
    for number in range(runs + 1):
        for what, contenders in groups.items():
            for name, command in contenders.items():
                if shutil.which(command[0]):
                    result = run(command, folder=folder, check=check)
                    done[what].setdefault(name, []).extend([result] if number else [])
    for what, contenders in groups.items():
        for name in contenders:
            results = done[what].get(name)
            print(_row(what, name, results, done[what][OURS]) if results else f"| {what} | {name} is not installed |")
    sys.stdout.flush()
    return done


def head() -> None:
    """Print the table's head. The ratios are ours to theirs: under 1, we are faster."""
    print("| what | program | median s | best s | processor s | peak MiB | ratio (median) | of best | of processor |")
    print("|---|---|---|---|---|---|---|---|---|")


def best(results: Sequence[Run]) -> float:
    """The least of the seconds on the wall."""
    return min(result.wall_s for result in results)


def _row(what: str, name: str, results: Sequence[Run], ours: Sequence[Run]) -> str:
    median = statistics.median(result.wall_s for result in results)
    cpu = min(result.cpu_s for result in results)
    peak = max(result.peak_mib for result in results)
    row = f"| {what} | {name} | {median:.3f} | {best(results):.3f} | {cpu:.3f} | {peak:.0f} |"
    if name == OURS:
        return f"{row} | | |"
    ratio = statistics.median(mine.wall_s / theirs.wall_s for mine, theirs in zip(ours, results, strict=True))
    of_best = best(ours) / best(results)
    return f"{row} {ratio:.2f} | {of_best:.2f} | {min(mine.cpu_s for mine in ours) / cpu:.2f} |"
