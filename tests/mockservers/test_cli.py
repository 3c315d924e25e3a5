"""`mockservers run`, `serve`, `certs`, `faults` and `demo`."""

import importlib.util
import json
import os
import shlex
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.commands import protocol_commands
from support.foreign import program
from support.program import LIMIT_S, Finished, environment, run_module

from mockservers import faults
from mockservers.families import SERVERS
from mockservers.faulttext import parse_fault


def mockservers(
    *arguments: str, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Finished:
    return run_module("mockservers", *arguments, stdin=stdin, cwd=cwd, env=env)


def sh(line: str) -> list[str]:
    return ["--", "sh", "-c", line]


@pytest.fixture(autouse=True)
def sigint_is_heard() -> Iterator[None]:
    """Also where these tests run in the background of a shell, which ignores it for all that is begun there."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def started(
    *arguments: str, shell: str = "exec", new_session: bool = False, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """The program, still running; `shell` is what goes before it on a bash command line."""
    line = shlex.join([sys.executable, "-W", "error", "-m", "mockservers", *arguments])
    return subprocess.Popen(
        ["bash", "-c", f"{shell} {line}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        start_new_session=new_session,
    )


def first_line(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout
    return child.stdout.readline()


def finished(child: subprocess.Popen[bytes]) -> Finished:
    out, err = child.communicate(timeout=LIMIT_S)
    return Finished(child.returncode, out, err)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """A folder for temporary files, which is empty again at the end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield {"TMPDIR": str(folder)}
    assert list(folder.iterdir()) == []


# run


def test_run_tells_the_child_where_the_servers_are() -> None:
    done = mockservers("run", *sh("env -0"))
    told = dict(pair.split("=", 1) for pair in done.out.split("\0") if pair.startswith("MOCK_"))
    names = [name for name in SERVERS if name != "doh" or importlib.util.find_spec("h2")]
    users = {"ftp", "ftpes", "ftps", "pyftpdlib", "nntp", "nntps"}
    expected = {f"MOCK_{name.upper()}_{key}" for name in names for key in ("URL", "HOST", "PORT")}
    expected |= {f"MOCK_{name.upper()}_{key}" for name in users for key in ("USER", "PASSWORD")}
    assert set(told) == expected | {"MOCK_CA_FILE"}
    schemes = {"pyftpdlib": "ftp", "doh": "https"}
    for name in names:
        url, port = (told[f"MOCK_{name.upper()}_{key}"] for key in ("URL", "PORT"))
        assert url.removesuffix("/dns-query") == f"{schemes.get(name, name)}://127.0.0.1:{port}"
    assert (told["MOCK_FTP_USER"], told["MOCK_FTP_PASSWORD"]) == ("user", "password")


def test_run_starts_what_is_named_and_nothing_else() -> None:
    done = mockservers("run", "ftp", "time", *sh("env | grep -o ^MOCK_.*_URL | sort"))
    assert done.out.split() == ["MOCK_FTP_URL", "MOCK_TIME_URL"]


def test_standard_input_and_output_are_the_childs() -> None:
    done = mockservers("run", "time", "--strict", "--", "cat", stdin=b"\0\xffbytes")
    assert (done.code, done.stdout, done.stderr) == (0, b"\0\xffbytes", b"")
    done = mockservers("run", "time", *sh("echo out; echo err >&2; exit 3"))
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 120", 120),
        ("exit 127", 127),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
        ("exit 255", 255),
        ("kill -INT $$", -signal.SIGINT),
    ],
)
def test_run_ends_as_its_child_did_and_leaves_nothing(line: str, code: int, scratch: Mapping[str, str]) -> None:
    done = mockservers("run", "time", "tls", "--trust", *sh(line), env=scratch)
    assert (done.code, done.out, done.err) == (code, "", "")


