"""The standard streams: JSON Lines, colours, the lines of `-v`."""

import json
from collections.abc import Mapping

import pytest
from support.program import inetcli

from inetcli.cli.output import (
    COMPUTED,
    MAX_SHOWN,
    VOCABULARY,
    Output,
    Transcript,
    json_line,
    mask_values,
    plain,
    wants_color,
)
from inetcli.net.trace import MAIN, Trace
from inetcli.secret import Secret, SecretMasker
from mockservers import TimeServer


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("grün", "grün"),
        (b"gr\xc3\xbcn", "grün"),
        (b"\xff\x00", {"base64": "/wA="}),
        ("a\udcffb", {"base64": "Yf9i"}),  # a byte that was no UTF-8, as surrogateescape keeps it
        ("\ud800", {"base64": "7aCA"}),  # half a character of UTF-16, which UTF-7 can bring
        ([b"\xfe", ("x", 1, None, True, 1.5)], [{"base64": "/g=="}, ["x", 1, None, True, 1.5]]),
        ({"outer": {"inner": b"\x80"}}, {"outer": {"inner": {"base64": "gA=="}}}),
    ],
)
def test_plain_converts_values_for_json(value: object, expected: object) -> None:
    assert plain(value) == expected


HOSTILE = "a\x00\x1b[2J\x7f\x9b31m\u202e\u200b\u2028\ufeff\U000e0041b"


def test_json_lines_escape_terminal_controls_and_keep_the_value() -> None:
    line = json_line({"text": HOSTILE, "plain": "grün 字 👍", HOSTILE: 1})
    assert json.loads(line) == {"text": HOSTILE, "plain": "grün 字 👍", HOSTILE: 1}
    assert "grün 字 👍" in line
    assert not set(HOSTILE) - set("a[2J31mb") & set(line)
    assert len(line.splitlines()) == 1  # Python's, which splits at U+2028, too


@pytest.mark.parametrize("looks", [[], ["--json"], ["-v"]])
def test_text_from_a_server_is_escaped_on_the_terminal(looks: list[str]) -> None:
    line = "\x1b[2J\x7f\x9b31m\u202e\u200b\u2028".encode() + b"\xff\n"
    with TimeServer() as server:
        done = inetcli("talk", "tcp", *looks, server.url, "-", stdin=line)
    assert (done.code, done.stdout.count(b"\n")) == (0, 1)
    for stream in (done.out, done.err):
        assert not set("\x1b\x7f\x9b\u202e\u200b\u2028") & set(stream)


