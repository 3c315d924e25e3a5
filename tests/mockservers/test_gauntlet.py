"""The gauntlet's judge, on clients whose faults are known."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from select import select

import pytest
from support.program import LIMIT_S, environment, run_module

from mockservers.errands import errand
from mockservers.families import SERVERS, faults
from mockservers.faultkinds import Armed, BadFault, Outcome, fault
from mockservers.faulttext import parse_fault
from mockservers.gauntlet import Run, Unfit, gauntlet_faults, run_gauntlet, totals
from mockservers.registry import make_server
from mockservers.trial import Stage, Trial
from mockservers.verdict import Verdict, expected_of, judge

FAULTY = [name for name in SERVERS if name not in ("pyftpdlib", "doh")]

CONNECT = """
import os, socket, sys
peer = socket.create_connection(("{host}", {port}))
peer.settimeout({wait})
def some():
    return peer.recv(65536)
"""
FETCH = """
peer.sendall(b"GET / HTTP/1.1\\r\\nHost: mock\\r\\nConnection: close\\r\\n\\r\\n")
page = b""
while data := some():
    page += data
head, _, body = page.partition(b"\\r\\n\\r\\n")
"""
SAVE = 'open("{out}", "wb").write(body)\n'
GULLIBLE = CONNECT + FETCH + SAVE
PRINTING = CONNECT + FETCH + "sys.stdout.buffer.write(body)\n"
CAREFUL = CONNECT + FETCH + 'if not page.startswith(b"HTTP/1.1 200") or len(body) != 688: sys.exit(9)\n' + SAVE
FALSE_NAME = CONNECT + FETCH + SAVE + "if len(body) != 688: sys.exit(9)\n"
LITTERING = CONNECT + FETCH + SAVE + 'open("page.tmp", "w")\n'
LOGGING = 'open("my.log", "w")\n' + CAREFUL
CRASHING = CONNECT + FETCH + "if len(body) != 688: os.abort()\n" + SAVE


def client(source: str, *, wait: str = "20") -> list[str]:
    return [sys.executable, "-I", "-S", "-c", source.replace("{wait}", wait)]


def gauntlet(server: str, source: str, *chosen: str, limit: float = 20, wait: str = "20") -> list[tuple[str, str]]:
    """The verdicts and their reasons."""
    found = run_gauntlet(server, client(source, wait=wait), chosen=map(parse_fault, chosen), limit=limit)
    return [(run.verdict.value, run.why) for run in found]


def verdicts(runs: Iterable[Run]) -> dict[str, str]:
    return {run.fault: run.verdict.value for run in runs}


CUT = "GET /:fin@400"


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        (GULLIBLE, CUT, ("lie", "success with 300 bytes instead of 688")),
        (GULLIBLE, "GET /:long_length(10)", ("lie", "success where only an error is right")),
        (GULLIBLE, "GET /:status(503)", ("lie", "success with 4 bytes instead of 688")),
        (GULLIBLE, "GET /:surplus(16)", ("lie", "success with 704 bytes instead of 688")),
        (GULLIBLE, "GET /:short_length(10)", ("right", "")),
        (GULLIBLE, "GET /:no_content_with_body", ("right", "")),
        (GULLIBLE, "connect:slice(7)", ("right", "")),
        (GULLIBLE, "connect:refuse", ("right", "")),
        (GULLIBLE, "GET /elsewhere:rst@0", ("right", "")),
        (PRINTING, CUT, ("lie", "success with 300 bytes instead of 688")),
        (PRINTING, "connect:slice(7)", ("right", "")),
        (PRINTING, "GET /:rst@400", ("right", "")),
        (CAREFUL, CUT, ("right", "")),
        (CAREFUL, "GET /:status(503)", ("right", "")),
        (CAREFUL, "GET /:surplus(16)", ("right", "")),
        (CAREFUL, "GET /:no_length", ("right", "")),
        (FALSE_NAME, CUT, ("partial", "failed, and kept the file, 300 bytes")),
        (CAREFUL + "sys.exit(3 * (b'mock-fails' not in head))", "GET /elsewhere:rst@0", None),
        (LOGGING, CUT, ("right", "")),
        (CRASHING, CUT, ("right", "")),
    ],
)
def test_a_client_is_judged(source: str, text: str, expected: tuple[str, str] | None) -> None:
    if expected is None:
        with pytest.raises(Unfit, match="exits 3"):
            gauntlet("http", source, text)
    else:
        assert gauntlet("http", source, text) == [expected]


def test_an_error_where_the_thing_was_to_be_had_is_none_for_an_error() -> None:
    fussy = CONNECT + FETCH + 'if b"Content-Length" not in head: sys.exit(9)\n' + SAVE
    assert gauntlet("http", fussy, "GET /:no_length") == [("fail", "failed, though it was all there")]


def test_what_is_left_behind_is_told_unless_it_always_is() -> None:
    littering = CONNECT + FETCH + 'open("a\\nb", "w") if len(body) != 688 else 0\n' + SAVE
    assert gauntlet("http", littering, "GET /:short_length(10)", "GET /:no_content_with_body") == [
        ("right", ""),
        ("right", ""),
    ]
    assert gauntlet("http", littering, "GET /:status(503)")[0][0] == "lie"
    spilling = littering.replace(SAVE, "sys.exit(9) if len(body) != 688 else 0\n" + SAVE)
    assert gauntlet("http", spilling, CUT) == [("partial", "left behind: a\\nb")]
    assert gauntlet("http", LITTERING, "connect:slice(7)") == [("right", "")]


def test_a_client_that_is_not_done_in_time_hangs() -> None:
    with Stage() as stage:
        trial = stage.run(["sleep", "1000"], os.environ, stage.folder(), "x", 0.1)
    assert trial == Trial(None, b"", b"", None, frozenset())


@pytest.mark.parametrize("ending", ["killed", "by itself"])
def test_nothing_that_a_client_began_outlives_it(ending: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = f"sleep 1000 & echo $! > {pipe}" + ("; wait" if ending == "killed" else f"; read go < {pipe}")
    with Stage() as stage, ThreadPoolExecutor(1) as thread:
        running = thread.submit(stage.run, ["sh", "-c", line], os.environ, stage.folder(), "x", 1000)
        heir = os.pidfd_open(int(pipe.read_text()))
        if ending == "killed":
            stage.close()
            with pytest.raises(InterruptedError):
                running.result(LIMIT_S)
        else:
            pipe.write_text("go\n")
            assert running.result(LIMIT_S).exit_code == 0
        assert select([heir], [], [], LIMIT_S)[0] == [heir]
        os.close(heir)


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that is dead, and nobody has asked after, is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize(
    ("code", "file", "left", "verdicts"),
    [
        # in the order of Outcome: failure, success, either, any
        (0, b"true", (), ["lie", "right", "right", "right"]),
        (0, b"tru", (), ["lie", "lie", "lie", "right"]),
        (0, None, (), ["lie", "lie", "lie", "right"]),
        (0, b"true", ("x",), ["lie", "partial", "partial", "partial"]),
        (0, b"true", ("log",), ["lie", "right", "right", "right"]),
        (1, None, (), ["right", "fail", "right", "right"]),
        (139, None, (), ["right", "fail", "right", "right"]),
        (1, b"", (), ["partial", "partial", "partial", "partial"]),
        (1, b"true", (), ["partial", "partial", "partial", "partial"]),
        (1, None, ("x",), ["partial", "partial", "partial", "partial"]),
        (None, b"true", ("x",), ["hang", "hang", "hang", "hang"]),
    ],
)
def test_every_ending_under_every_outcome(
    outcome: Outcome, code: int | None, file: bytes | None, left: tuple[str, ...], verdicts: list[str]
) -> None:
    trial = Trial(code, b"", b"", file, frozenset(left))
    found = judge(
        trial,
        outcome,
        lambda brought: "" if brought == b"true" else "less",
        by_file=True,
        usual=frozenset({"log"}),
    )
    assert found.verdict.value == verdicts[list(Outcome).index(outcome)]
    assert bool(found.why) == (found.verdict is not Verdict.RIGHT)


def test_what_is_expected_depends_on_what_has_happened() -> None:
    always, once = parse_fault("GET /:rst@3"), parse_fault("GET /:rst@3x1")
    assert expected_of(always, Outcome.FAILURE, fired=True) is Outcome.FAILURE
    assert expected_of(always, Outcome.FAILURE, fired=False) is Outcome.SUCCESS
    assert expected_of(once, Outcome.FAILURE, fired=True) is Outcome.EITHER
    assert expected_of(once, Outcome.SUCCESS, fired=True) is Outcome.SUCCESS
    assert expected_of(parse_fault("GET /+1:rst@3"), Outcome.FAILURE, fired=True) is Outcome.EITHER


def test_what_is_right_may_depend_on_the_errand() -> None:
    assert errand("ftp").outcome(fault.fin(at=4096)) is Outcome.EITHER
    assert errand("ftp").outcome(fault.fin()) is Outcome.FAILURE
    assert errand("http").outcome(fault.garbage()) is Outcome.FAILURE
    assert errand("tls").outcome(fault.garbage()) is Outcome.ANY


def test_a_retry_may_succeed_where_the_fault_passes() -> None:
    retrying = CONNECT + FETCH + "if len(body) != 688:\n    os.execv(sys.executable, sys.orig_argv)\n" + SAVE
    assert gauntlet("http", retrying, f"{CUT}x1") == [("right", "")]


@pytest.mark.parametrize(
    ("source", "message", "code"),
    [
        ("{port}; raise SystemExit('no such luck')", "without any fault the command exits 1: no such luck", 125),
        ("{port}", "without any fault the command brings 0 bytes instead of 688 in standard output", 125),
        (
            "open('{out}', 'w'); {port}",
            "without any fault the command brings 0 bytes instead of 688 in index.html",
            125,
        ),
        ("import time; time.sleep({port})", "without any fault the command takes over 0.5 s", 125),
        ("print('{host}')", "expected {url} or {port} in the command: the server's address", 2),
    ],
)
def test_a_command_that_cannot_be_judged(source: str, message: str, code: int) -> None:
    with pytest.raises(Unfit) as caught:
        gauntlet("http", source, limit=0.5 if "sleep" in source else 20)
    assert (str(caught.value), caught.value.exit_code) == (message, code)


def test_a_command_that_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    for program, code in (("/nonexistent/program", 127), (str(tmp_path / "script"), 126)):
        with pytest.raises(Unfit, match="cannot be run") as caught:
            list(run_gauntlet("http", [program, "{url}"]))
        assert caught.value.exit_code == code


def test_a_client_runs_alone_in_an_empty_folder_and_finds_the_server_in_its_environment() -> None:
    looks = """