def test_run_of_what_cannot_be_run(tmp_path: Path, scratch: Mapping[str, str]) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    for name, code, why in (
        ("/nonexistent/program", 127, "No such file or directory"),
        ("no-such-program", 127, "No such file or directory"),
        (str(tmp_path / "script"), 126, "Permission denied"),
        (str(tmp_path), 126, "Permission denied"),
    ):
        done = mockservers("run", "tls", "--", name, env=scratch)
        assert (done.code, done.err) == (code, f"mockservers: {name}: {why}\n")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["run", "time"], "No command given"),
        (["run", "time", "--"], "No command given"),
        (["run", "tiem", "--", "true"], "no server is called 'tiem'; near ones: time"),
        (["serve", "fpt"], "no server is called 'fpt'; near ones: ftp"),
        (["faults", "dsn"], "no server is called 'dsn'; near ones: dns"),
        (["run", "ftp", "--fault", "ftp:RETR:rts", "--", "true"], "no fault is called 'rts'; near ones: rst"),
        (["serve", "ftp", "--fault", "RETR:rts"], "no fault is called 'rts'; near ones: rst"),
        (["run", "ftp", "--fault", "dns:*:drop", "--", "true"], "the server dns is not started"),
        (["run", "ftp", "--fault", "connect:expired", "--", "true"], "ftp without TLS has no fault expired"),
        (["run", "pyftpdlib", "--fault", "connect:rst", "--", "true"], "pyftpdlib has no faults"),
        (["serve", "time", "--port", "65536"], "65536 is not in the range"),
        (["certs"], "Missing argument 'DIR'"),
    ],
)
def test_wrong_usage_is_2_and_names_the_near_ones(arguments: list[str], why: str, scratch: Mapping[str, str]) -> None:
    done = mockservers(*arguments, env=scratch)
    assert (done.code, done.out) == (2, "")
    assert why in done.err
    assert "Traceback" not in done.err


