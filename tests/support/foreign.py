"""Programs of other projects: finding them, starting servers, and waiting until the servers listen.

A foreign server does not report that it listens, so its port is tried in short intervals within a limit. A foreign
server cannot bind port 0 either, so a free port is chosen, and another one if a different program took it first.
"""

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mockservers.core import Server
from mockservers.log import MAIN, Kind
from support.program import LIMIT_S, Finished, environment

REQUIRED = "INETCLI_INTEROP_REQUIRED"
UNPACKED = "INETCLI_INTEROP_SERVERS"
TRIES = 5
STEP_S = 0.02
READY_S = 15.0


def program(name: str) -> str:
    """Return the path of a program. If it is missing, skip the test, or fail where all programs are required."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/lib/news/bin"]
    if unpacked := os.environ.get(UNPACKED):
        folders.append(f"{unpacked}/usr/sbin")
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        missing(f"{name} is not installed")
    return str(found)


def root() -> None:
    """Skip the test without root privileges, which servers need to change their user."""
    if os.geteuid() != 0:
        pytest.skip("needs root: the server changes its user")


def missing(reason: str) -> None:
    """Skip the test, or fail where all programs are required."""
    if os.environ.get(REQUIRED):
        pytest.fail(reason)
    pytest.skip(reason)


def run(*command: str, stdin: bytes = b"", cwd: Path | None = None) -> Finished:
    """Run a foreign client until it ends."""
    done = subprocess.run(
        [program(command[0]), *command[1:]],
        input=stdin,
        capture_output=True,
        env=environment(),
        cwd=cwd,
        timeout=LIMIT_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def wait_for_goodbyes(server: Server) -> None:
    """Wait until the server has closed each connection it accepted.

    A client that has ended may have said more (QUIT, say) than the server has read by then.
    """
    opened = sum(event.channel == MAIN for event in server.log.events(Kind.OPENED))
    server.wait_for(lambda event: (event.kind, event.channel) == (Kind.CLOSED, MAIN), LIMIT_S, count=opened)


@dataclass(frozen=True)
class Running:
    """A foreign server that listens on 127.0.0.1."""

    port: int
    folder: Path


@contextmanager
def serving(
    folder: Path,
    command: Callable[[int], Sequence[str]],
    *,
    ready: Callable[[int], bool] | None = None,
    user: str | None = None,
) -> Iterator[Running]:
    """Start a server for the time of the `with`. `command` gets the port, and may write the configuration."""
    folder.chmod(0o755)
    for _ in range(TRIES):
        port = _free_port()
        log = (folder / "log").open("wb")
        with log:
            child = subprocess.Popen(
                command(port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                cwd=folder,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )
        try:
            if _wait(child, lambda port=port: (ready or listens)(port)):  # type: ignore[misc]
                yield Running(port, folder)
                return
        finally:
            _end(child)
    pytest.fail(f"does not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")


def listens(port: int) -> bool:
    """Return whether a TCP connection to the port is accepted."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(child: "subprocess.Popen[bytes]", ready: Callable[[], bool]) -> bool:
    pause = threading.Event()
    for _ in range(int(READY_S / STEP_S)):
        if child.poll() is not None:
            return False
        if ready():
            return True
        pause.wait(STEP_S)
    return False


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
