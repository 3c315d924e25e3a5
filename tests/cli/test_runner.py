"""The behaviour of all commands: retries, limits, readers of standard input, the keys of JSON."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.clock import ManualClock
from support.program import inetcli

from inetcli.cli import runner
from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import Parts, Row, SkippedPart, TargetResult, TargetRun, Task
from inetcli.errors import Denied, Incomplete, InetError, MalformedTarget, NotFound, Unreachable
from inetcli.net.session import Network
from inetcli.secret import SecretMasker
from mockservers import FtpServer, HttpServer, NntpServer, TlsServer


@pytest.fixture
def refusing() -> Iterator[str]:
    """A port that is ours, and where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{sock.getsockname()[1]}"


@pytest.mark.parametrize("limits", [["--retries", "50"], ["--wait", "20"], ["--retries", "50", "--wait", "20"]])
def test_max_time_during_a_pause_is_28_with_the_last_failure(refusing: str, limits: list[str]) -> None:
    done = inetcli("ftp", "get", *limits, "--max-time", "0.6", f"{refusing}/x", "-o", "-")
    assert done.code == 28
    assert done.err.splitlines()[-1] == (
        f"inetcli: {refusing}/x: timed out: not done after 0.6 s (--max-time); the last failure: {refusing}: refused"
    )


def test_retry_that_did_not_happen_is_not_noted(refusing: str) -> None:
    done = inetcli("talk", "tcp", "--retries", "1", "--max-time", "0.2", "--json", refusing, "/dev/null")
    assert (done.code, done.row["notes"]) == (28, [])


def test_standard_input_is_available_for_a_retry(refusing: str) -> None:
    done = inetcli("talk", "tcp", "--retries", "1", refusing, "-", stdin=b"hello\n")
    assert (done.code, done.err.splitlines()[-1]) == (7, f"inetcli: {refusing}: refused")


@pytest.mark.parametrize("fault", ["connect:rst@0x1", "connect:fin@0x1"])
def test_a_handshake_that_is_cut_is_tried_again(fault: str) -> None:
    with TlsServer(faults=[fault]) as server:
        done = inetcli("tls", "hello", "--retries", "1", "--ca", server.ca_file, server.url)
    assert done.code == 0
    assert "note: retried after: " in done.err


def tls_of(*arguments: str, stdin: bytes = b"") -> tuple[int, object]:
    """The exit code, and what the JSON says of TLS."""
    done = inetcli(*arguments, stdin=stdin)
    return done.code, done.row.get("tls", {}).get("version")


def test_json_has_tls_also_for_a_later_failure() -> None:
    with NntpServer(tls="implicit") as news:
        assert tls_of("nntp", "latest", "--json", "--ca", news.ca_file, f"{news.url}/no.group") == (78, "TLSv1.3")
    with HttpServer({"/silent": b""}, tls=True) as web:
        assert tls_of("http", "raw", "--json", "--ca", web.ca_file, f"{web.url}/silent") == (52, "TLSv1.3")
        done = inetcli("http", "raw", "--json", f"{web.url}/")
        assert done.code == 60
        assert done.row["tls"]["peer_verified"] is False
    with TlsServer(faults=["connect:truncate"]) as echo:
        arguments = "talk", "tcp", "--tls", "--json", "--ca", echo.ca_file, f"{echo.host}:{echo.port}", "-"
        done = inetcli(*arguments, stdin=b"hello\n")
        assert (done.code, done.rows[-1]["tls"]["version"]) == (56, "TLSv1.3")
    with FtpServer(tls="explicit") as ftp:
        assert tls_of("ftp", "get", "--json", "--ca", ftp.ca_file, f"{ftp.url}/nope") == (78, "TLSv1.3")
        ftp.on("AUTH").reply("502 no")
        assert tls_of("ftp", "get", "--json", "--ca", ftp.ca_file, f"{ftp.url}/nope") == (35, None)


