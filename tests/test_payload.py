"""The source of an upload: files, FIFOs, standard input."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inetcli.errors import LocalRead
from inetcli.payload import open_payload

NEW = b"new\n" * 1000


def test_payload_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(NEW)
    with open_payload(str(tmp_path / "a")) as payload:
        assert payload.size == len(NEW)
        assert b"".join(iter(lambda: payload.read(999), b"")) == NEW


@pytest.mark.parametrize(("name", "why"), [("missing", "No such file or directory"), (".", "Is a directory")])
def test_payload_that_cannot_be_read(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(LocalRead, match=f"cannot be read: {why}") as caught:
        open_payload(str(tmp_path / name))
    assert caught.value.exit_code == 26
    assert caught.value.message.startswith(str(tmp_path))


def test_payload_that_fails_while_it_is_read() -> None:
    with open_payload("/proc/self/mem") as payload, pytest.raises(LocalRead, match="cannot be read: Input/output"):
        payload.read(10)


def test_payload_of_a_fifo_opens_without_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with open_payload(str(tmp_path / "fifo")) as payload:
        assert payload.size is None
        writer = os.open(tmp_path / "fifo", os.O_WRONLY)
        os.write(writer, b"x")
        assert payload.read(10) == b"x"
        os.close(writer)
        assert payload.read(10) == b""


@pytest.mark.parametrize(
    ("stdin", "out"),
    [(b"head\nrest", "4 b'rest'"), (None, "LocalRead standard input: cannot be read: Bad file descriptor")],
)
def test_payload_of_standard_input(tmp_path: Path, stdin: bytes | None, out: str) -> None:
    code = (
        "import os; from inetcli.payload import open_payload; from inetcli.errors import LocalRead\n"
        "try:\n"
        "    with open_payload('-') as payload: print(payload.size, payload.read(100))\n"
        "    os.fstat(0)\n"
        "except LocalRead as error: print('LocalRead', error)\n"
    )
    (tmp_path / "in").write_bytes(stdin or b"")
    shell = f'{{ read -r line; {sys.executable} -c "$0"; }}' if stdin else f'exec {sys.executable} -c "$0" <&-'
    with open(tmp_path / "in", "rb") as file:
        ran = subprocess.run(["/bin/sh", "-c", shell, code], stdin=file, capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == (out, "")


def test_payload_knows_when_a_file_was_modified(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    os.utime(tmp_path / "a", (1000, 2000))
    os.mkfifo(tmp_path / "fifo")
    with open_payload(str(tmp_path / "a")) as file, open_payload(str(tmp_path / "fifo")) as fifo:
        assert (file.modified, fifo.modified) == (2000.0, None)
