"""`mockservers run`, `serve`, `certs`, `faults` and `demo`."""

import json
import os
import signal
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from program import LIMIT_S, Finished, environment, run_module


def mockservers(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> Finished:
    return run_module("mockservers", *arguments, stdin=stdin, cwd=cwd)


def sh(line: str) -> list[str]:
    return ["--", "sh", "-c", line]


def test_run_tells_the_child_where_the_servers_are() -> None:
    done = mockservers("run", "ftp", "time", *sh("env | grep ^MOCK_ | sort"))
    names = [line.partition("=")[0] for line in done.out.splitlines()]
    assert names == [
        "MOCK_FTP_HOST",
        "MOCK_FTP_PASSWORD",
        "MOCK_FTP_PORT",
        "MOCK_FTP_URL",
        "MOCK_FTP_USER",
        "MOCK_TIME_HOST",
        "MOCK_TIME_PORT",
        "MOCK_TIME_URL",
    ]


@pytest.mark.parametrize(
    ("line", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137), ("exit 255", 255)]
)
def test_run_ends_as_its_child_did(line: str, code: int) -> None:
    assert mockservers("run", "time", *sh(line)).code == code


def test_run_of_what_cannot_be_run(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert mockservers("run", "time", "--", "/nonexistent/program").code == 127
    assert mockservers("run", "time", "--", str(tmp_path / "script")).code == 126
    assert mockservers("run", "time").code == 2
    assert mockservers("run", "tiem", *sh("true")).code == 2


def test_run_dies_of_sigint_when_its_child_did() -> None:
    assert mockservers("run", "time", *sh("kill -INT $$")).code == -signal.SIGINT


CHILD = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print("here", flush=True)
signal.pause()
"""


def test_run_hands_sigterm_on() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "mockservers", "run", "time", "--", sys.executable, "-c", CHILD],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout
    assert child.stdout.readline() == b"here\n"
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=LIMIT_S)
    assert child.returncode == 9


def test_run_strict_minds_what_the_child_does_not_see() -> None:
    idle = ["--fault", "ftp:RETR:rst@3"]
    assert mockservers("run", "ftp", *idle, *sh("true")).code == 0
    done = mockservers("run", "ftp", "--strict", *idle, *sh("true"))
    assert (done.code, done.err) == (120, "mockservers: ftp: fault never fired: ftp:RETR:rst@3\n")
    assert mockservers("run", "ftp", "--strict", *idle, *sh("exit 3")).code == 3


def test_run_shows_the_transcript_when_the_child_fails() -> None:
    line = f"{sys.executable} -m inetcli http raw $MOCK_HTTP_URL/nope"
    done = mockservers("run", "http", *sh(line))
    assert done.code == 22
    assert "mockservers: http, its last " in done.err
    assert "C> GET /nope HTTP/1.1" in done.err


def test_run_trust_makes_common_clients_trust_us() -> None:
    code = (
        "import os, ssl; ssl.create_default_context(); print(open(os.environ['SSL_CERT_FILE']).read().count('BEGIN'))"
    )
    done = mockservers("run", "tls", "--trust", "--", sys.executable, "-c", code)
    assert done.code == 0
    assert int(done.out) >= 1
    line = f"{sys.executable} -m inetcli tls hello $MOCK_TLS_URL | sed -n 1p | cut -c1-2"
    assert mockservers("run", "tls", "--trust", *sh(line)).out == "OK\n"


def test_faults_on_the_command_line() -> None:
    done = mockservers("run", "ftp", "--fault", "ftp:RETR:rts", *sh("true"))
    assert done.code == 2
    assert "near ones: rst" in done.err
    assert mockservers("run", "ftp", "--fault", "dns:*:drop", *sh("true")).code == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ignored", [False, True])
def test_serve_says_where_and_ends_at_a_signal(number: int, ignored: bool) -> None:
    trap = "trap '' INT; " if ignored else ""
    child = subprocess.Popen(
        ["bash", "-c", f"{trap}exec {sys.executable} -m mockservers serve ftp dns tls"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout
    ready = json.loads(child.stdout.readline())
    assert (ready["event"], ready["pid"]) == ("ready", child.pid)
    assert list(ready["servers"]) == ["ftp", "dns", "tls"]
    assert set(ready["servers"]["ftp"]) == {"url", "host", "port"}
    ssl.create_default_context(cafile=ready["ca_file"])
    child.send_signal(number)
    out, err = child.communicate(timeout=5)
    assert (child.returncode, out, err) == (0, b"", b"")
    assert not os.path.exists(ready["ca_file"])


def test_serve_until_standard_input_ends() -> None:
    done = mockservers("serve", "time", "--until-stdin-eof")
    assert (done.code, len(done.rows)) == (0, 1)
    assert done.row["ca_file"] is None


def test_certs_are_for_their_owner_only_and_good_for_what_they_say(tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    done = mockservers("certs", str(folder))
    assert done.code == 0
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {
        "ca.pem": 0o644,
        "server.pem": 0o600,
        "client.pem": 0o600,
        "expired.pem": 0o600,
        "wrong_host.pem": 0o600,
        "untrusted.pem": 0o600,
    }
    assert "PRIVATE KEY" not in (folder / "ca.pem").read_text()
    for name in modes:
        if name != "ca.pem":
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / name)
    assert mockservers("certs", str(folder)).code == 0


def test_faults_are_listed_with_examples_that_parse() -> None:
    from mockservers.faulttext import parse_fault

    rows = mockservers("faults", "dns", "--json").rows
    assert {row["server"] for row in rows} == {"any", "dns"}
    for row in rows:
        assert set(row) == {"server", "name", "args", "sees", "example"}
        assert parse_fault(row["example"]).fault.name == row["name"]
    assert mockservers("faults", "dsn").code == 2


def test_demo_shows_every_protocol_and_leaves_nothing(tmp_path: Path) -> None:
    done = mockservers("demo", cwd=tmp_path)
    assert done.code == 0, done.out
    for name in ("ftp get", "nntp latest", "http raw", "tls hello", "dns lookup", "talk tcp", "talk udp"):
        assert f"inetcli {name} " in done.out
    assert "expected" not in done.out
    assert list(tmp_path.iterdir()) == []
