"""Every protocol, offline: the real `inetcli` against the servers of this package, each command with its output."""

import os
import shlex
import subprocess
import sys
from contextlib import ExitStack

from mockservers.child import environment, private_folder
from mockservers.registry import start_servers

SERVERS = ("ftp", "ftpes", "pyftpdlib", "nntp", "http", "tls", "dns", "time")

COMMANDS: tuple[tuple[str, int], ...] = (
    ("inetcli ftp get --json --sha256 $MOCK_FTP_URL/pub/data.bin", 0),
    ("inetcli ftp get -o - --ca $MOCK_CA_FILE $MOCK_FTPES_URL/welcome.txt", 0),
    ("inetcli ftp get -o - $MOCK_PYFTPDLIB_URL/welcome.txt", 0),
    ("inetcli ftp get $MOCK_FTP_URL/no-such-file", 78),
    ("inetcli nntp latest $MOCK_NNTP_URL/misc.test", 0),
    ("inetcli nntp latest $MOCK_NNTP_URL/misc.cancelled", 0),
    ("inetcli http raw $MOCK_HTTP_URL/chunked", 0),
    ("inetcli http raw --head $MOCK_HTTP_URL/status/404", 22),
    ("inetcli tls hello --ca $MOCK_CA_FILE --send hello --reply-bytes 6 $MOCK_TLS_URL", 0),
    ("inetcli tls hello --ca $MOCK_CA_FILE --servername example.org $MOCK_TLS_URL", 112),
    ("inetcli dns lookup www.example.test @$MOCK_DNS_URL", 0),
    ("inetcli dns lookup --short example.test MX @$MOCK_DNS_URL", 0),
    ("inetcli dns lookup no.example.test @$MOCK_DNS_URL", 116),
    ("echo hello | inetcli talk tcp $MOCK_TIME_URL", 0),
    ("echo hello | inetcli talk udp $MOCK_TIME_URL", 0),
)
"""Command lines for the shell, with the exit codes they are to end with."""


def play() -> int:
    """Run them all in a folder that goes away; 0 when each ended as it should, else 1."""
    wrong = 0
    with ExitStack() as stack:
        servers = start_servers(stack, SERVERS, ())
        folder = stack.enter_context(private_folder())
        env = {**os.environ, **environment(servers)}
        # `inetcli` is what is installed beside us, whatever PATH says.
        program = f'inetcli() {{ {shlex.quote(sys.executable)} -m inetcli "$@"; }}'
        for line, expected in COMMANDS:
            print(f"$ {line}", flush=True)  # noqa: T201 - a demonstration is for reading
            done = subprocess.run(
                ["/bin/sh", "-c", f"{program}\n{line}"], env=env, cwd=folder, stderr=subprocess.STDOUT, check=False
            )
            note = "" if done.returncode == expected else f", expected {expected}"
            print(f"[exit code {done.returncode}{note}]\n", flush=True)  # noqa: T201
            wrong += done.returncode != expected
    return 1 if wrong else 0
