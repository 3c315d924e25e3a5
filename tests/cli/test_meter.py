"""The progress meter: what a line says, and who gets to see it."""

import re
from pathlib import Path

import pytest
from support.program import inetcli
from support.terminal import on_terminal

from inetcli.cli.meter import Meter, Progress, meter_line
from mockservers import FtpServer

MIB = 1 << 20


def line(done: int, total: int | None, elapsed: float, width: int = 80, label: str = "a.iso") -> str:
    progress = Progress(label, None)
    progress.expect(total)
    progress.advance(done)
    return meter_line(progress, progress.started + elapsed, width)


@pytest.mark.parametrize(
    ("done", "total", "elapsed", "expected"),
    [
        (62 * MIB, 100 * MIB, 10.0, "a.iso   62%  62.0 MiB  6.2 MiB/s  0:06 left"),
        (1024, None, 2.0, "a.iso  1.0 KiB  512 B/s"),
        (100, 100, 1.0, "a.iso  100%  100 B  100 B/s  0:00 left"),
        (150, 100, 1.0, "a.iso  100%  150 B  150 B/s  0:00 left"),  # the server sent more than it said
        (1, 3601, 1.0, "a.iso    0%  1 B  1 B/s  60:00 left"),
        (0, 100, 1.0, "a.iso    0%  0 B  0 B/s"),
        (5, 0, 1.0, "a.iso  5 B  5 B/s"),
        (7, 7, 0.0, "a.iso  100%  7 B  6.5 GiB/s  0:00 left"),
    ],
)
def test_meter_line(done: int, total: int | None, elapsed: float, expected: str) -> None:
    assert line(done, total, elapsed) == expected


@pytest.mark.parametrize("width", [1, 12, 20, 40])
@pytest.mark.parametrize("label", ["a-very-long-name-of-a-file.iso", "字" * 30, "é" * 30])
def test_meter_line_never_wraps(width: int, label: str) -> None:
    columns = sum(0 if ord(c) == 0x301 else 2 if c == "字" else 1 for c in line(5, 10, 1.0, width, label))
    assert columns <= max(10, width - 1)


def test_a_retry_begins_anew() -> None:
    progress = Progress("a", None)
    progress.expect(100)
    progress.advance(80)
    progress.expect(100)
    progress.advance(10)
    assert "10%" in meter_line(progress, progress.started + 1, 80)


def test_hiding_and_finishing_may_come_in_any_order() -> None:
    meter = Meter()
    progress = meter.start("a")
    progress.hide()
    progress.hide()
    progress.advance(5)
    meter.finish(progress)
    assert progress.done == 5


SLOW = ["RETR:drip(0.02)"]
"""A byte each 20 ms: 60 bytes take longer than the half second after which the meter comes."""


def test_the_meter_shows_on_a_terminal_and_goes_away(tmp_path: Path) -> None:
    with FtpServer({"a.bin": b"x" * 60}, faults=SLOW) as server:
        code, shown = on_terminal("ftp", "get", f"{server.url}/a.bin", cwd=tmp_path)
    assert code == 0
    assert re.search(rb"a\.bin +\d+%  \d+ B  \d+ B/s  0:0\d left", shown)
    after = shown[shown.rindex(b"\x1b[1A\x1b[J") :]
    assert b"left" not in after  # the last that was drawn is taken back, and the result stands in its place
    assert b"60 B" in after
    assert (tmp_path / "a.bin").stat().st_size == 60


@pytest.mark.parametrize("looks", [["-q"], ["-v"], ["-o", "-"]])
def test_the_meter_keeps_out_of_the_way(looks: list[str], tmp_path: Path) -> None:
    with FtpServer({"a.bin": b"x" * 60}, faults=SLOW) as server:
        code, shown = on_terminal("ftp", "get", *looks, f"{server.url}/a.bin", cwd=tmp_path)
    assert code == 0
    assert b"B/s  0:" not in shown
    assert b"\x1b[J" not in shown


def test_the_meter_is_not_for_dumb_terminals_and_pipes(tmp_path: Path) -> None:
    with FtpServer({"a.bin": b"x" * 60}, faults=SLOW) as server:
        code, shown = on_terminal("ftp", "get", f"{server.url}/a.bin", env={"TERM": "dumb"}, cwd=tmp_path)
        piped = inetcli("ftp", "get", "--force", f"{server.url}/a.bin", cwd=tmp_path)
    assert (code, b"\x1b" in shown) == (0, False)
    assert (piped.code, piped.stdout, piped.stderr) == (0, b"", b"")


def test_many_transfers_have_a_line_each_and_results_stand_above(tmp_path: Path) -> None:
    files = {f"{n}.bin": b"x" * (50 + 20 * n) for n in range(3)}
    with FtpServer(files, faults=SLOW) as server:
        targets = [f"{server.url}/{name}" for name in files]
        code, shown = on_terminal("ftp", "get", "-j", "3", *targets, cwd=tmp_path)
    assert code == 0
    assert b"\x1b[3A\x1b[J" in shown
    assert screen(shown) == [row for row in screen(shown) if "left" not in row]
    assert [row.split()[0] for row in screen(shown)] == list(files)


def screen(shown: bytes) -> list[str]:
    """What stands on the terminal at the end: enough of ECMA-48 for what the meter writes."""
    rows: list[str] = []
    for piece in re.findall(r"\x1b\[\d*[A-Za-z]|[^\x1b\n]*\n", shown.decode().replace("\r", "")):
        if piece.endswith("A"):
            up = int(piece[2:-1])
        elif piece == "\x1b[J":
            del rows[len(rows) - up :]
        else:
            rows.append(piece.rstrip("\n"))
    return rows
