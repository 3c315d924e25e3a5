"""The programs of this project as users run them: in a process of their own, with streams and an exit code."""

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

from support.fork_server import fork_server

LIMIT_S = 30
"""The time limit of a command in seconds. A command that hangs fails with its output so far."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended. `code`: the exit code, or minus the number of the signal that ended the command."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8")

    @property
    def err(self) -> str:
        """Standard error as text."""
        return self.stderr.decode("utf-8")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        """The one JSON line of standard output."""
        (row,) = self.rows
        return row


def environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without proxies, colours, netrc or other settings of the user who runs the tests."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "COVERAGE_PROCESS_START")}
    return {**kept, "HOME": "/nonexistent", "NO_COLOR": "1", "COLUMNS": "100", **(added or {})}


def inetcli(
    *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, cwd: str | os.PathLike[str] | None = None
) -> Finished:
    """Run `inetcli` with these arguments, in a forked process, or in a new interpreter if `env` is given."""
    if env is None and "COVERAGE_PROCESS_START" not in os.environ:
        folder = os.path.abspath(cwd or os.curdir)
        return Finished(*fork_server().run(arguments, stdin=stdin, env=environment(), folder=folder, limit_s=LIMIT_S))
    return run_module("inetcli", *arguments, stdin=stdin, env=env, cwd=cwd)


def inetcli_here(*arguments: str, env: Mapping[str, str] | None = None) -> Finished:
    """Run `inetcli` inside this process: ten times faster, for tests that are about neither start nor signals nor
    standard input."""
    from inetcli.cli.app import run

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with mock.patch.dict(os.environ, environment(env), clear=True), redirect_stdout(out), redirect_stderr(err):
        code = run(list(arguments))
    return Finished(code, *(stream.buffer.getvalue() for stream in (out, err)))


def run_module(
    module: str,
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> Finished:
    """Run a program of this project by the name of its module."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", module, *arguments],
        input=stdin,
        capture_output=True,
        env=environment(env),
        cwd=cwd,
        timeout=LIMIT_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def load_module(path: Path) -> ModuleType:
    """Load a module from its file, such as a test module that another test inspects."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
