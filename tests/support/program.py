"""The program as users run it: a process of its own, with its streams and its exit code."""

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
"""No test waits longer for a command: one that hangs fails here, with what it said."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended. `code` is negative when a signal ended it."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode("utf-8")

    @property
    def err(self) -> str:
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
    """A plain environment: no proxies, no colours, no netrc, no settings of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "COVERAGE_PROCESS_START")}
    return {**kept, "HOME": "/nonexistent", "NO_COLOR": "1", "COLUMNS": "100", **(added or {})}


def inetcli(
    *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, cwd: str | os.PathLike[str] | None = None
) -> Finished:
    """Run `inetcli` with these arguments: in a forked process, and in a fresh interpreter when there are variables."""
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
    """Run one of our programs, by its module."""
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
    """A module by its file: a test module that another one looks into."""
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