def test_a_password_from_standard_input_is_its_first_line(tmp_path: Path) -> None:
    with FtpServer(users={"ada": "pässword"}) as server:
        arguments = "ftp", "get", "--user", "ada", "--password-file", "-", f"{server.url}/welcome.txt", "-o", "-"
        assert inetcli(*arguments, stdin="pässword\r\nmore\n".encode()).code == 0
        assert inetcli(*arguments, stdin=b"wrong\n").code == 67
        done = inetcli(*arguments, stdin=b"")
    assert (done.code, done.err) == (
        26,
        f"inetcli: {server.url}/welcome.txt: standard input: expected a password in the first line, got nothing\n",
    )


def test_a_password_and_targets_cannot_both_be_standard_input() -> None:
    done = inetcli("ftp", "get", "--user", "ada", "--password-file", "-", "-i", "-", stdin=b"secret\nh/x\n")
    assert (done.code, done.err) == (2, "inetcli: --password-file - and -i - cannot both read standard input\n")


@pytest.mark.parametrize("name", ["", "a b", "[::1", "a:0"])
def test_invalid_servername_is_wrong_usage(name: str) -> None:
    done = inetcli("tls", "hello", "--servername", name, "localhost:1")
    assert (done.code, done.err) == (
        2,
        f"inetcli: --servername: expected a host name or an address, got {name!r}\n",
    )


# In process, with tasks made for the purpose.


class Recorded(Task):
    """A task that does what the test says, once per try."""

    def __init__(self, *tries: TargetResult | InetError) -> None:
        self.tries = list(tries)
        self.attempts = self.closed = 0

    def attempt(self, run: TargetRun) -> TargetResult:
        self.attempts += 1
        outcome = self.tries.pop(0)
        if isinstance(outcome, InetError):
            raise outcome
        return outcome

    def known_fields(self) -> Row:
        return {"attempts": self.attempts}

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RETRY_S", (0.0, 0.0))


Capture = pytest.CaptureFixture[bytes]


