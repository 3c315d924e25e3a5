"""One run of a client: in an empty folder of its own, with a limit, and with an end to everything that it began."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from mockservers.child import NOT_EXECUTABLE, NOT_FOUND

MAX_BROUGHT = 64 << 20
"""Bytes of what a client has brought that are looked at: none is sent for more."""

TAIL = 300
"""Bytes of standard error that are worth telling."""


class CannotRun(Exception):
    """There is no such program, or it is none; `exit_code` is env(1)'s for it."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("cannot be run")
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Trial:
    """What a client has done. `exit_code` 128+n = it died of a signal, None = it was killed at the limit; `file` = what
    is under the file's name, None = nothing; `left` = the names of all else in its folder."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes
    file: bytes | None
    left: frozenset[str]

    @property
    def complaint(self) -> str:
        """The end of what it said on standard error, on one line."""
        return " ".join(self.stderr[-TAIL:].decode("utf-8", "backslashreplace").split())


class Stage:
    """Where clients run: a folder that goes away, and all processes that are still there with it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mockservers-"))
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._numbers = 0
        self._closed = False

    def folder(self) -> Path:
        """A new empty folder."""
        with self._lock:
            self._numbers += 1
            path = self._folder / str(self._numbers)
        path.mkdir()
        return path

    def run(self, command: Sequence[str], env: Mapping[str, str], folder: Path, name: str, limit: float) -> Trial:
        """Run the command in `folder/work`, where `name` is the file that it is to write. `CannotRun`; InterruptedError
        when all is over meanwhile."""
        work = folder / "work"
        work.mkdir()
        with (folder / "stdout").open("w+b") as stdout, (folder / "stderr").open("w+b") as stderr:
            code = self._wait(command, env, work, (stdout.fileno(), stderr.fileno()), limit)
            self._go_on()
            stdout.seek(0)
            stderr.seek(0)
            file = work / name
            names = frozenset(entry.name for entry in os.scandir(work))
            kept = _read(file) if file.is_file() else None
            left = names - {name} if kept is not None else names
            trial = Trial(code, stdout.read(MAX_BROUGHT), stderr.read(MAX_BROUGHT), kept, left)
        shutil.rmtree(folder, ignore_errors=True)
        return trial

    def _wait(
        self, command: Sequence[str], env: Mapping[str, str], work: Path, streams: tuple[int, int], limit: float
    ) -> int | None:
        child = self._start(command, env, work, streams)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _kill(child)
            with self._lock:
                self._running.discard(child)
        return code if code >= 0 else 128 - code

    def _start(
        self, command: Sequence[str], env: Mapping[str, str], work: Path, streams: tuple[int, int]
    ) -> "subprocess.Popen[bytes]":
        with self._lock:
            self._go_on()
            try:
                child = subprocess.Popen(
                    command,
                    cwd=work,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=streams[0],
                    stderr=streams[1],
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise CannotRun(NOT_FOUND) from None
            except OSError:
                raise CannotRun(NOT_EXECUTABLE) from None
            self._running.add(child)
            return child

    def _go_on(self) -> None:
        if self._closed:
            raise InterruptedError("nothing runs here any more")

    def close(self) -> None:
        """Kill what is running; nothing runs afterwards."""
        with self._lock:
            self._closed = True
            for child in self._running:
                _kill(child)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """End the child and everything that it has left behind in its process group."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # all of them have gone by themselves
    child.wait()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BROUGHT)
