"""The contract of the command line, by real processes: exit codes, signals, pipes, full disks, many targets."""

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.program import LIMIT_S, environment, inetcli
from support.terminal import read_all

from inetcli.cli.inputs import claim_stdin
from inetcli.errors import Usage
from mockservers import DnsServer, HttpServer, TimeServer

PROGRAM = [sys.executable, "-m", "inetcli"]
SHELL_PROGRAM = f"{sys.executable} -m inetcli"


def bash(line: str) -> subprocess.CompletedProcess[bytes]:
    """A line for the shell."""
    return subprocess.run(["bash", "-c", line], capture_output=True, env=environment(), timeout=LIMIT_S, check=False)


@contextmanager
def silent_server() -> Iterator[tuple[str, threading.Event]]:
    """A server that accepts and says nothing; its target, and an event that is set when somebody has connected."""
    listener = socket.create_server(("127.0.0.1", 0))
    met, clients = threading.Event(), []

    def accept() -> None:
        try:
            while True:
                clients.append(listener.accept()[0])
                met.set()
        except OSError:
            pass

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", met
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for sock in [listener, *clients]:
            sock.close()


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["ftp", "get", "--help"], ["completion", "bash"]])
def test_a_full_disk_on_standard_output_is_23(arguments: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=LIMIT_S, check=False
        )
    assert done.returncode == 23
    assert done.stderr == b"inetcli: standard output: No space left on device\n"


def test_a_full_disk_in_the_middle_of_an_answer_is_23() -> None:
    with HttpServer() as server, open("/dev/full", "wb") as full:
        for looks in ([], ["--json"]):
            done = subprocess.run(
                [*PROGRAM, "http", "raw", *looks, f"{server.url}/bytes/100000"],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(),
                timeout=LIMIT_S,
                check=False,
            )
            assert done.returncode == 23
            assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["--help", "--version", "completion zsh"])
def test_closed_pipe_ends_the_program_with_sigpipe(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PROGRAM, *command.split()],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=LIMIT_S,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_head_takes_one_line_and_the_rest_dies_of_sigpipe() -> None:
    with HttpServer() as server:
        piped = f"{SHELL_PROGRAM} http raw {server.url}/bytes/9000000 | head -1 >/dev/null"
        done = bash(f"{piped}; echo ${{PIPESTATUS[0]}}")
    assert (done.stdout, done.stderr) == (b"141\n", b"")


def test_a_peer_that_closes_is_not_mistaken_for_a_closed_standard_output() -> None:
    """A socket's EPIPE or reset is exit code 55 or 56 (or 52), and said; never a silent death."""
    with TimeServer(faults=["connect:rst@1"]) as server:
        done = inetcli("talk", "tcp", server.url, "-", stdin=b"line\n" * 2000)
    assert done.code in (55, 56)
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_standard_streams_may_be_closed(descriptor: int) -> None:
    with HttpServer() as server:
        line = f"exec {descriptor}>&-; exec {SHELL_PROGRAM} http raw -v {server.url}/"
        done = bash(line)
    assert done.returncode == (23 if descriptor == 1 else 0)
    assert b"Traceback" not in done.stderr