import os, sys
assert os.listdir() == [] and sys.stdin.read() == "" and os.getsid(0) == os.getpid()
assert os.environ["MOCK_HTTPS_URL"] + "/" == "{url}" == "https://{host}:{port}/"
assert os.path.samefile(os.environ["MOCK_CA_FILE"], "{ca}")
assert open("{ca}").read().strip() in open(os.environ["SSL_CERT_FILE"]).read()
assert os.path.dirname("{out}") == os.getcwd() and "{else}" == "{" + "else}"
import ssl
"""
    wrap = (
        "peer = ssl.create_default_context().wrap_socket(peer, server_hostname='{host}', suppress_ragged_eofs=False)\n"
    )
    found = gauntlet("https", looks + CONNECT + wrap + FETCH + SAVE, "connect:slice(9)", "connect:expired")
    assert found == [("right", ""), ("right", "")]


@pytest.mark.parametrize("server", FAULTY)
def test_every_fault_of_a_server_is_run_and_four_endings_in_the_middle(server: str) -> None:
    armed = gauntlet_faults(server)
    texts = list(map(str, armed))
    assert texts[: len(faults(server))] == faults(server)
    assert len(texts) - len(faults(server)) == len(errand(server).endings())
    assert len(set(texts)) == len(texts)
    for item in armed:
        make_server(server, faults=[item]).stop()


FTP = """
import ftplib, sys
ftp = ftplib.FTP()
ftp.connect("{host}", {port}, timeout=1)
ftp.login()
with open("{out}", "wb") as file:
    ftp.retrbinary("RETR pub/data.bin", file.write)
