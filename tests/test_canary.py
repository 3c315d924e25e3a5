"""A canary password goes through every option and every failure, and is found in no output and no file.

It is told to the program in each way there is, against servers that accept, refuse, cut and misbehave; the trace
(`-v`), JSON, notes and messages are all on. The servers' own logs do hold it: that is how the test knows that it was
sent.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import protocol_commands
from support.program import Finished, inetcli

from mockservers import FtpServer, HttpServer, NntpServer
from mockservers.core import Server

CANARY = "c4n4ry-s3cret"
ENCODED = "YWRhOmM0bjRyeS1zM2NyZXQ="
"""`ada:` and the canary in Base64: how Basic authentication carries it."""

FAULTS = ("", "connect:rst@30", "connect:fin@60", "connect:garbage", "PASS:reply(530 no)", "PASS:rst", "RETR:fin@3")
NEWS_FAULTS = ("", "connect:fin@60", "AUTHINFO:reply(502 no)", "GROUP:reply(480 again)", "ARTICLE:rst@20")
LOOKS = (["-v"], ["-v", "--json"], ["--timing", "--json"], ["-v", "--insecure"], ["--retries", "2", "-v"])


def ways(url: str, path: str, folder: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Every way to tell a password: in the URL, in a file, in netrc (named, and by the environment)."""
    scheme, _, place = url.partition("://")
    secret = folder / "password"
    secret.write_text(CANARY + "\n")
    netrc = folder / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login ada password {CANARY}\n")
    netrc.chmod(0o600)
    yield [f"{scheme}://ada:{CANARY}@{place}/{path}"], {}
    yield ["--user", "ada", "--password-file", str(secret), f"{url}/{path}"], {}
    yield ["--user", "ada", "--password-file", "-", f"{url}/{path}"], {}
    if scheme != "http":  # which has no such option
        yield ["--netrc-file", str(netrc), f"{url}/{path}"], {}
    yield [f"{url}/{path}"], {"NETRC": str(netrc)}


def assert_hushed(finished: Finished, arguments: list[str]) -> None:
    for stream in (finished.stdout, finished.stderr):
        assert CANARY.encode() not in stream, arguments
        assert ENCODED.encode() not in stream, arguments
    assert finished.code != 1, finished.err


