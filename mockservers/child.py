"""A command run beside servers: its environment, its signals, its exit code (as env(1) and timeout(1) have it)."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from mockservers.certs import clean_up
from mockservers.registry import AnyServer

NOT_FOUND = 127
NOT_EXECUTABLE = 126
OWN_FAILURE = 125
UNMET = 120
"""The child passed, but a fault never fired, or a request was unexpected."""

_SYSTEM_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_TRUST_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


def environment(servers: Iterable[AnyServer]) -> dict[str, str]:
    """Where the servers are: MOCK_FTP_URL and so on."""
    return {key: value for server in servers for key, value in server.env().items()}


def trust(folder: str, servers: Iterable[AnyServer]) -> dict[str, str]:
    """Variables that make common clients trust our CA beside the system's roots, in a file in `folder`."""
    ours = {server.ca_file for server in servers if server.ca_file}
    if not ours:
        return {}
    path = os.path.join(folder, "roots.pem")
    with open(path, "wb") as bundle:
        system = os.environ.get("SSL_CERT_FILE") or next(filter(os.path.exists, _SYSTEM_ROOTS), None)
        for name in [*([system] if system else []), *sorted(ours)]:
            with open(name, "rb") as file:
                bundle.write(file.read() + b"\n")
    return dict.fromkeys(_TRUST_VARIABLES, path)


class CannotRun(Exception):
    """The command is not there, or nothing that runs; `exit_code` as env(1) has it."""

    def __init__(self, command: str, error: OSError) -> None:
        super().__init__(f"{command}: {error.strerror}")
        self.exit_code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


class Runner:
    """Runs one command, and lets no signal come between. In a `with`, which begins before the servers do.

    SIGTERM and SIGHUP are handed on. SIGINT and SIGQUIT of a terminal reach the child by themselves, being for the
    whole process group, and its end is the end. A signal that comes before there is a child ends the run, so that
    everything is put away; one that was ignored at the start stays so.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def run(self, command: Sequence[str], added: Mapping[str, str]) -> int:
        """Run the command with these variables; its exit code, negative = the signal it died of. `CannotRun`."""
        if self._early:
            return -self._early[0]
        try:
            child = subprocess.Popen(command, env={**os.environ, **added})
        except OSError as error:
            raise CannotRun(command[0], error) from error
        self._child = child
        # What came while it began may have come before it could hear it.
        for number in self._early:
            child.send_signal(number)
        return child.wait()

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._come)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _come(self, number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            self._early.append(number)
        elif number in (signal.SIGTERM, signal.SIGHUP):
            self._child.send_signal(number)


def end_as(code: int) -> NoReturn:
    """End as the child did: with its exit code, of SIGINT if it died of that, with 128+n for another signal."""
    if code == -signal.SIGINT:
        clean_up()  # nothing that waits for the interpreter's end runs now
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(code if code >= 0 else 128 - code)


def private_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for files that the child needs; it goes away with its `with`."""
    return tempfile.TemporaryDirectory(prefix="mockservers-")
