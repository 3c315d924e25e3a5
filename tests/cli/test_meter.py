"""The progress meter: the format of its lines, and when it is drawn."""

import io
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from support.program import inetcli
from support.terminal import on_terminal, screen

from inetcli.cli import meter as meter_module
from inetcli.cli.meter import Meter, PartsTotal, TransferProgress, meter_line, shorten, total_line
from mockservers import FtpServer

MIB = 1 << 20


class Drawing(NamedTuple):
    """A meter and the terminal that it draws on."""

    meter: Meter
    terminal: io.StringIO

    @property
    def rows(self) -> list[str]:
        return screen(self.terminal.getvalue().replace("\n", "\r\n").encode())


def line(done: int, total: int | None, elapsed: float, width: int = 80, label: str = "a.iso") -> str:
    progress = TransferProgress(label, None)
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
    progress = TransferProgress("a", None)
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


def test_meter_is_drawn_on_a_terminal_and_erased(tmp_path: Path) -> None:
    with FtpServer({"a.bin": b"x" * 60}, faults=SLOW) as server:
        code, shown = on_terminal("ftp", "get", f"{server.url}/a.bin", cwd=tmp_path)
    assert code == 0
    assert re.search(rb"a\.bin +\d+%  \d+ B  \d+ B/s  0:0\d left", shown)
    after = shown[shown.rindex(b"\r\x1b[J") :]
    assert b"left" not in after  # the last that was drawn is taken back, and the result stands in its place
    assert b"60 B" in after
    assert (tmp_path / "a.bin").stat().st_size == 60


@pytest.mark.parametrize("looks", [["-q"], ["-v"], ["-o", "-"]])
def test_meter_is_not_drawn_without_a_terminal_or_with_quiet(looks: list[str], tmp_path: Path) -> None:
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
    assert b"\r\x1b[2A" in shown  # back to the first of three
    assert screen(shown) == [row for row in screen(shown) if "left" not in row]
    assert [row.split()[0] for row in screen(shown)] == list(files)


def test_many_parts_of_a_target_have_a_line_with_their_number(tmp_path: Path) -> None:
    files = {f"pub/{n}.bin": b"x" * (50 + 20 * n) for n in range(3)}
    with FtpServer(files, faults=SLOW) as server:
        code, shown = on_terminal("ftp", "get", "-r", "-j", "3", f"{server.url}/pub", cwd=tmp_path)
    assert code == 0
    assert b" of 3 files" in shown
    assert screen(shown)[-1].startswith("3 files, ")


def test_control_c_leaves_nothing_of_the_meter(tmp_path: Path) -> None:
    """The terminal shows ^C where the cursor stands, and the line is wiped from its beginning all the same."""
    with FtpServer({"a.bin": b"x" * 6000}, faults=SLOW) as server:
        url = f"{server.url}/a.bin"
        code, shown = on_terminal("ftp", "get", url, cwd=tmp_path, press=(b"left", b"\x03"))
    assert code == -2
    assert b"^C" in shown
    assert screen(shown) == []


def test_a_narrow_terminal_shortens_the_name_and_keeps_the_rate(tmp_path: Path) -> None:
    name = "a-name-that-is-much-too-long-for-this-terminal.iso"
    with FtpServer({name: b"x" * 60}, faults=SLOW) as server:
        code, shown = on_terminal("ftp", "get", f"{server.url}/{name}", cwd=tmp_path, columns=50)
    assert code == 0
    assert re.search(r"\x1b\[J\S+…\S+inal\.iso +\d+%  \d+ B  \d+ B/s  0:0\d left\r", shown.decode())


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (60, "a-very-long-name-of-a-file.iso   50%  5 B  5 B/s  0:01 left"),
        (50, "a-very…of-a-file.iso   50%  5 B  5 B/s  0:01 left"),
        (35, "a-ver…a-file.iso   50%  5 B  5 B/s"),
        (28, "a-…le.iso   50%  5 B  5 B/s"),
        (24, "a-v…le.iso   50%  5 B/s"),
    ],
)
def test_name_is_shortened_before_rate_and_percent(width: int, expected: str) -> None:
    assert line(5, 10, 1.0, width, "a-very-long-name-of-a-file.iso") == expected


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("short", 5, "short"),
        ("pub/iso/nightly.iso", 12, "pub…htly.iso"),
        ("pub/iso/nightly.iso", 2, "…o"),
        ("pub/iso/nightly.iso", 1, ""),
        ("字字字字字字", 7, "字…字字"),
        ("字字字字字字", 6, "…字字"),
        ("e\u0301" * 9, 4, "e\u0301…e\u0301e\u0301"),
    ],
)
def test_a_name_is_shortened_in_its_middle(name: str, width: int, shown: str) -> None:
    assert shorten(name, width) == shown


