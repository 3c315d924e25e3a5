"""Killed processes: the files that a transfer leaves behind when its process is ended in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import LIMIT_S, environment

from inetcli.protocols.ftp.local_file import OVERLAP
from mockservers import FtpServer
from mockservers.log import Kind

FILES = {f"pub/{name}": bytes([ord(name)]) * 200_000 for name in "abc"}


SENT = 100_000
"""Bytes of a file after which the server falls silent."""


def interrupt(
    server: FtpServer, folder: Path, number: int, *arguments: str, grown: Path | None = None
) -> tuple[int, bytes]:
    """Run `inetcli ftp` with these arguments until the server has sent what it will send of a file, and all of that
    is in the file that `grown` is; signal it then."""
    command = [sys.executable, "-m", "inetcli", "ftp", *arguments]
    with subprocess.Popen(command, cwd=folder, env=environment(), stderr=subprocess.PIPE) as process:
        server.wait_for(lambda event: event.kind is Kind.FAULT and "silent" in event.text, LIMIT_S)
        while grown and process.poll() is None and not (grown.exists() and grown.stat().st_size == SENT):
            os.sched_yield()
        process.send_signal(number)
        _, said = process.communicate(timeout=LIMIT_S)
    return process.returncode, said


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("old", [None, b"old"])
@pytest.mark.parametrize("tls", [None, "explicit"])
def test_interrupted_download_leaves_no_file(tmp_path: Path, number: int, old: bytes | None, tls: str | None) -> None:
    if old:
        (tmp_path / "a").write_bytes(old)
    with FtpServer(FILES, tls=tls, faults=[f"RETR:silent@{SENT}"]) as server:
        trust = ["--ca", server.ca_file] if server.ca_file else []
        code, said = interrupt(server, tmp_path, number, "get", "--force", *trust, f"{server.url}/pub/a")
    assert (code, said) == (-number, b"")
    assert left(tmp_path) == (["a"] if old else [])
    assert not old or (tmp_path / "a").read_bytes() == old


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_download_with_resume_leaves_its_part(tmp_path: Path, number: int) -> None:
    with FtpServer(FILES, faults=[f"RETR:silent@{SENT}x1"]) as server:
        part = tmp_path / ".a.part"
        code, _ = interrupt(server, tmp_path, number, "get", "--resume", f"{server.url}/pub/a", grown=part)
        assert code == -number
        assert left(tmp_path) == [".a.part", ".a.part.json"]
        assert part.read_bytes() == FILES["pub/a"][:SENT]
        again = subprocess.run(
            [sys.executable, "-m", "inetcli", "ftp", "get", "--resume", f"{server.url}/pub/a"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert (again.returncode, again.stderr) == (0, b"")
        assert f"REST {SENT - OVERLAP}" in server.log.commands()
    assert left(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == FILES["pub/a"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_interrupted_recursive_download_leaves_only_complete_files(tmp_path: Path, number: int, jobs: str) -> None:
    with FtpServer(FILES, faults=[f"RETR pub/c:silent@{SENT}"]) as server:
        code, _ = interrupt(server, tmp_path, number, "get", "-r", "-j", jobs, f"{server.url}/pub")
    assert code == -number
    assert set(left(tmp_path)) <= {"a", "b"}
    assert all((tmp_path / name).read_bytes() == FILES[f"pub/{name}"] for name in left(tmp_path))


def test_interrupted_upload_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(os.urandom(8 << 20))
    with FtpServer({"a": b"old"}, faults=[f"STOR:silent@{SENT}"]) as server:
        code, _ = interrupt(server, tmp_path, signal.SIGINT, "put", "a", f"{server.url}/a")
        assert server.files["/a"] == b"old"
    assert code == -signal.SIGINT


def test_interrupted_upload_removes_its_temporary_file(tmp_path: Path) -> None:
    """The server still answers: the program waits for the end of the transfer, and sends DELE."""
    (tmp_path / "a").write_bytes(bytes(SENT))
    with FtpServer({"a": b"old"}) as server:
        command = [sys.executable, "-m", "inetcli", "ftp", "put", "--limit-rate", "20K", "a", f"{server.url}/a"]
        with subprocess.Popen(command, cwd=tmp_path, env=environment()) as process:
            server.wait_for("STOR", timeout=LIMIT_S)
            process.send_signal(signal.SIGINT)
            process.wait(LIMIT_S)
        server.wait_for("DELE", timeout=LIMIT_S)
        assert dict(server.files) == {"/a": b"old"}
    assert process.returncode == -signal.SIGINT
