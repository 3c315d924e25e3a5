"""A command run beside servers: its environment, its signals, its exit code (as env(1) and timeout(1) have it)."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from types import FrameType

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


def run_child(command: Sequence[str], added: Mapping[str, str]) -> int:
    """Run the command with these variables; its exit code, negative = the signal it died of.

    Ctrl-C reaches the child by itself, being in the same process group, and is waited for; SIGTERM is handed on.
    """
    try:
        child = subprocess.Popen(command, env={**os.environ, **added})
    except FileNotFoundError:
        return NOT_FOUND
    except OSError:
        return NOT_EXECUTABLE

    def hand_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    before = signal.signal(signal.SIGTERM, hand_on)
    try:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the child has it, too: its end is the end
    finally:
        signal.signal(signal.SIGTERM, before)


def private_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for files that the child needs; it goes away with its `with`."""
    return tempfile.TemporaryDirectory(prefix="mockservers-")
