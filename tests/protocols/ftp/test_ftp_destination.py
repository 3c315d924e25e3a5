"""`ftp get` into FIFOs and files with unusual names."""

import os
import subprocess
import sys
from pathlib import Path

from mockservers import FtpServer

DATA = b"x" * 9000


def start(cwd: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "inetcli", "ftp", "get", *arguments]
    home = {**os.environ, "HOME": str(cwd)}  # nobody's netrc
    return subprocess.Popen(command, cwd=cwd, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(cwd: Path, *arguments: str) -> tuple[int, bytes, str]:
    with start(cwd, *arguments) as process:
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err.decode()


def test_remote_file_called_dash_is_a_file(tmp_path: Path) -> None:
    with FtpServer(files={"-": DATA}) as ftp:
        assert run(tmp_path, f"{ftp.url}/-") == (0, b"", "")
    assert (tmp_path / "-").read_bytes() == DATA


def test_fifo_without_reader_times_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with FtpServer(files={"a.bin": DATA}) as ftp:
        code, _, err = run(tmp_path, "--timeout", "0.2", "-o", "fifo", f"{ftp.url}/a.bin")
        assert not ftp.transcript()  # the destination comes first
    assert code == 28
    assert err.endswith("timed out: no program read the FIFO for 0.2 s (--timeout)\n")


def test_fifo_with_a_late_reader_gets_the_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with FtpServer(files={"a.bin": DATA}) as ftp, start(tmp_path, "-o", "fifo", f"{ftp.url}/a.bin") as process:
        assert (tmp_path / "fifo").read_bytes() == DATA
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_fifo_whose_reader_leaves_is_local_write(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with FtpServer(files={"a.bin": DATA}) as ftp, start(tmp_path, "-o", "fifo", f"{ftp.url}/a.bin") as process:
        os.close(os.open(tmp_path / "fifo", os.O_RDONLY))  # waits for the writer
        _, err = process.communicate(timeout=30)
    assert process.returncode == 23
    assert err.decode().endswith("fifo: cannot be written: Broken pipe\n")


def test_target_without_a_valid_file_name_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with FtpServer(files={"a.bin": DATA}) as ftp:
        code, _, err = run(tmp_path, f"{ftp.url}/..")
        assert not ftp.transcript()
    assert code == 23
    assert '".." cannot be used as a local file name' in err
    assert os.listdir(tmp_path) == []
