"""The steps of docs/architecture.md make a protocol: QOTD (RFC 865), built in a copy of the tree by the page.

The copy keeps all rules of the house, and its program is run against sockets of this test, and against its own mock.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import contributing, house
from support.house import PROTOCOL_FILES, RULES, read_modules
from support.loading import commands_load_nothing_heavy, help_loads_no_protocol
from support.pages import build_places
from support.program import LIMIT_S, Finished, environment, load_module

ROOT = Path(__file__).parent.parent
PAGE = "docs/architecture.md"
QUOTE = b"To be\tor not\r\n\x1b[2Jto be.\r\n"


@dataclass(frozen=True)
class Copy:
    """A copy of the tree, with the new protocol; `built` is what the page's blocks made or changed there."""

    root: Path
    built: list[str]

    def python(self, *arguments: str, stdin: bytes = b"") -> Finished:
        """Run Python in the copy, so that the copy's packages are the ones that are imported."""
        done = subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            input=stdin,
            capture_output=True,
            env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
            cwd=self.root,
            timeout=LIMIT_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def inetcli(self, *arguments: str) -> Finished:
        return self.python("-m", "inetcli", *arguments)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The tree as it is after the steps of the page. Nothing may write into it."""
    root = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("inetcli", "mockservers", "tests", "docs"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    for file in ("pyproject.toml", contributing.PAGE):
        shutil.copy(ROOT / file, root)
    return Copy(root, build_places(PAGE, root))


def test_the_page_has_all_files_of_a_protocol(copy: Copy) -> None:
    assert set(copy.built) == {
        "docs/qotd.md",
        *(f"inetcli/protocols/qotd/{name}.py" for name in ("__init__", *PROTOCOL_FILES)),
        "tests/protocols/qotd/test_qotd_wire.py",
        *(f"mockservers/{name}.py" for name in ("qotd", "__init__", "families", "registry")),
        "inetcli/cli/app.py",
    }
    assert house.protocols_are_whole(copy.root) == []


def test_the_copy_keeps_the_rules_of_the_house(copy: Copy) -> None:
    modules = read_modules(copy.root)
    assert any(module.name == "inetcli.protocols.qotd.jobs" for module in modules)
    assert {rule.__name__: found for rule in RULES if (found := rule(modules))} == {}


def test_the_map_wants_the_new_folder_and_nothing_else(copy: Copy) -> None:
    new = set(contributing.differences(copy.root)) - set(contributing.differences(ROOT))
    assert new == {"inetcli/protocols/qotd/ is not on the map"}


def test_its_other_modules_are_still_to_be_tested(copy: Copy) -> None:
    every_module = load_module(ROOT / "tests" / "test_every_module.py")
    found = every_module.unlooked_at(copy.root, every_module.TESTED_ELSEWHERE)
    untested = [f"inetcli/protocols/qotd/{part}.py" for part in ("client", "commands", "jobs", "model", "view")]
    assert [line.split(" has neither ")[0] for line in found] == untested


def test_types_and_style_are_right(copy: Copy) -> None:
    pytest.importorskip("mypy", reason="mypy is of the group dev")
    pytest.importorskip("ruff", reason="ruff is of the group dev")
    typed = copy.python(
        "-m", "mypy", "-p", "inetcli.protocols.qotd", "-m", "mockservers.qotd", "--cache-dir", os.devnull
    )
    assert typed.out == "Success: no issues found in 8 source files\n"
    new = [place for place in copy.built if place.endswith(".py") and "qotd" in place]
    for how in (["check"], ["format", "--check"]):
        linted = copy.python("-m", "ruff", *how, "--no-cache", *new)
        assert linted.code == 0, linted.out


def test_its_own_tests_pass(copy: Copy) -> None:
    done = copy.python("-m", "pytest", "-q", "-n0", "tests/protocols/qotd")
    assert done.code == 0, done.out
    assert "3 passed" in done.out


def test_help_shows_it_with_its_example(copy: Copy) -> None:
    assert "qotd        Read quotes of the day." in copy.inetcli("--help").out
    assert "get  Print the quote of each server." in copy.inetcli("qotd").err
    shown = copy.inetcli("qotd", "get", "--help").out
    assert "  inetcli qotd get qotd.example.net\n" in shown
    assert "  --udp  " in shown
    assert "Common options" in shown


def test_help_loads_it_not(copy: Copy) -> None:
    assert help_loads_no_protocol(copy.root, ["--help"]) == []


@contextmanager
def answering(answer: Callable[[socket.socket], object], kind: int = socket.SOCK_STREAM) -> Iterator[str]:
    """A server for one client, on a thread; yields its host:port."""
    with socket.socket(socket.AF_INET, kind) as listening:
        listening.settimeout(LIMIT_S)
        listening.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            listening.listen()
        thread = threading.Thread(target=answer, args=[listening])
        thread.start()
        try:
            yield "{}:{}".format(*listening.getsockname())
        finally:
            thread.join()


def says(data: bytes) -> Callable[[socket.socket], None]:
    """A server that sends `data` to its client, and closes."""

    def answer(listening: socket.socket) -> None:
        with listening.accept()[0] as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)  # until the client has closed, too

    return answer


def test_quote_as_text(copy: Copy) -> None:
    with answering(says(QUOTE)) as where:
        done = copy.inetcli("qotd", "get", where)
    assert (done.code, done.out, done.err) == (0, "To be\\tor not\n\\x1b[2Jto be.\n", "")


def test_quote_as_json(copy: Copy) -> None:
    with answering(says(QUOTE)) as where:
        done = copy.inetcli("qotd", "get", "--json", f"qotd://{where}")
    row = done.row
    assert done.code == 0
    assert (row["target"], row["quote"], row["bytes"]) == (f"qotd://{where}", QUOTE.decode(), len(QUOTE))
    assert (row["exit_code"], row["notes"]) == (0, [])
    assert {"resolve", "connect", "total"} <= set(row["timing_ms"])


def test_quote_that_is_no_text_as_json(copy: Copy) -> None:
    with answering(says(b"\xff\n")) as where:
        assert copy.inetcli("qotd", "get", "--json", where).row["quote"] == {"base64": "/wo="}


def test_quote_over_udp(copy: Copy) -> None:
    def answer(sock: socket.socket) -> None:
        asked, client = sock.recvfrom(100)
        sock.sendto(QUOTE if asked == b"" else b"asked: " + asked, client)

    with answering(answer, socket.SOCK_DGRAM) as where:
        done = copy.inetcli("qotd", "get", "--udp", "--json", where)
    assert (done.code, done.row["quote"]) == (0, QUOTE.decode())


def test_quote_of_a_server_that_says_nothing(copy: Copy) -> None:
    with answering(says(b"")) as where:
        done = copy.inetcli("qotd", "get", "--json", where)
    assert done.code == done.row["exit_code"] == 52
    assert done.row["error"]["kind"] == "empty_reply"
    assert done.err == f"inetcli: {where}: {done.row['error']['message']}\n"


def test_quote_of_a_silent_server(copy: Copy) -> None:
    def answer(listening: socket.socket) -> None:
        with listening.accept()[0] as client:
            client.recv(1)

    with answering(answer) as where:
        done = copy.inetcli("qotd", "get", "--timeout", "0.1", where)
    assert (done.code, done.out) == (28, "")
    assert done.err == f"inetcli: {where}: timed out: the peer was silent for 0.1 s (--timeout)\n"


def test_quote_of_a_closed_port(copy: Copy) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        where = "{}:{}".format(*taken.getsockname())
        done = copy.inetcli("qotd", "get", where)
    assert (done.code, done.out, done.err) == (7, "", f"inetcli: {where}: refused\n")


def test_quotes_of_several_servers(copy: Copy) -> None:
    with answering(says(b"one\n")) as first, answering(says(b"")) as second, answering(says(b"three\n")) as third:
        done = copy.inetcli("qotd", "get", first, second, third)
    assert (done.code, done.out) == (52, "one\nthree\n")


def test_second_try_after_an_empty_one(copy: Copy) -> None:
    def answer(listening: socket.socket) -> None:
        says(b"")(listening)
        says(b"late\n")(listening)

    with answering(answer) as where:
        done = copy.inetcli("qotd", "get", "--retries", "1", where)
    assert (done.code, done.out) == (0, "late\n")
    assert "note: retried after: expected a quote" in done.err


def test_quote_of_its_mock_and_what_it_loads(copy: Copy) -> None:
    script = f'exec "{sys.executable}" -W error -m inetcli qotd get --json "$MOCK_QOTD_URL"'
    done = copy.python("-m", "mockservers", "run", "qotd", "--", "sh", "-c", script)
    assert done.code == 0, done.err
    assert json.loads(done.out)["quote"] == "To be, or not to be:\r\nthat is the question.\r\n"
    with answering(says(QUOTE)) as where:
        assert commands_load_nothing_heavy(copy.root, ["qotd", "get", where]) == []
