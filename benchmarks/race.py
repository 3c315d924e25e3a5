"""Races between programs: the programs run in turn, A B C A B C ..., and their times are compared round by round.

The two times of one round were measured on the same machine within the same seconds, so their ratio is meaningful. The
main result is the median of these ratios. The ratio of the best times shows how much the load of the machine affects
the median, and the ratio of the CPU times is hardly affected by load.
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
"""A small program that starts and measures a command: the peak memory of a process includes that of its parent."""

Command = Sequence[str]
Contenders = Mapping[str, Command]
Check = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program: elapsed time and CPU time in seconds, peak memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run(command: Command, *, folder: Path, check: Check | None = None) -> Run:
    """Run a command in a new folder, which is then removed. The command must succeed, and `check` must not raise."""
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


def race(title: str, contenders: Contenders, *, folder: Path, runs: int, check: Check | None = None) -> None:
    """Run the contenders in turn and print a row for each, ours first. The first round is not counted."""
    races({title: contenders}, folder=folder, runs=runs, check=check)


def races(
    groups: Mapping[str, Contenders], *, folder: Path, runs: int, check: Check | None = None
) -> dict[str, dict[str, list[Run]]]:
    """Run several races together, round by round, so that their results can be compared."""
    done: dict[str, dict[str, list[Run]]] = {title: {} for title in groups}
    for number in range(runs + 1):
        for title, contenders in groups.items():
            for name, command in contenders.items():
                if shutil.which(command[0]):
                    result = run(command, folder=folder, check=check)
                    done[title].setdefault(name, []).extend([result] if number else [])
    for title, contenders in groups.items():
        for name in contenders:
            results = done[title].get(name)
            print(
                _row(title, name, results, done[title][OURS]) if results else f"| {title} | {name} is not installed |"
            )
    sys.stdout.flush()
    return done


def print_head() -> None:
    """Print the head of the table. The ratios are inetcli to the other program: below 1, inetcli is faster."""
    print("| race | program | median s | best s | CPU s | peak MiB | ratio (median) | ratio (best) | ratio (CPU) |")
    print("|---|---|---|---|---|---|---|---|---|")


def best(results: Sequence[Run]) -> float:
    """Return the shortest elapsed time in seconds."""
    return min(result.wall_s for result in results)


def _row(title: str, name: str, results: Sequence[Run], ours: Sequence[Run]) -> str:
    median = statistics.median(result.wall_s for result in results)
    cpu = min(result.cpu_s for result in results)
    peak = max(result.peak_mib for result in results)
    row = f"| {title} | {name} | {median:.3f} | {best(results):.3f} | {cpu:.3f} | {peak:.0f} |"
    if name == OURS:
        return f"{row} | | |"
    ratio = statistics.median(mine.wall_s / theirs.wall_s for mine, theirs in zip(ours, results, strict=True))
    of_best = best(ours) / best(results)
    return f"{row} {ratio:.2f} | {of_best:.2f} | {min(mine.cpu_s for mine in ours) / cpu:.2f} |"