def test_a_terminal_without_utf8_gets_three_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert shorten("pub/iso/nightly.iso", 12) == "pub...ly.iso"


@pytest.mark.parametrize(
    ("parts", "running", "expected"),
    [
        (PartsTotal(0.0, 12, None, 30 * MIB), 10 * MIB, "12 of ? files  40.0 MiB  4.0 MiB/s"),
        (PartsTotal(0.0, 12, 40, 30 * MIB), 0, "12 of 40 files  30.0 MiB  3.0 MiB/s"),
        (PartsTotal(0.0, 41, 40, 0), 0, "41 of 41 files  0 B  0 B/s"),
    ],
)
def test_total_line(parts: PartsTotal, running: int, expected: str) -> None:
    assert total_line(parts, running, 10.0, 80) == expected


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> Drawing:
    """A meter that draws at each tick, on a small terminal."""
    terminal = io.StringIO()
    monkeypatch.setattr(meter_module, "_write", terminal.write)
    monkeypatch.setattr(meter_module, "DELAY_S", 0.0)
    monkeypatch.setattr(meter_module, "INTERVAL_S", 0.0)
    monkeypatch.setattr(meter_module, "_terminal_size", lambda: os.terminal_size((60, 5)))
    return Drawing(Meter(), terminal)


@pytest.mark.parametrize("written", [0, 5, 1000])
def test_a_signal_during_the_drawing_leaves_nothing(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    """None, some or all of the text has been written when the signal comes."""
    terminal = drawing.terminal
    terminal.write("above\n")
    progress, other = drawing.meter.start("a.bin"), drawing.meter.start("b.bin")
    other.done = 1024

    def interrupted(text: str) -> None:
        terminal.write(text[:written])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(meter_module, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            progress.advance(1024)
    terminal.write("^C")
    drawing.meter.close()
    assert drawing.rows == ["above"]


def test_many_parts_have_a_line_each_that_runs_and_one_for_all(drawing: Drawing) -> None:
    meter = drawing.meter
    whole = meter.start("host/pub")
    first, second, third = (meter.start(f"{name}.bin", part=True) for name in "abc")
    for each in (first, second):
        each.advance(1024)
    assert [row.partition("  ")[0] for row in drawing.rows] == ["a.bin", "b.bin", "0 of ? files"]
    meter.finish(first)
    third.advance(2048)
    assert [row.partition("  ")[0] for row in drawing.rows] == ["b.bin", "c.bin", "1 of ? files"]
    assert "  4.0 KiB  " in drawing.rows[-1]
    meter.expect_parts(3)
    second.advance(0)
    assert drawing.rows[-1].startswith("1 of 3 files  4.0 KiB  ")
    meter.finish(second)
    meter.finish(second)
    meter.finish(third)
    assert [row.partition("  ")[0] for row in drawing.rows] == ["3 of 3 files"]
    meter.finish(whole)
    assert drawing.rows == []


def test_the_lines_keep_within_the_height_of_the_terminal(drawing: Drawing) -> None:
    parts = [drawing.meter.start(f"{number}.bin", part=True) for number in range(9)]
    for part in parts:
        part.advance(1)
    assert [row.partition("  ")[0] for row in drawing.rows] == ["0.bin", "1.bin", "2.bin", "0 of ? files"]


def test_one_part_needs_no_total(drawing: Drawing) -> None:
    drawing.meter.start("a.bin", part=True).advance(1)
    assert [row.partition("  ")[0] for row in drawing.rows] == ["a.bin"]


def test_printed_text_appears_above_the_meter(drawing: Drawing) -> None:
    running = drawing.meter.start("a.bin")
    running.advance(1)
    with drawing.meter.suspended():
        assert drawing.rows == []
        running.advance(1)  # nothing is drawn into what is printed
        assert drawing.rows == []
        drawing.terminal.write("result\n")
    assert [row.partition("  ")[0] for row in drawing.rows] == ["result", "a.bin"]


def test_signal_during_printing_does_not_redraw_the_meter(drawing: Drawing) -> None:
    drawing.meter.start("a.bin").advance(1)
    with pytest.raises(KeyboardInterrupt), drawing.meter.suspended():
        raise KeyboardInterrupt
    assert drawing.rows == []


def test_a_closed_meter_draws_nothing_any_more(drawing: Drawing) -> None:
    running = drawing.meter.start("a.bin")
    running.advance(1)
    assert len(drawing.rows) == 1
    drawing.meter.close()
    running.advance(1)
    drawing.meter.close()
    assert drawing.rows == []