def test_a_failure_of_its_own_is_125(scratch: Mapping[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = mockservers("serve", "ftp", "--port", str(port), env=scratch)
    assert (done.code, done.out) == (125, "")
    assert done.err.endswith(f"127.0.0.1, port {port}: Address already in use\n")
    code = "import sys; sys.modules['trustme'] = None; from mockservers.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "tls", "--", "true"]
    failed = subprocess.run(command, capture_output=True, text=True, env=environment(scratch), timeout=30, check=False)
    assert failed.returncode == 125
    assert failed.stderr.startswith("mockservers: TLS servers need trustme: pip install 'inetcli[mock]' (")


LISTENER = r"""
import os, signal, sys
def end(number, _frame):
    os.write(1, f"got {signal.Signals(number).name}\n".encode())  # a print could meet the one below at its work
    sys.exit(9)
for name in ("SIGTERM", "SIGHUP", "SIGINT"):
    signal.signal(getattr(signal, name), end)
print("here", flush=True)
while True:
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_run_hands_a_signal_on_and_waits(number: signal.Signals, scratch: Mapping[str, str]) -> None:
    child = started("run", "tls", "--", sys.executable, "-c", LISTENER, env=scratch)
    assert first_line(child) == b"here\n"
    child.send_signal(number)
    done = finished(child)
    assert (done.code, done.out) == (9, f"got {number.name}\n")


def test_ctrl_c_reaches_the_child_and_its_end_is_waited_for(scratch: Mapping[str, str]) -> None:
    """A terminal sends SIGINT to the whole process group; so does this."""
    child = started("run", "tls", "--", sys.executable, "-c", LISTENER, env=scratch, new_session=True)
    assert first_line(child) == b"here\n"
    os.killpg(child.pid, signal.SIGINT)
    done = finished(child)
    assert (done.code, done.out) == (9, "got SIGINT\n"), done.err
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


def test_ctrl_c_ends_both_when_the_child_has_nothing_against_it(scratch: Mapping[str, str]) -> None:
    child = started("run", "tls", "--", "sh", "-c", "echo here; exec sleep 60", env=scratch, new_session=True)
    assert first_line(child) == b"here\n"
    os.killpg(child.pid, signal.SIGINT)
    assert finished(child).code == -signal.SIGINT
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


EARLY = """
import os, signal, subprocess, sys
from mockservers import child
from mockservers.cli import main

WHEN, NUMBER = sys.argv.pop(1), signal.Signals(int(sys.argv.pop(1)))

class Popen(subprocess.Popen):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        if WHEN == "meanwhile":
            signal.raise_signal(NUMBER)

subprocess.Popen = Popen
if WHEN == "before":
    child.environment = lambda servers: signal.raise_signal(NUMBER) or {}
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_signal_that_comes_early_is_not_lost(when: str, number: signal.Signals, scratch: Mapping[str, str]) -> None:
    """Before there is a child, or while it begins: it never hangs, and nothing is left."""
    command = [sys.executable, "-c", EARLY, when, str(int(number)), "run", "tls", "--", "sleep", "60"]
    done = subprocess.run(command, capture_output=True, env=environment(scratch), timeout=LIMIT_S, check=False)
    assert done.returncode == (-number if number is signal.SIGINT else 128 + number)


def test_run_strict_minds_what_the_child_does_not_see() -> None:
    idle = ["--fault", "ftp:RETR:rst@3"]
    assert mockservers("run", "ftp", *idle, *sh("true")).code == 0
    done = mockservers("run", "ftp", "--strict", *idle, *sh("true"))
    assert (done.code, done.err) == (120, "mockservers: ftp: fault never fired: ftp:RETR:rst@3\n")
    assert mockservers("run", "ftp", "--strict", *idle, *sh("exit 3")).code == 3
    line = "curl -s -o /dev/null $MOCK_HTTP_URL/nowhere"
    program("curl")
    done = mockservers("run", "http", "--strict", *sh(line))
    assert (done.code, done.err.count("\n"), "/nowhere" in done.err) == (120, 1, True)
    done = mockservers("run", "http", "--strict", "--fault", "GET /:rst@20", *sh("! curl -s $MOCK_HTTP_URL/"))
    assert (done.code, done.err) == (0, "")


def test_run_shows_the_transcript_when_the_child_fails() -> None:
    line = f"{sys.executable} -m inetcli http raw $MOCK_HTTP_URL/nope"
    done = mockservers("run", "http", *sh(line))
    assert done.code == 22
    assert "mockservers: http, its last " in done.err
    assert "C> GET /nope HTTP/1.1" in done.err
    code = (
        "import ftplib, os, sys; ftp = ftplib.FTP(); ftp.connect(os.environ['MOCK_FTP_HOST'], "
        "int(os.environ['MOCK_FTP_PORT'])); ftp.login('user', 'password'); ftp.close(); os.kill(os.getpid(), 15)"
    )
    done = mockservers("run", "ftp", "dns", "--", sys.executable, "-c", code)
    assert (done.code, done.out) == (143, "")
    assert "C> PASS ***\n" in done.err
    assert "PASS password" not in done.err
    assert "dns" not in done.err  # it has nothing to tell


def test_run_trust_makes_common_clients_trust_us() -> None:
    code = (
        "import os, ssl, urllib.request as r; u = os.environ['MOCK_HTTPS_URL']; "
        "print(r.urlopen(u, timeout=9).status, len(ssl.create_default_context().get_ca_certs()))"
    )
    done = mockservers("run", "https", "--trust", "--", sys.executable, "-c", code)
    assert done.code == 0, done.err
    status, roots = done.out.split()
    assert status == "200"
    assert int(roots) >= 1 + len(ssl.create_default_context().get_ca_certs())
    assert mockservers("run", "https", "--", sys.executable, "-c", code).code == 1
    program("curl")
    fetch = sh("curl -sS -o /dev/null -w '%{http_code}' $MOCK_HTTPS_URL/")
    assert mockservers("run", "https", "--trust", *fetch).out == "200"
    assert mockservers("run", "https", *fetch).code == 60
    line = f"{sys.executable} -m inetcli tls hello $MOCK_TLS_URL | sed -n 1p | cut -c1-2"
    assert mockservers("run", "tls", "--trust", *sh(line)).out == "OK\n"
    told = mockservers("run", "tls", "--trust", *sh("echo $SSL_CERT_FILE $CURL_CA_BUNDLE $REQUESTS_CA_BUNDLE"))
    assert len(told.out.split()) == 3
    assert len(set(told.out.split())) == 1


# serve


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("ignored", [False, True])
def test_serve_says_where_and_ends_at_a_signal(
    number: signal.Signals, ignored: bool, scratch: Mapping[str, str]
) -> None:
    """Ignored as a shell does it for what runs in the background; with SIGHUP it is nohup, and stays ignored."""
    child = started(
        "serve", "ftp", "dns", "tls", shell=f"trap '' {number.name}; exec" if ignored else "exec", env=scratch
    )
    ready = json.loads(first_line(child))
    assert (ready["event"], ready["pid"]) == ("ready", child.pid)
    assert list(ready["servers"]) == ["ftp", "dns", "tls"]
    ftp = ready["servers"]["ftp"]
    assert ftp == {"url": f"ftp://127.0.0.1:{ftp['port']}", "host": "127.0.0.1", "port": ftp["port"]}
    ssl.create_default_context(cafile=ready["ca_file"])
    clients = [socket.create_connection((ftp["host"], ftp["port"]), LIMIT_S) for _ in range(20)]
    child.send_signal(number)
    if number is signal.SIGHUP and ignored:
        assert clients[0].recv(3) == b"220"
        child.send_signal(signal.SIGTERM)
    done = finished(child)
    assert (done.code, done.out, done.err) == (0, "", "")
    for client in clients:
        client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ftp["host"], ftp["port"]), LIMIT_S)