def assert_nothing_kept(folder: Path, *allowed: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in allowed:
            assert CANARY.encode() not in path.read_bytes(), path


def try_all(server: Server, path: str, command: list[str], folder: Path, *, faulty: bool) -> None:
    """Every way with every look; where the server is faulty, and so slower, every way with looks in turn."""
    work = folder / "work"
    work.mkdir()
    for number, (told, env) in enumerate(ways(server.url, path, folder)):
        for looks in [LOOKS[number % len(LOOKS)]] if faulty else LOOKS:
            arguments = [*command, *looks, "--timeout", "0.5", *told]
            stdin = f"{CANARY}\n".encode()  # which nothing reads unasked
            assert_hushed(inetcli(*arguments, stdin=stdin, env=env, cwd=work), arguments)
    assert_nothing_kept(work)


@pytest.mark.parametrize("fault", FAULTS)
def test_ftp_tells_nobody(fault: str, tmp_path: Path) -> None:
    with FtpServer(users={"ada": CANARY}, faults=[fault] if fault else []) as server:
        try_all(server, "welcome.txt", ["ftp", "get", "--force"], tmp_path, faulty=bool(fault))
        assert fault or f"PASS {CANARY}" in server.log.commands()


UPLOAD_FAULTS = ("", "STOR:partial(426)@3", "STOR:reply(553 no)", "RNTO:rst", "SIZE:reply(213 1)")


def put_ways(url: str, folder: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """Every way to tell a password to an upload: FILE stands before the target, which is last."""
    for told, env in ways(url, "incoming/f", folder):
        *options, target = told
        yield [*options, "f", target], env


@pytest.mark.parametrize("fault", UPLOAD_FAULTS)
@pytest.mark.parametrize(
    "options", [[], ["--resume", "--mkdirs"], ["--append"], ["--direct", "--verify", "hash"]], ids=str
)
def test_ftp_uploads_tell_nobody(fault: str, options: list[str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "f").write_bytes(b"x" * 100)
    with FtpServer(users={"ada": CANARY}, faults=[fault] if fault else []) as server:
        for number, (told, env) in enumerate(put_ways(server.url, tmp_path)):
            arguments = ["ftp", "put", *options, *LOOKS[number % len(LOOKS)], "--timeout", "0.5", *told]
            assert_hushed(inetcli(*arguments, env=env, cwd=work), arguments)
        assert f"PASS {CANARY}" in server.log.commands()
        assert not any(CANARY in path or CANARY.encode() in data for path, data in server.files.items())
    assert_nothing_kept(work)


@pytest.mark.parametrize("fault", ["", "RETR:fin@70000", "SIZE:reply(550 no)", "RETR:reply(550 Permission denied)"])
def test_what_is_kept_to_take_up_a_download_tells_nobody(fault: str, tmp_path: Path) -> None:
    """The parts and their record outlive the program."""
    work = tmp_path / "work"
    work.mkdir()
    with FtpServer({"a": bytes(100_000)}, users={"ada": CANARY}, faults=[fault] if fault else []) as server:
        for number, (told, env) in enumerate(ways(server.url, "a", tmp_path)):
            arguments = ["ftp", "get", "--resume", "--force", *LOOKS[number % len(LOOKS)], *told]
            assert_hushed(inetcli(*arguments, env=env, cwd=work), arguments)
            assert_nothing_kept(work)
        if fault.startswith("RETR:fin"):
            assert (work / ".a.part.json").exists()


COMMANDS = [
    ["get", "-r", "-P", "mirror"],
    ["get", "-r", "-j", "3", "--force", "--resume", "-P", "mirror"],
    ["get", "--sha256", "--verify", "hash", "--max-size", "5", "--force"],
    ["get", "--active", "--limit-rate", "1M", "-o", "out", "--force"],
    ["get", "--trust-pasv-address", "--encoding", "latin-1", "--skip-existing"],
    ["ls"],
    ["ls", "-l", "--active"],
    ["rm"],
    ["rm", "-r"],
    ["mkdir", "-p"],
    ["mkdir"],
    ["rmdir"],
    ["pwd"],
    ["mv"],
]


TRIED_ELSEWHERE = {"ftp put", "nntp latest", "http raw"}
"""The commands that have tests of their own in this file."""


def test_every_command_that_takes_a_password_is_tried() -> None:
    taking = {name for name, leaf in protocol_commands().items() if "--password-file" in leaf.options(common=True)}
    assert taking == {f"ftp {command[0]}" for command in COMMANDS} | TRIED_ELSEWHERE


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("fault", ["", "EPSV:reply(500 no)", "PASS:reply(530 no)"])
def test_every_ftp_command_tells_nobody(command: list[str], fault: str, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    files = {"pub/a": b"abc", "pub/sub/b": b"12345678"}
    with FtpServer(files, users={"ada": CANARY}, faults=[fault] if fault else []) as server:
        for number, (told, env) in enumerate(ways(server.url, "pub", tmp_path)):
            new = ["other"] if command == ["mv"] else []
            arguments = ["ftp", *command, *LOOKS[number % len(LOOKS)], *told, *new]
            assert_hushed(inetcli(*arguments, env=env, cwd=work), arguments)
        assert f"PASS {CANARY}" in server.log.commands()
    assert_nothing_kept(work)


@pytest.mark.parametrize("fault", NEWS_FAULTS)
def test_nntp_tells_nobody(fault: str, tmp_path: Path) -> None:
    with NntpServer(users={"ada": CANARY}, faults=[fault] if fault else []) as server:
        try_all(server, "private.test", ["nntp", "latest"], tmp_path, faulty=bool(fault))
        assert fault or f"AUTHINFO PASS {CANARY}" in server.log.commands()


@pytest.mark.parametrize("fault", ["", "GET /:rst@20", "GET /:garbage"])
def test_http_tells_nobody(fault: str, tmp_path: Path) -> None:
    with HttpServer(faults=[fault] if fault else []) as server:
        try_all(server, "", ["http", "raw"], tmp_path, faulty=bool(fault))
        assert f"Authorization: Basic {ENCODED}" in server.log.commands()


@pytest.mark.parametrize(
    "target",
    [
        f"ftp://ada:{CANARY}@",
        f"ftp://ada:{CANARY}@host:99999/x",
        f"ftp://ada:{CANARY}%zz@host/x",
        f"ftp://ada:{CANARY}/more@host/x",
        f"ftp://ada:{CANARY}",
        f"gopher://ada:{CANARY}@host/x",
        f"ftp://ada:{CANARY}@host\r\nDELE x",
        f"ada:{CANARY}@",
        f"ftp://ada:{CANARY}@[::1/x",
        f"ftp://ada:{CANARY}@127.0.0.1:1/x",
    ],
)
@pytest.mark.parametrize("looks", LOOKS)
def test_malformed_targets_tell_nobody(target: str, looks: list[str], tmp_path: Path) -> None:
    finished = inetcli("ftp", "get", *looks, target, cwd=tmp_path)
    assert_hushed(finished, [target])
    assert finished.code in (3, 7)


def test_a_password_in_user_is_refused_without_repeating_it() -> None:
    finished = inetcli("ftp", "get", "--user", f"ada:{CANARY}", "ftp://127.0.0.1/x")
    assert finished.code == 2
    assert CANARY not in finished.err


def test_a_bug_shows_no_password(tmp_path: Path) -> None:
    """A traceback that is asked for shows code, and the secrets in it are masked objects."""
    env = {"INETCLI_DEBUG": "1", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "sitecustomize.py").write_text(
        "import inetcli.protocols.ftp.connect as connect\n"
        "def broken(session, key, *rest): raise RuntimeError(f'with {key}')\n"
        "connect.open_control = broken\n"
    )
    finished = inetcli("ftp", "get", f"ftp://ada:{CANARY}@127.0.0.1:1/x", env=env)
    assert finished.code == 1
    assert "RuntimeError" in finished.err
    assert CANARY not in finished.err


def test_the_environment_of_a_child_has_no_credentials_in_urls() -> None:
    with FtpServer(users={"ada": CANARY}) as server:
        values = server.env()
    assert [key for key, value in values.items() if CANARY in value] == ["MOCK_FTP_PASSWORD"]
    assert CANARY not in "".join(os.environ.values())
