"""A canary password goes through every option and every failure, and is found in no output and no file.

It is told to the program in each way there is, against servers that accept, refuse, cut and misbehave; the trace
(`-v`), JSON, notes and messages are all on. The servers' own logs do hold it: that is how the test knows that it was
sent.

Servers also send it back, as it is, percent-encoded and in base64, in every reply and every name: it is found in no
composed output then, and is exact in payload.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.commands import protocol_commands
from support.program import Finished, inetcli

from mockservers import FtpServer, HttpResponse, HttpServer, NntpServer
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


ECHOES = (
    CANARY,
    quote(CANARY[:4]) + "".join(f"%{ord(character):02x}" for character in CANARY[4:]),
    "".join(f"%{ord(character):02X}" for character in CANARY),
    *(base64.b64encode(f"{user}:{CANARY}:".encode()).decode() for user in ("ada", "ab", "a")),
    base64.urlsafe_b64encode(f"???{CANARY}".encode()).decode(),
)
ECHO = " ".join(ECHOES)
"""What a server sends back: the password in every form that is looked for."""


def assert_hushed(finished: Finished, arguments: list[str]) -> None:
    for stream in (finished.stdout, finished.stderr):
        for form in (ENCODED, *ECHOES):
            assert form.encode() not in stream, arguments
    assert finished.code != 1, finished.err


def assert_nothing_kept(folder: Path, *allowed: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in allowed:
            assert not any(form.encode() in path.read_bytes() for form in ECHOES), path


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


def told(server: Server, path: str) -> str:
    """The target of a server with the password in it."""
    scheme, _, place = server.url.partition("://")
    return f"{scheme}://ada:{CANARY}@{place}/{path}"


def trusting(server: Server) -> list[str]:
    return ["--ca", server.ca_file] if server.ca_file else []


def assert_echo_is_masked(server: Server, command: list[str], target: str, folder: Path) -> None:
    """Every look at a command against a server that sends the password back: something is masked in each."""
    work = folder / "work"
    work.mkdir(exist_ok=True)
    for looks in LOOKS:
        arguments = [*command, *looks, *trusting(server), "--timeout", "2", target]
        finished = inetcli(*arguments, cwd=work)
        assert_hushed(finished, arguments)
        assert "***" in finished.err + finished.out, arguments
        assert not finished.out or "--json" not in looks or finished.rows
        assert_nothing_kept(work)


FTP_ECHOES = [
    "connect:reply(220 {})",
    "connect:reply(421 {})",
    "connect:reply(nonsense {})",
    "USER:reply(331 {})",
    "USER:reply(530 {})",
    "PASS:reply(230 {})",
    "PASS:reply(530 no entry for PASS {})",
    "PASS:reply(421 {})",
    'PWD:reply(257 "/{}")',
    "TYPE:reply(200 {})",
    "SIZE:reply(550 {})",
    "SIZE:reply(213 {})",
    "EPSV:reply(229 {})",
    "RETR:reply(550 {})",
    "RETR:reply(450 {})",
    "RETR:reply(426 {})",
    "MLSD:reply(550 {})",
    "*:reply(500 {})",
]


@pytest.mark.parametrize("fault", FTP_ECHOES)
@pytest.mark.parametrize("tls", [None, "implicit"], ids=["plain", "tls"])
def test_an_echo_of_ftp_is_masked(fault: str, tls: str | None, tmp_path: Path) -> None:
    with FtpServer(
        {"pub/a": b"abc"}, users={"ada": CANARY}, greeting=f"hello {ECHO}", tls=tls, faults=[fault.format(ECHO)]
    ) as server:
        for command, path in ((["ftp", "get", "--force"], "pub/a"), (["ftp", "ls"], "pub"), (["ftp", "pwd"], "")):
            assert_echo_is_masked(server, [*command], told(server, path), tmp_path)


@pytest.mark.parametrize("long", [[], ["-l"]], ids=str)
@pytest.mark.parametrize("listing", ["MLSD", "LIST"])
def test_names_in_a_listing_are_masked(listing: str, long: list[str], tmp_path: Path) -> None:
    files = {f"pub/{form.replace('/', '')}": b"" for form in ECHOES}
    faults = ["MLSD:reply(500 no)", "FEAT:reply(500 no)"] if listing == "LIST" else []
    with FtpServer(files, users={"ada": CANARY}, faults=faults) as server:
        assert_echo_is_masked(server, ["ftp", "ls", *long], told(server, "pub"), tmp_path)
        names = inetcli("ftp", "ls", told(server, "pub")).out.splitlines()
    assert len(names) == len(set(ECHOES))
    assert "***" in names


NNTP_ECHOES = [
    "connect:reply(200 {})",
    "connect:reply(400 {})",
    "connect:reply(502 {})",
    "AUTHINFO USER ada:reply(381 {})",
    "AUTHINFO:reply(481 {})",
    "AUTHINFO:reply(281 {})",
    "GROUP:reply(211 {})",
    "GROUP:reply(400 {})",
    "GROUP:reply(411 {})",
    "ARTICLE:reply(430 {})",
    "ARTICLE:reply(503 {})",
]


@pytest.mark.parametrize("fault", NNTP_ECHOES)
@pytest.mark.parametrize("tls", [None, "implicit"], ids=["plain", "tls"])
def test_an_echo_of_nntp_is_masked(fault: str, tls: str | None, tmp_path: Path) -> None:
    with NntpServer(users={"ada": CANARY}, tls=tls, faults=[fault.format(ECHO)]) as server:
        assert_echo_is_masked(server, ["nntp", "latest"], told(server, "private.test"), tmp_path)


def test_an_article_with_the_password_is_masked(tmp_path: Path) -> None:
    article = (
        f"From: {CANARY} <ada@example.test>\r\nNewsgroups: a.test\r\nSubject: {ECHO}\r\n"
        f"Message-ID: <{CANARY}@example.test>\r\nDate: Sun, 22 Nov 2026 18:04:11 +0000\r\n\r\nlook: {ECHO}\r\n"
    ).encode()
    with NntpServer({"a.test": {1: article}}, users={"ada": CANARY}) as server:
        assert_echo_is_masked(server, ["nntp", "latest"], told(server, "a.test"), tmp_path)
        done = inetcli("nntp", "latest", "--json", told(server, "a.test"))
    assert done.row["from"] == "*** <ada@example.test>"
    assert done.row["message_id"] == "<***@example.test>"
    assert done.row["lines"] == [f"look: {' '.join('***' for _ in ECHOES)}"]


HTTP_ECHOES: list[HttpResponse | bytes] = [
    HttpResponse(401, "no\n", [("WWW-Authenticate", f'Basic realm="{ECHO}"')]),
    HttpResponse(200, ECHO, [("X-Authorization", f"Basic {ENCODED}")]),
    f"HTTP/1.1 403 {ECHO}\r\nContent-Length: 0\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\n{CANARY} : x\r\nbad{ECHO}\r\n\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{ECHO}\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx{ECHO}\r\n".encode(),
    f"HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n".encode(),
    f"{ECHO}\r\n".encode(),
    f"HTTP/1.1 {ECHO}\r\n\r\n".encode(),
]


@pytest.mark.parametrize("answer", HTTP_ECHOES, ids=range(len(HTTP_ECHOES)))
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_echo_of_http_is_masked_but_in_its_bytes(answer: HttpResponse | bytes, tls: bool, tmp_path: Path) -> None:
    with HttpServer({"/": answer}, tls=tls) as server:
        for looks in LOOKS:
            arguments = ["http", "raw", *looks, *trusting(server), "--timeout", "2", told(server, "")]
            finished = inetcli(*arguments, cwd=tmp_path)
            composed = finished if "--json" in looks else Finished(finished.code, b"", finished.stderr)
            assert_hushed(composed, arguments)
            if "--json" not in looks:
                assert CANARY.encode() in finished.stdout
        assert_nothing_kept(tmp_path)


@pytest.mark.parametrize(("part", "sent"), [("--head", "head"), ("--body", "body"), (None, "both")])
def test_the_bytes_of_a_response_are_exact(part: str | None, sent: str) -> None:
    head = f"HTTP/1.1 200 {CANARY}\r\nX-Echo: {ECHO}\r\nContent-Length: {len(ECHO)}\r\n\r\n"
    with HttpServer({"/": (head + ECHO).encode()}) as server:
        done = inetcli("http", "raw", *([part] if part else []), told(server, ""))
    assert done.out == {"head": head, "body": ECHO, "both": head + ECHO}[sent]


def test_the_bytes_of_a_file_are_exact(tmp_path: Path) -> None:
    with FtpServer({"a": ECHO.encode()}, users={"ada": CANARY}) as server:
        assert inetcli("ftp", "get", "-o", "-", told(server, "a")).out == ECHO
        assert inetcli("ftp", "get", told(server, "a"), cwd=tmp_path).code == 0
    assert (tmp_path / "a").read_text() == ECHO


@pytest.mark.parametrize("scheme", ["ftps", "nntps", "https"])
def test_clear_text_where_tls_is_spoken_is_quoted_masked(scheme: str, tmp_path: Path) -> None:
    """Also where the quote is cut in the midst of the password."""
    for said in (f"220 {ECHO}", "220 " + "x" * 189 + CANARY, "220 " + "x" * 190 + CANARY):
        with FtpServer(greeting=said.removeprefix("220 ")) as server:
            target = f"{scheme}://ada:{CANARY}@127.0.0.1:{server.port}/a"
            command = {"ftps": ["ftp", "get"], "nntps": ["nntp", "latest"], "https": ["http", "raw"]}[scheme]
            for looks in LOOKS:
                finished = inetcli(*command, *looks, "--timeout", "2", target, cwd=tmp_path)
                assert_hushed(finished, looks)
                assert "220 " in finished.err
                assert CANARY[:5] not in finished.err


@pytest.mark.parametrize(("user", "password"), [("ada", "abc"), ("anonymous", "guest"), ("ftp", "guest@example")])
def test_what_is_no_secret_is_shown(user: str, password: str) -> None:
    with FtpServer(users={}, anonymous=False, faults=[f"PASS:reply(530 no {password} here)"]) as server:
        target = f"ftp://{user}:{password}@{server.url.partition('://')[2]}/a"
        done = inetcli("ftp", "get", "--json", "-v", target)
    assert done.row["error"]["reply"] == f"530 no {password} here"
    assert f"< 530 no {password} here" in done.err


def test_a_traceback_of_a_bug_masks_what_came_back(tmp_path: Path) -> None:
    env = {"INETCLI_DEBUG": "1", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "sitecustomize.py").write_text(
        "import inetcli.protocols.ftp.connect as connect\n"
        "def broken(session, key, *rest): raise RuntimeError('with ' + key.credentials.password.reveal())\n"
        "connect.open_control = broken\n"
    )
    finished = inetcli("ftp", "get", f"ftp://ada:{CANARY}@127.0.0.1:1/x", env=env)
    assert finished.code == 1
    assert finished.err.count("with ***") == 2  # the traceback and the line behind it
    assert CANARY not in finished.err


def test_output_that_waits_for_its_turn_is_masked() -> None:
    with FtpServer(users={"ada": CANARY}, faults=[f"PASS:reply(530 {ECHO})", "USER:delay(0.2)x1"]) as server:
        arguments = ["ftp", "get", "-v", "-j", "3", *[told(server, name) for name in "abc"]]
        assert_hushed(inetcli(*arguments), arguments)