def test_serve_ends_within_a_second() -> None:
    took = []
    for _ in range(3):
        child = started("serve", "nntp", "http")
        servers = json.loads(first_line(child))["servers"]
        clients = [socket.create_connection((one["host"], one["port"])) for one in servers.values() for _ in range(25)]
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        child.wait(LIMIT_S)
        took.append(time.monotonic() - began)
        finished(child)
        for client in clients:
            client.close()
    assert min(took) < 1.0, took


def test_serve_port_is_the_first_servers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = mockservers("serve", "http", "time", "--port", str(port), "--until-stdin-eof")
    assert done.code == 0, done.err
    ports = [server["port"] for server in done.row["servers"].values()]
    assert ports[0] == port
    assert ports[1] not in (0, port)


def test_serve_has_faults_too() -> None:
    child = started("serve", "time", "--fault", "connect:fin@4")
    server = json.loads(first_line(child))["servers"]["time"]
    with socket.create_connection((server["host"], server["port"]), LIMIT_S) as client:
        client.sendall(b"x\n")
        assert b"".join(iter(lambda: client.recv(9), b"")).startswith(b"[")
    child.terminate()
    assert finished(child).code == 0


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


# faults


@pytest.mark.parametrize("server", ["dns", "ftps", "time", None])
def test_faults_are_listed_with_examples_that_parse(server: str | None) -> None:
    rows = mockservers("faults", *([server] if server else []), "--json").rows
    assert "any" in {row["server"] for row in rows}
    for row in rows:
        assert list(row) == ["server", "name", "args", "sees", "example"]
        assert parse_fault(row["example"]).fault.name == row["name"]
        assert row["sees"]
    assert {row["server"] for row in rows if row["name"] == "rst"} == {"any"}
    if server:
        assert [row["example"] for row in rows] == faults(server)
    plain = mockservers("faults", *([server] if server else [])).out.splitlines()
    assert len(plain) == len(rows)


def test_faults_of_the_honest_one() -> None:
    done = mockservers("faults", "pyftpdlib")
    assert (done.code, done.out) == (0, "")
    assert done.err == "mockservers: pyftpdlib has no faults: it is the honest one; ftp has them\n"


def test_help_names_every_server() -> None:
    shown = " ".join(mockservers("--help").out.split())
    assert " ".join(SERVERS) in shown


def test_demo_shows_every_protocol_and_leaves_nothing(tmp_path: Path) -> None:
    done = mockservers("demo", cwd=tmp_path)
    assert done.code == 0, done.out
    shown = {name for name in protocol_commands() if f"inetcli {name} " in done.out}
    assert {name.split()[0] for name in shown} == {leaf.group for leaf in protocol_commands().values()}
    assert shown >= {"ftp get", "talk tcp", "talk udp"}
    assert "expected" not in done.out
    assert list(tmp_path.iterdir()) == []
