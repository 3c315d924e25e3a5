"""Commands that the fork server runs end, read and print as those that a fresh interpreter runs."""

import os
import subprocess
from pathlib import Path

import pytest
from support.fork_server import ForkServer, fork_server
from support.program import environment, inetcli, run_module

from mockservers import FtpServer


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["ftp", "--help"], 0),
        (["ftp", "gte"], 2),
        (["ftp", "get", "ftp://h/"], 3),
        (["ftp", "get", "-q", "ftp://127.0.0.1:1/gr\udcfcn"], 7),
    ],
)
def test_forked_command_is_like_a_fresh_one(arguments: list[str], code: int) -> None:
    forked, fresh = inetcli(*arguments), run_module("inetcli", *arguments)
    assert forked == fresh
    assert forked.code == code


def test_streams_and_folder_belong_to_the_command(tmp_path: Path) -> None:
    data = os.urandom(1 << 20)  # more than a pipe holds
    with FtpServer({"in/x": b""}) as server:
        assert inetcli("ftp", "put", "-", f"{server.url}/in/b", stdin=data).code == 0
        assert inetcli("ftp", "get", "-o", "-", f"{server.url}/in/b").stdout == data
        assert inetcli("ftp", "get", f"{server.url}/in/b", cwd=tmp_path, stdin=data).code == 0
    assert (tmp_path / "b").read_bytes() == data


def test_command_that_hangs_is_ended() -> None:
    with FtpServer(faults=["connect:silent"]) as server, pytest.raises(subprocess.TimeoutExpired):
        fork_server().run(["ftp", "ls", server.url], stdin=b"", env=environment(), folder="/", limit_s=0.3)


def test_server_ends_with_its_user() -> None:
    server = ForkServer(environment())
    code, _, stderr = server.run(["--version"], stdin=b"", env=environment(), folder="/", limit_s=30)
    server.close()
    assert (code, stderr, server.status) == (0, b"", 0)