def signalled(numbers: Sequence[int], *command: str) -> tuple[int, bytes, bytes]:
    """The exit code and the output of a command that gets these signals while it waits for a silent server.

    Its own limit is far above that of the test: only a signal ends the command in time.
    """
    with silent_server() as (target, met):
        child = subprocess.Popen(
            [*PROGRAM, *command, "--timeout", "3600", *[f"http://{target}/{n}" for n in range(5)]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert met.wait(LIMIT_S)
        for number in numbers:
            child.send_signal(number)
        out, err = child.communicate(timeout=LIMIT_S)
    return child.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", [["http", "raw"], ["http", "raw", "--json", "-j", "3"]])
def test_signals_end_the_program_with_that_signal_long_before_its_limits(number: int, command: list[str]) -> None:
    assert signalled([number], *command) == (-number, b"", b"")


def test_ctrl_c_while_the_program_is_loaded_is_no_traceback(tmp_path: Path) -> None:
    """Most of a short command's time is its imports; the signal comes in the midst of them."""
    for place in ("click", "inetcli.cli.runner", "inetcli.net.session"):
        (tmp_path / "sitecustomize.py").write_text(
            "import os, signal, sys\n"
            "class Interrupting:\n"
            "    def find_spec(self, name, *rest):\n"
            f"        if name == '{place}': os.kill(os.getpid(), signal.SIGINT)\n"
            "sys.meta_path.insert(0, Interrupting())\n"
        )
        done = inetcli("http", "raw", "http://127.0.0.1:1/", env={"PYTHONPATH": str(tmp_path)})
        assert (done.code, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_signals_that_come_together_are_not_lost(jobs: str) -> None:
    """While the first is pending, the kernel gives the others to any thread: Python's handlers run in one only."""
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGINT, signal.SIGHUP]
    code, out, err = signalled(numbers, "http", "raw", "--json", "-j", jobs)
    assert code in (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP)
    assert (out, err) == (b"", b"")


def test_a_download_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    from mockservers import FtpServer

    with FtpServer({"a.bin": b"x" * 5000}, faults=["RETR:silent@3000"]) as server:
        child = subprocess.Popen([*PROGRAM, "ftp", "get", f"{server.url}/a.bin"], cwd=tmp_path, env=environment())
        server.wait_for("RETR", timeout=LIMIT_S)
        child.send_signal(signal.SIGINT)
        assert child.wait(5) == -signal.SIGINT
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    with silent_server() as (target, met):
        line = f"trap '' INT HUP; exec {SHELL_PROGRAM} http raw --max-time 1.5 http://{target}/"
        child = subprocess.Popen(["bash", "-c", line], stderr=subprocess.PIPE, env=environment())
        assert met.wait(LIMIT_S)
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGHUP)
        _, err = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 28
    assert b"--max-time" in err


def test_ctrl_c_stops_a_shell_loop() -> None:
    """Typed at a terminal: the loop ends with the program that was in front."""
    with silent_server() as (target, met):
        script = f"for n in 1 2 3; do {SHELL_PROGRAM} http raw http://{target}/; echo next $n; done; echo end"
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve("/bin/bash", ["bash", "-c", script], environment())
        try:
            assert met.wait(LIMIT_S)
            os.write(terminal, b"\x03")
            shown = read_all(terminal)
            _, status = os.waitpid(pid, 0)
        finally:
            os.close(terminal)
    assert b"next" not in shown
    assert b"end" not in shown
    assert os.waitstatus_to_exitcode(status) in (-signal.SIGINT, 130)


def test_timeout_command_sees_its_own_signal() -> None:
    with silent_server() as (target, _):
        line = f"timeout --foreground 1 {SHELL_PROGRAM} http raw http://{target}/; echo $?"
        done = bash(line)
    assert done.stdout == b"124\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--timeout", "0.3"], "--timeout"),
        (["--max-time", "0.3"], "--max-time"),
        (["--timeout", "9", "--max-time", "0.3"], "--max-time"),
    ],
)
def test_every_timeout_message_names_its_option(arguments: list[str], words: str) -> None:
    with silent_server() as (target, _):
        done = inetcli("http", "raw", *arguments, f"http://{target}/")
    assert done.code == 28
    assert words in done.err


def test_a_black_hole_is_a_timeout_of_the_connection() -> None:
    with HttpServer(faults=["connect:blackhole"]) as server:
        done = inetcli("http", "raw", "--connect-timeout", "0.3", server.url)
    assert done.code == 28
    assert f"{server.host}:{server.port}: no answer" in done.err
    assert "--connect-timeout" in done.err


def test_endless_input_is_processed_as_it_arrives() -> None:
    with DnsServer() as server:
        child = subprocess.Popen(
            [*PROGRAM, "dns", "lookup", "--short", "-i", "-", "A", f"@{server.host}:{server.port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        assert child.stdin
        assert child.stdout
        child.stdin.write(b"www.example.test\n")
        child.stdin.flush()
        assert child.stdout.readline() == b"192.0.2.1\n"
        child.send_signal(signal.SIGINT)
        assert child.wait(5) == -signal.SIGINT
        child.stdin.close()
        child.stdout.close()


def test_standard_input_is_for_one_reader() -> None:
    claim_stdin(None, "-i -", None)
    with pytest.raises(Usage, match=r"^-i - and FILE - cannot both read standard input$"):
        claim_stdin("-i -", "FILE -")


def test_fail_early_stops_and_unordered_keeps_all_results() -> None:
    with HttpServer() as server:
        targets = [f"{server.url}/status/{code}" for code in (200, 404, 200, 500)]
        early = inetcli("http", "raw", "--json", "-j", "1", "--fail-early", *targets)
        every = inetcli("http", "raw", "--json", "-j", "4", "--unordered", *targets)
    assert [row["exit_code"] for row in early.rows] == [0, 22]
    assert sorted(row["target"] for row in every.rows) == sorted(targets)
    assert (early.code, every.code) == (22, 22)


def test_lines_of_many_targets_are_never_mixed() -> None:
    with HttpServer() as server:
        targets = [f"{server.url}/bytes/{n * 1000}" for n in range(40)]
        done = inetcli("http", "raw", "--json", "-v", "-j", "8", *targets)
    assert [row["target"] for row in done.rows] == targets
    assert all(line.startswith(server.url) for line in done.err.splitlines())


def test_a_failure_names_its_target_also_when_its_words_begin_alike() -> None:
    with silent_server() as (address, _):
        done = inetcli("tls", "hello", "--timeout", "0.1", "--connect-to", address, "t")
    assert (done.code, done.err) == (28, "inetcli: t: timed out: no TLS handshake after 0.1 s (--timeout)\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ftpp"], "Did you mean 'ftp'? Try"),
        (["ftp", "gte"], "Did you mean 'get'"),
        (["ftp", "get", "--retires", "1"], "'--retries'?"),
        (["nntp"], "Usage: inetcli nntp"),
        ([], "Usage: inetcli"),
    ],
)
def test_wrong_usage_suggests_similar_names(arguments: list[str], words: str) -> None:
    done = inetcli(*arguments)
    assert (done.code, done.stdout) == (2, b"")
    assert words in done.err