"""
NEWS = (
    CONNECT
    + """
file = peer.makefile("rwb")
file.readline()
file.write(b"GROUP misc.test\\r\\nARTICLE 5\\r\\n")
file.flush()
file.readline()
for line in file:
    if line == b".\\r\\n":
        break
    print(line.decode().removeprefix('.'))
"""
)
ECHO = (
    CONNECT
    + """
peer.sendall(b"hello\\n")
reply = b""
while not reply.endswith(b"\\n") and (data := some()):
    reply += data
print(reply.decode())
"""
)


@pytest.mark.parametrize(
    ("server", "source"), [("http", GULLIBLE), ("ftp", FTP), ("nntp", NEWS), ("time", ECHO)], ids=lambda text: text[:4]
)
def test_the_middle_is_where_much_has_come_and_something_lacks(server: str, source: str) -> None:
    middle = errand(server).endings()
    assert [armed.fault.name for armed in middle] == ["silent", "fin", "rst", "half_close"]
    if server == "ftp":
        source = source.replace("import sys", "import sys\nsys.excepthook = lambda *_: None")
    runs = list(run_gauntlet(server, client(source, wait="1"), chosen=[middle[1]]))
    assert (runs[0].verdict, runs[0].fired) in {(Verdict.LIE, True), (Verdict.PARTIAL, True)}


def test_an_article_is_known_by_its_lines_wherever_they_stand() -> None:
    check = errand("nntp").check
    text = b"Subject: x\n\n    On Sun, 22 Nov 2026, Bob wrote:\r\n"
    assert check(text) != ""
    from mockservers.content import news_groups

    body = news_groups()["misc.test"][5].partition(b"\r\n\r\n")[2]
    assert check(b"head\n" + body.replace(b"\r\n", b"\n   ") + b"\nend") == ""
    assert check(body.replace(b"\r\n\r\n", b"\n")) == ""
    assert check(body.replace(b"Ada", b"Bob")).startswith("8 of the article's 9 lines")
    lines = body.splitlines()
    assert check(b"\n".join(lines[::-1])) != ""


def test_an_address_is_known_among_others() -> None:
    check = errand("dns").check
    assert check(b"www.example.test. 300 IN A 192.0.2.1\n") == ""
    assert check(b"192.0.2.11 and 1192.0.2.1 and 192.0.2.1.5") == "no address"
    assert check(b"192.0.2.1 203.0.113.66") == "the forged address"


def test_a_line_counts_where_it_is_sent() -> None:
    cut, other = "*:fin@3", "*:reply(no)"
    assert gauntlet("time", CONNECT, cut, other, "connect:refuse") == [("right", "")] * 3
    lie = ("lie", "success with another line than was sent")
    assert gauntlet("time", ECHO, cut, other, "connect:slice(2)") == [lie, ("right", ""), ("right", "")]


def test_a_server_without_faults_cannot_be_run_through() -> None:
    with pytest.raises(BadFault, match="pyftpdlib has no faults"):
        list(run_gauntlet("pyftpdlib", ["true", "{url}"]))


def test_totals_count_every_verdict() -> None:
    def run(verdict: Verdict, *, fired: bool = True) -> Run:
        return Run("http", "connect:refuse", verdict, 1, "connection refused", fired=fired, why="")

    runs = [*map(run, Verdict), run(Verdict.RIGHT, fired=False)]
    assert totals("http", runs) == "http: 6 faults: 2 right (1 not met), 1 lie, 1 hang, 1 partial, 1 fail"


# The program


def command(*arguments: str, source: str = GULLIBLE) -> list[str]:
    return ["gauntlet", *arguments, "--", *client(source)]


def test_the_table_ends_with_the_totals() -> None:
    done = run_module(
        "mockservers", *command("http", "--fault", "connect:refuse", "--fault", CUT, "--fault", "GET /x:fin@0")
    )
    assert done.out.splitlines() == [
        "right      1  connect:refuse                 connection refused",
        "lie        0  GET /:fin@400                  success with 300 bytes instead of 688",
        "right      0  GET /x:fin@0                   (not met)",
        "http: 3 faults: 2 right (1 not met), 1 lie, 0 hang, 0 partial, 0 fail",
    ]
    assert (done.code, done.err) == (120, "")


def test_json_is_a_line_for_each_fault() -> None:
    done = run_module("mockservers", *command("http", "--json", "--fault", CUT, source=CAREFUL))
    assert done.row == {
        "server": "http",
        "fault": CUT,
        "verdict": "right",
        "exit_code": 9,
        "sees": "bytes up to BYTES, then the end (under TLS: a truncation)",
        "fired": True,
        "why": "",
    }
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["http"], 2, "No command given"),
        (["http", "--", "true"], 2, "expected {url} or {port} in the command"),
        (["htpt", "--", "true", "{url}"], 2, "near ones: http"),
        (["pyftpdlib", "--", "true", "{url}"], 2, "pyftpdlib has no faults"),
        (["http", "--fault", "*:drop", "--", *client(GULLIBLE)], 2, "http has no fault drop"),
        (["http", "--limit", "nan", "--", "true", "{url}"], 2, "expected seconds from 0.1 to 86400, got 'nan'"),
        (["http", "--", "/nonexistent/program", "{url}"], 127, "/nonexistent/program: cannot be run"),
        (["http", "--", "/", "{url}"], 126, "/: cannot be run"),
        (["http", "--", "false", "{url}"], 125, "without any fault the command exits 1"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments: list[str], code: int, said: str) -> None:
    done = run_module("mockservers", "gauntlet", *arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_ends_the_clients_too(number: int, code: int, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    waits = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"{{port}}; import os, signal; open({str(pipe)!r}, 'w').write(str(os.getpid())); signal.pause()",
    ]
    program = subprocess.Popen(
        [sys.executable, "-m", "mockservers", "gauntlet", "http", "--", *(word.replace("{{", "{") for word in waits)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), "TMPDIR": str(tmp_path)},
    )
    pid = int(pipe.read_text())
    program.send_signal(number)
    out, err = program.communicate(timeout=LIMIT_S)
    assert (program.returncode, out, err) == (code, b"", b"")
    assert not is_running(pid)
    assert os.listdir(tmp_path) == ["pipe"]


def test_faults_are_armed_values() -> None:
    assert all(isinstance(item, Armed) for item in gauntlet_faults("tls"))
