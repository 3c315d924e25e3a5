"""The program in process: the exit code of a command line for each kind of result and exception."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

import click
import pytest
from support.program import LIMIT_S, environment

from inetcli.cli import app
from inetcli.cli.groups import LazyCommand
from inetcli.errors import NotFound, TimedOut

Raising = Callable[[BaseException], None]


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Raising:
    """Gives the program a command `break` that raises something."""

    def install(error: BaseException) -> None:
        @click.command("break")
        def command() -> NoReturn:
            raise error

        monkeypatch.setattr(sys.modules[__name__], "broken", command, raising=False)
        monkeypatch.setitem(sys.modules, "broken_command", sys.modules[__name__])
        monkeypatch.setitem(app.cli.entries, "break", LazyCommand("broken_command:broken", "Break."))  # type: ignore[misc]

    monkeypatch.delenv("INETCLI_DEBUG", raising=False)
    return install


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (NotFound("a.bin: not there"), 78, "inetcli: a.bin: not there\n"),
        (TimedOut("late\x1b[2J"), 28, "inetcli: late\\x1b[2J\n"),
        (ValueError("two\nlines"), 1, "inetcli: bug: ValueError: two\\nlines (INETCLI_DEBUG=1 shows where)\n"),
        (MemoryError(), 1, "inetcli: bug: MemoryError (INETCLI_DEBUG=1 shows where)\n"),
        (RecursionError("deep"), 1, "inetcli: bug: RecursionError: deep (INETCLI_DEBUG=1 shows where)\n"),
        (click.UsageError("No."), 2, "inetcli: No. Try 'inetcli break --help'.\n"),
        (click.BadParameter("two\nlines"), 2, "inetcli: Invalid value: two lines. Try 'inetcli break --help'.\n"),
    ],
)
def test_an_error_is_one_line_and_its_code(
    error: BaseException, code: int, line: str, running: Raising, capsys: pytest.CaptureFixture[str]
) -> None:
    running(error)
    assert app.run(["break"]) == code
    assert capsys.readouterr() == ("", line)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (click.Abort(), KeyboardInterrupt),
        (app.Terminated(15), app.Terminated),
        (BrokenPipeError(), BrokenPipeError),  # standard output's: sockets have errors of ours
    ],
)
def test_exceptions_that_end_the_process_are_raised_again(
    error: BaseException, raised: type[BaseException], running: Raising
) -> None:
    running(error)
    with pytest.raises(raised):
        app.run(["break"])


@pytest.mark.parametrize("way", ["__cause__", "__context__"])
def test_exception_caused_by_a_signal_counts_as_the_signal(way: str, running: Raising) -> None:
    """Python 3.11 wraps what is raised while a class is made; and a wait in a clean-up is cancelled."""
    between, error = ValueError("between"), RuntimeError("Error calling __set_name__")
    setattr(between, way, KeyboardInterrupt())
    setattr(error, way, between)
    running(error)
    with pytest.raises(KeyboardInterrupt):
        app.run(["break"])


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["--help"], 0), ([], 2), (["ftp"], 2), (["ftp", "get", "-h"], 0)]
)
def test_exit_codes_without_a_target(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(arguments) == code
    out, err = capsys.readouterr()
    assert bool(out) == (code == 0)
    assert bool(err) == (code == 2)


def test_the_script_and_the_module_are_the_same_program() -> None:
    script = os.path.join(os.path.dirname(sys.executable), "inetcli")
    if not os.path.exists(script):
        pytest.skip("inetcli is not installed beside this Python")
    done = [
        subprocess.run([*way, "--version"], capture_output=True, env=environment(), timeout=LIMIT_S, check=True)
        for way in ([script], [sys.executable, "-m", "inetcli"])
    ]
    assert done[0].stdout == done[1].stdout == f"inetcli {app.__version__}\n".encode()