def test_control_characters_in_a_servers_text_do_not_reach_the_terminal() -> None:
    page = {"/": b"HTTP/1.1 404 \x1b]0;x\x07\xe2\x80\xae\r\nX: \x1b[2J\r\nContent-Length: 0\r\n\r\n"}
    with HttpServer(page) as server:
        done = inetcli("http", "raw", "-v", "--json", f"{server.url}/")
    assert "\x1b" not in done.err
    assert "\\x1b" in done.err
    assert "\x1b" not in done.out


def test_a_bug_is_one_line_and_a_traceback_on_demand(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import inetcli.protocols.http.client as client\n"
        "def broken(*rest, **more): raise ZeroDivisionError('boom')\n"
        "client.connect = broken\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    done = inetcli("http", "raw", "http://127.0.0.1:1/", env=env)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "bug: ZeroDivisionError: boom" in done.err
    assert "Traceback" in inetcli("http", "raw", "http://127.0.0.1:1/", env={**env, "INETCLI_DEBUG": "1"}).err


def test_environment_variables_set_defaults_and_options_beat_them() -> None:
    with silent_server() as (target, _):
        env = {"INETCLI_TIMEOUT": "0.2"}
        assert "0.2 s (--timeout)" in inetcli("http", "raw", f"http://{target}/", env=env).err
        assert "0.3 s (--timeout)" in inetcli("http", "raw", "--timeout", "0.3", f"http://{target}/", env=env).err
    assert inetcli("http", "raw", "http://h/", env={"INETCLI_TIMEOUT": "soon"}).code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    done = inetcli("completion", shell)
    assert done.code == 0
    assert "_INETCLI_COMPLETE" in done.out


def test_completion_offers_groups_commands_and_options() -> None:
    def complete(line: str, word: int) -> str:
        env = {"_INETCLI_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(word)}
        return inetcli(env=env).out

    assert "plain,ftp" in complete("inetcli f", 1)
    assert "plain,get" in complete("inetcli ftp g", 2)
    assert "plain,--sha256" in complete("inetcli ftp get --s", 3)


def test_timing_draws_the_phases() -> None:
    with HttpServer() as server:
        done = inetcli("http", "raw", "--timing", f"{server.url}/", env={"LC_ALL": "C.UTF-8"})
    labels = [line[:10].strip() for line in done.err.splitlines()]
    assert [label for label in labels if label not in ("before", "transfer")] == [
        "resolve",
        "connect",
        "first byte",
        "total",
    ]


def test_wait_continues_until_the_server_is_reachable() -> None:
    with HttpServer() as server:
        with server.down():
            assert inetcli("http", "raw", f"{server.url}/").code == 7
            child = subprocess.Popen(
                [*PROGRAM, "http", "raw", "--body", "--wait", "20", f"{server.url}/"],
                stdout=subprocess.PIPE,
                env=environment(),
            )
        out, _ = child.communicate(timeout=LIMIT_S)
    assert (child.returncode, out) == (0, b"Hello from the mock server.\n")


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_families(family: str) -> None:
    with HttpServer(host="::1") as six, HttpServer() as four:
        assert inetcli("http", "raw", family, f"{six.url}/").code == (0 if family == "-6" else 6)
        assert inetcli("http", "raw", family, f"{four.url}/").code == (0 if family == "-4" else 6)


@pytest.mark.parametrize(
    ("arguments", "env", "red"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        ([], {"INETCLI_COLOR": "always"}, True),
        ([], {"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_failures_are_red_if_colours_are_enabled(arguments: list[str], env: dict[str, str], red: bool) -> None:
    done = inetcli("http", "raw", *arguments, "http://127.0.0.1:1/", env=env)
    assert done.err.startswith("\x1b[1;31minetcli:\x1b[0m " if red else "inetcli: ")