@pytest.mark.parametrize(
    ("choice", "terminal", "environment", "expected"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("never", True, {"FORCE_COLOR": "1"}, False),
        ("always", False, {"NO_COLOR": "1", "TERM": "dumb", "CLICOLOR": "0"}, True),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": "0"}, False),  # non-empty counts, whatever it says
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("auto", False, {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ("auto", False, {"FORCE_COLOR": "0"}, False),
        ("auto", False, {"FORCE_COLOR": ""}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", True, {"CLICOLOR": "0"}, False),
        ("auto", True, {"CLICOLOR": "1"}, True),
        ("auto", False, {"CLICOLOR": "1"}, False),
    ],
)
def test_colour_settings_in_order_of_precedence(
    choice: str, terminal: bool, environment: Mapping[str, str], expected: bool
) -> None:
    assert wants_color(choice, terminal=terminal, environment=environment) is expected


class Kept(Output):
    """Keeps what is told."""

    def __init__(self, secrets: SecretMasker | None = None) -> None:
        super().__init__(secrets=secrets)
        self.told: list[str] = []

    def message(self, line: str) -> None:
        self.told.append(line)


class StoppedClock:
    """At 31 ms."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> object:
        raise AssertionError("nobody needs the date")


@pytest.fixture
def kept() -> Kept:
    return Kept()


def traced(kept: Kept, label: str = "") -> tuple[Trace, Transcript]:
    clock, transcript = StoppedClock(), Transcript(kept, label)
    trace = Trace(clock, transcript)  # type: ignore[arg-type]
    clock.seconds = 0.031
    return trace, transcript


def test_the_transcript_puts_lines_together(kept: Kept) -> None:
    trace, transcript = traced(kept)
    trace.remark("connected to 127.0.0.1:21")
    trace.received(MAIN, b"220 rea")
    trace.received(MAIN, b"dy\r\n230-a\r\n230 b\r")
    trace.received(MAIN, b"\n")
    trace.sent(MAIN, b"USER ada\r\nPASS ***\r\n")
    trace.received(MAIN, b"331 no end")
    transcript.finish()
    assert kept.told == [
        "+0.031s * connected to 127.0.0.1:21",
        "+0.031s < 220 ready",
        "+0.031s < 230-a",
        "+0.031s < 230 b",
        "+0.031s > USER ada",
        "+0.031s > PASS ***",
        "+0.031s < 331 no end",
    ]


def test_a_line_without_an_end_has_the_time_of_its_last_piece(kept: Kept) -> None:
    clock, transcript = StoppedClock(), Transcript(kept)  # type: ignore[arg-type]
    trace = Trace(clock, transcript)  # type: ignore[arg-type]
    for seconds, piece in ((1.0, b"bot"), (2.5, b"h")):
        clock.seconds = seconds
        trace.received(MAIN, piece)
    clock.seconds = 9.0
    transcript.finish()
    assert kept.told == ["+2.500s < both"]


def test_the_transcript_is_the_same_however_the_bytes_are_cut() -> None:
    data = b"220 ready\r\n\r\n230-\xff\r\n230 b\r\n"
    whole = Kept()
    traced(whole)[0].received(MAIN, data)
    for at in range(1, len(data)):
        cut = Kept()
        trace = traced(cut)[0]
        trace.received(MAIN, data[:at])
        trace.received(MAIN, data[at:])
        assert cut.told == whole.told


def test_the_transcript_escapes_caps_and_labels(kept: Kept) -> None:
    trace, _ = traced(kept, "host/a")
    trace.received(MAIN, b"\x1b[2J\xe2\x80\xae\xff\n")
    trace.received(MAIN, b"x" * (MAX_SHOWN + 1) + b"\n")
    assert kept.told == [
        r"host/a +0.031s < \x1b[2J\u202e\xff",
        f"host/a +0.031s < {'x' * MAX_SHOWN} ... ({MAX_SHOWN + 1} bytes)",
    ]


def test_transcript_does_not_buffer_an_endless_line(kept: Kept) -> None:
    trace, transcript = traced(kept)
    for _ in range(100):
        trace.received(MAIN, b"x" * 100)
    transcript.finish()
    assert sum(line.count("x") for line in kept.told) <= 100 * 100
    assert all(len(line) < MAX_SHOWN + 50 for line in kept.told)
    assert len(kept.told) > 10


def test_the_transcript_counts_a_data_channel_and_shows_datagrams_whole(kept: Kept) -> None:
    trace, _ = traced(kept)
    trace.received_size("data", 16384)
    trace.received(MAIN, b"a\nb", whole=True)
    assert kept.told == ["+0.031s < data: 16384 bytes", r"+0.031s < a\nb"]


@pytest.mark.parametrize("looks", [[], ["--json"]])
@pytest.mark.parametrize("locale", ["C", "de_DE.ISO-8859-1"])
def test_standard_output_is_utf_8_whatever_the_locale(looks: list[str], locale: str) -> None:
    env = {"LC_ALL": locale, "PYTHONIOENCODING": "latin-1", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with TimeServer() as server:
        done = inetcli("talk", "tcp", *looks, server.url, "-", stdin="grün 字\n".encode(), env=env)
    assert done.code == 0, done.stderr
    assert "grün 字".encode() in done.stdout


def known(*passwords: str) -> SecretMasker:
    secrets = SecretMasker()
    for password in passwords:
        secrets.add(Secret(password))
    return secrets


@pytest.mark.parametrize("size", [1, 2, 3, 7, 97, MAX_SHOWN + 1, 2 * MAX_SHOWN])
@pytest.mark.parametrize("at", [0, MAX_SHOWN - 4, MAX_SHOWN, 2 * MAX_SHOWN, 5 * MAX_SHOWN])
def test_the_transcript_masks_a_password_over_pieces_and_cuts(size: int, at: int) -> None:
    kept = Kept(known("hunter2"))
    trace, transcript = traced(kept)
    data = b"x" * at + b"hunter2" + b"y" * 3 * MAX_SHOWN
    for begin in range(0, len(data), size):
        trace.received(MAIN, data[begin : begin + size])
    transcript.finish()
    shown = "\n".join(kept.told)
    assert not any(part in shown for part in ("hu", "nt", "er2"))


@pytest.mark.parametrize("cut", range(1, 7))
def test_the_transcript_masks_a_password_that_begins_in_a_piece_that_was_shown(cut: int) -> None:
    kept = Kept(known("hunter2"))
    trace, transcript = traced(kept)
    trace.received(MAIN, b"x" * MAX_SHOWN + b"hunter2"[:cut])
    trace.received(MAIN, b"hunter2"[cut:] + b" end\r\n")
    transcript.finish()
    assert kept.told == [
        f"+0.031s < {'x' * MAX_SHOWN} ... ({MAX_SHOWN + cut} bytes)",
        "+0.031s < *** end",
    ]


@pytest.mark.parametrize("password", ["login", "error", "file", "size", "2026", "message"])
def test_json_stays_json_whatever_the_password_is(password: str) -> None:
    row = {
        "target": "ftp://host/x",
        "error": {"kind": password, "message": f"530 {password}", "reply": f'530 "{password}"'},
        "type": password,
        "modified": f"{password}-11-22T18:04:11Z",
        "sha256": f"00{password}00",
        "lines": [f"\N{GRINNING FACE} {password}\\", f"{password}\udcff".encode("utf-8", "surrogateescape")],
        "headers": [["Realm", password]],
        "name": f"{password}\udcff",
        "count": 2026,
        "none": None,
    }
    (line,) = Output(secrets=known(password)).encode_rows([row]).splitlines()
    assert json.loads(line) == {
        **row,
        "error": {"kind": password, "message": "530 ***", "reply": '530 "***"'},
        "lines": ["\N{GRINNING FACE} ***\\", {"base64": "Kioq/w=="}],
        "headers": [["Realm", "***"]],
        "name": {"base64": "Kioq/w=="},
    }


def test_values_of_our_own_are_no_text_of_a_peer() -> None:
    for key in VOCABULARY | COMPUTED:
        assert mask_values({key: "hunter2"}, known("hunter2")) == {key: "hunter2"}


def test_lines_and_messages_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(secrets=known("hunter2"))
    assert output.encode_lines(["a", "PASS hunter2"]) == b"a\nPASS ***\n"
    output.message(output.format_failure("host: 530 hunter2"))
    assert capsys.readouterr().err == "inetcli: host: 530 ***\n"