def rows_of(captured: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def test_a_task_is_one_object_for_all_tries_and_closed_once(capfdbinary: Capture) -> None:
    made: list[Recorded] = []

    def make_task(text: str) -> Task:
        made.append(Recorded(Unreachable("no"), Incomplete("cut"), TargetResult(record={"done": True})))
        return made[-1]

    assert run_targets(Options(json=True, retries=2), ["h"], make_task) == 0
    (task,) = made
    assert (task.attempts, task.closed) == (3, 1)
    (row,) = rows_of(capfdbinary)
    assert (row["attempts"], row["done"]) == (3, True)
    assert row["notes"] == ["retried after: no", "retried after: cut"]


def test_a_task_that_fails_for_good_is_closed_and_its_known_fields_are_told(capfdbinary: Capture) -> None:
    task = Recorded(Denied("no"))
    assert run_targets(Options(json=True, retries=5), ["h"], lambda _: task) == 9
    assert (task.attempts, task.closed) == (1, 1)
    (row,) = rows_of(capfdbinary)
    assert (row["attempts"], row["error"]["kind"]) == (1, "denied")


def test_a_task_that_cannot_be_made_is_a_failure_of_its_target_only(capfdbinary: Capture) -> None:
    def make_task(text: str) -> Task:
        if text == "bad":
            raise MalformedTarget("bad: no")
        return Recorded(TargetResult(lines=[text]))

    assert run_targets(Options(), ["a", "bad", "b"], make_task) == 3
    assert capfdbinary.readouterr() == (b"a\nb\n", b"inetcli: bad: no\n")


class Emitting(Task):
    """A task that prints a part of its result and fails."""

    def attempt(self, run: TargetRun) -> TargetResult:
        run.emit_rows({"n": number} for number in range(3))
        raise Incomplete("cut")


def test_a_result_that_was_begun_to_be_printed_is_not_begun_again(capfdbinary: Capture) -> None:
    assert run_targets(Options(json=True, retries=5), ["h"], lambda _: Emitting()) == 18
    rows = rows_of(capfdbinary)
    assert [row.get("n") for row in rows] == [0, 1, 2, None]
    assert rows[-1]["error"]["kind"] == "incomplete"


class Ordered(Task):
    """A task that prints when the one before it has failed to wait."""

    def __init__(self, text: str, events: dict[str, threading.Event]) -> None:
        self._text = text
        self._events = events

    def attempt(self, run: TargetRun) -> TargetResult:
        run.emit_line(f"{self._text} begins")
        if self._text == "0":
            assert self._events["1"].wait(10)
        self._events[self._text].set()
        run.emit_line(f"{self._text} ends")
        return TargetResult()


@pytest.mark.parametrize("unordered", [False, True])
def test_lines_that_are_printed_as_they_come_are_never_mixed(unordered: bool, capfdbinary: Capture) -> None:
    """The second target is done first: it waits for its turn, but not for room."""
    events = {str(number): threading.Event() for number in range(4)}
    options = Options(jobs=4, unordered=unordered)
    assert run_targets(options, list(events), lambda text: Ordered(text, events)) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert sorted(lines) == sorted(f"{name} {what}" for name in events for what in ("begins", "ends"))
    assert all(lines[at].split()[0] == lines[at + 1].split()[0] for at in range(0, len(lines), 2))
    if not unordered:
        assert lines == [f"{name} {what}" for name in events for what in ("begins", "ends")]


def whole(items: list[str | SkippedPart], **tasks: Recorded) -> Recorded:
    parts = Parts(items=items, name=str, make_task=lambda name: tasks[name], jobs=2)
    return Recorded(TargetResult(record={"path": "."}, parts=parts))


def test_parts_are_tasks_with_tries_of_their_own_and_are_summed_up(capfdbinary: Capture) -> None:
    task = whole(
        ["a", "b", "c"],
        a=Recorded(Incomplete("cut"), TargetResult(record={"bytes": 5})),
        b=Recorded(TargetResult(record={"skipped": True})),
        c=Recorded(TargetResult(record={"bytes": 7})),
    )
    assert run_targets(Options(json=True, retries=1), ["h"], lambda _: task) == 0
    rows = rows_of(capfdbinary)
    assert [row.get("bytes") for row in rows] == [5, None, 7, 12]
    assert {key: rows[-1][key] for key in ("path", "files", "bytes", "skipped", "failed")} == {
        "path": ".",
        "files": 2,
        "bytes": 12,
        "skipped": 1,
        "failed": 0,
    }
    assert task.closed == 1


def test_a_part_that_fails_fails_the_whole_and_the_others_are_done(capfdbinary: Capture) -> None:
    task = whole(
        ["a", "b"],
        a=Recorded(NotFound("a: not sent", reply_code=550, reply="550 no")),
        b=Recorded(TargetResult(record={"bytes": 1})),
    )
    assert run_targets(Options(json=True), ["h"], lambda _: task) == 78
    rows = rows_of(capfdbinary)
    assert (rows[-1]["files"], rows[-1]["failed"]) == (1, 1)
    assert rows[-1]["error"]["message"] == "1 of 2 files failed, the first: a: not sent"
    assert rows[-1]["error"]["reply_code"] == 550


@pytest.mark.parametrize(
    ("skipped", "code"),
    [
        (SkippedPart("x", "a link"), 0),
        (SkippedPart("..", "no name", unsafe=True), 18),
        (SkippedPart("x", "denied", error=Denied("x: no")), 9),
    ],
)
def test_skipped_parts_are_noted_and_unreadable_ones_are_failures(
    skipped: SkippedPart, code: int, capfdbinary: Capture
) -> None:
    task = whole([skipped, "b"], b=Recorded(TargetResult(record={"bytes": 1})))
    assert run_targets(Options(json=True), ["h"], lambda _: task) == code
    row = rows_of(capfdbinary)[-1]
    assert row["notes"] == [f"{skipped.name}: skipped: {skipped.reason}"]
    assert row["files"] == 1


def test_an_empty_list_of_targets_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("\n# nothing\n")
    for path in (str(tmp_path / "none"), "/dev/null"):
        done = inetcli("ftp", "get", "-i", path)
        assert (done.code, done.out, done.err) == (0, "", "")
    assert inetcli("ftp", "get", "-i", "-", stdin=b"").code == 0
    done = inetcli("ftp", "get")
    assert (done.code, done.out) == (2, "")


class Released(Task):
    """A task that prints its name; the first one fails when the second has printed."""

    def __init__(self, text: str, second: threading.Event) -> None:
        self._text = text
        self._second = second

    def attempt(self, run: TargetRun) -> TargetResult:
        if self._text == "first":
            assert self._second.wait(10)
            raise NotFound("no")
        run.emit_line(self._text)
        self._second.set()
        return TargetResult()


def test_fail_early_prints_nothing_of_the_targets_after_the_failure(capfdbinary: Capture) -> None:
    second = threading.Event()
    options = Options(jobs=4, fail_early=True)
    assert run_targets(options, ["first", "second"], lambda text: Released(text, second)) == 78
    assert capfdbinary.readouterr() == (b"", b"inetcli: first: no\n")


def test_a_failed_part_is_named(capfdbinary: Capture) -> None:
    task = whole(["a.bin", "b.bin"], **{"a.bin": Recorded(Incomplete("cut")), "b.bin": Recorded(Denied("b.bin: no"))})
    assert run_targets(Options(), ["h"], lambda _: task) == 18
    assert capfdbinary.readouterr().err.splitlines() == [
        b"inetcli: h: a.bin: cut",
        b"inetcli: h: b.bin: no",
        b"inetcli: h: 2 of 2 files failed, the first: a.bin: cut",
    ]


class Waiting(Recorded):
    """A task that waits for an event, and then does what the test says."""

    def __init__(self, event: threading.Event, *tries: TargetResult | InetError) -> None:
        super().__init__(*tries)
        self._event = event

    def attempt(self, run: TargetRun) -> TargetResult:
        assert self._event.wait(10)
        return super().attempt(run)


@pytest.mark.usefixtures("capfdbinary")
def test_the_exit_code_is_that_of_the_first_failed_target_also_if_another_fails_sooner() -> None:
    """With two jobs the third target begins when the second one is done."""
    second_is_done = threading.Event()

    def make_task(text: str) -> Task:
        if text == "first":
            return Waiting(second_is_done, Denied("no"))
        if text == "second":
            return Recorded(NotFound("no"))
        second_is_done.set()
        return Recorded(TargetResult())

    assert run_targets(Options(jobs=2, unordered=True), ["first", "second", "third"], make_task) == Denied.exit_code


class ManualOptions(Options):
    """Options whose network has a clock that the test controls."""

    manual_clock = ManualClock()

    def network(self, secrets: SecretMasker | None = None) -> Network:
        return replace(super().network(secrets), clock=self.manual_clock)


class Frozen(Recorded):
    """A task that takes a second each time, and ends its timing itself."""

    def attempt(self, run: TargetRun) -> TargetResult:
        ManualOptions.manual_clock.advance(1)
        run.session.trace.freeze_timing()
        return super().attempt(run)


def test_the_time_of_another_try_counts_also_if_the_one_before_had_ended_the_timing(capfdbinary: Capture) -> None:
    task = Frozen(Incomplete("cut"), TargetResult(record={}))
    assert run_targets(ManualOptions(json=True, retries=1), ["h"], lambda _: task) == 0
    (row,) = rows_of(capfdbinary)
    assert row["timing_ms"] == {"total": 2000.0}
