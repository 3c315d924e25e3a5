"""Connections that targets share: how many a server accepts, and the replacement of connections that ended."""

from pathlib import Path

import pytest
from support.ftpdata import FtpScript
from support.program import inetcli

from inetcli.errors import InetError, LoginDenied, Refused
from mockservers import FtpServer
from mockservers.log import Kind

FILES = {f"f{number}": bytes([number]) * 5000 for number in range(12)}


def logins(server: FtpServer) -> int:
    return sum(line.startswith("USER") for line in server.log.commands())


def get_all(server: FtpServer, folder: Path, *arguments: str):
    targets = [f"{server.url}/{name}" for name in FILES]
    done = inetcli("ftp", "get", "--json", *arguments, *targets, cwd=folder)
    return done, {path.name: path.read_bytes() for path in folder.iterdir()}


def test_targets_of_one_server_share_its_connections(tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        done, there = get_all(server, tmp_path, "-j", "2")
        assert (done.code, there) == (0, FILES)
        assert 1 <= logins(server) <= 2
        server.wait_for("QUIT", count=logins(server))


def test_one_job_needs_one_connection_and_one_login(tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        done, there = get_all(server, tmp_path, "-j", "1")
        assert (done.code, there) == (0, FILES)
        assert logins(server) == 1
        assert server.log.commands().count("TYPE I") == 1


@pytest.mark.parametrize(
    "fault",
    [
        "connect+1:reply(421 too many connections)",
        "connect+2:reply(421 too many connections)",
        "USER+1:reply(421 too many users)",
        "PASS+1:reply(421 too many users)",
        "PASS+1:shutting_down",
    ],
)
def test_rejected_extra_connection_makes_the_pool_smaller(tmp_path: Path, fault: str) -> None:
    with FtpServer(FILES, faults=[fault, "RETR:delay(0.01)"]) as server:
        done, there = get_all(server, tmp_path, "-j", "4")
    assert (done.code, done.err) == (0, "")
    assert there == FILES


@pytest.mark.parametrize("fault", ["connect:reply(421 too many)", "USER:reply(421 too many)"])
def test_rejection_of_the_only_connection_is_an_error(tmp_path: Path, fault: str) -> None:
    with FtpServer(FILES, faults=[fault]) as server:
        done, there = get_all(server, tmp_path, "-j", "4")
    assert (done.code, there) == (19, {})
    assert [row["error"]["reply_code"] for row in done.rows] == [421] * len(FILES)


def test_a_wrong_password_is_sent_once(tmp_path: Path) -> None:
    """One attempt for all connections and targets, because servers lock out users after several wrong passwords."""
    (tmp_path / "secret").write_text("wrong\n")
    arguments = ["-j", "4", "--user", "user", "--password-file", str(tmp_path / "secret")]
    with FtpServer(FILES) as server:
        done, _ = get_all(server, tmp_path, *arguments)
        assert server.log.commands().count("PASS wrong") == 1
    assert done.code == 67
    assert [row["exit_code"] for row in done.rows] == [67] * len(FILES)


# A connection that was left idle

FIRST = """
    S 220 hello
    C USER anonymous
    C PASS anonymous@
    C PWD
    S 230 in
    S 230 in
    S 257 "/one"
"""
SECOND = FIRST.replace("/one", "/two") + "C QUIT"


@pytest.mark.parametrize("end", ["X", "R", "S 421 idle for too long\nX"])
def test_connection_that_ended_while_idle_is_replaced(client, end: str) -> None:
    with FtpScript(f"{FIRST}\nW\n{end}", SECOND) as server, client(server) as user:
        assert user.ftp().working_folder() == "/one"
        server.go()
        user.servers[user.server_key]._pool._idle[0]._login_folder = None  # so that PWD is sent again
        assert user.ftp().working_folder() == "/two"
    assert user.notes == []


@pytest.mark.parametrize("end", ["S 421 bye\nX", "X", "R"])
def test_idle_connection_that_ends_before_its_first_reply_is_replaced(client, end: str) -> None:
    second = SECOND.replace("PWD", "RMD d").replace('257 "/two"', "250 done")
    with FtpScript(f"{FIRST}\nC RMD d\n{end}", second) as server, client(server) as user:
        user.ftp().working_folder()
        user.ftp().remove_folder("d")


@pytest.mark.parametrize("end", ["S 421 bye\nX", "X", "R"])
def test_connection_that_ends_after_a_reply_is_not_replaced(client, end: str) -> None:
    """The operation must not be repeated: RNFR was answered, and the result of the rest is unknown."""
    with FtpScript(f"{FIRST}\nC RNFR a\nS 350 and?\nC RNTO b\n{end}") as server, client(server) as user:
        user.ftp().working_folder()
        with pytest.raises(InetError):
            user.ftp().move("a", "b")


@pytest.mark.parametrize("end", ["S 421 bye\nX", "X", "R"])
def test_new_connection_that_ends_at_once_is_not_replaced(client, end: str) -> None:
    text = "S 220 hello\nC USER anonymous\nC PASS anonymous@\nC PWD\n" + end
    with FtpScript(text) as server, client(server) as user, pytest.raises(InetError):
        user.ftp().working_folder()


def test_connection_with_outstanding_replies_is_not_reused(client, tmp_path: Path) -> None:
    """The first file is too large: its transfer is abandoned, and so is its connection."""
    with FtpServer({"a": b"x" * 100_000, "b": b"y"}, faults=["SIZE:reply(550 no)"]) as server:
        user = client(server)
        with pytest.raises(InetError, match="--max-size"):
            user.get("a", tmp_path, max_size=10)
        assert user.get("b", tmp_path, max_size=10).bytes == 1
        assert logins(server) == 2


def test_connection_is_not_reused_if_it_cannot_change_back(client) -> None:
    """LIST gets no path and needs CWD, LIST, CWD back. Without the last step, the folder would be wrong."""
    with FtpServer({"d/x": b"", "y": b""}, features={"MLST": False}, faults=["CWD /:reply(550 no)x1"]) as server:
        user = client(server)
        assert [entry.name for entry in user.ftp().list("d").entries] == ["x"]
        assert {entry.name for entry in user.ftp().list("").entries} >= {"d", "y"}
        assert logins(server) == 2


def test_denied_login_is_remembered(client, tmp_path: Path) -> None:
    with FtpServer({"a": b"x"}, faults=["PASS:reply(530 no)"]) as server:
        user = client(server)
        for _ in range(2):
            with pytest.raises(LoginDenied):
                user.get("a", tmp_path)
        assert logins(server) == 1


def test_each_login_has_its_own_connections(tmp_path: Path) -> None:
    with FtpServer({"a": b"1", "b": b"2"}, users={"ada": "x", "bob": "y"}) as server:
        place = f"{server.host}:{server.port}"
        targets = [f"ftp://ada:x@{place}/a", f"ftp://bob:y@{place}/b"]
        assert inetcli("ftp", "get", "-j", "1", *targets, cwd=tmp_path).code == 0
        assert [line for line in server.log.commands() if line.startswith("USER")] == ["USER ada", "USER bob"]


def test_quit_does_not_wait_for_the_reply(client, tmp_path: Path) -> None:
    with FtpServer({"a": b"x"}, faults=["QUIT:silent"]) as server:
        with client(server) as user:
            user.get("a", tmp_path)
        server.wait_for(Kind.CLOSED)


def test_rejected_connection_reports_the_reply(client, tmp_path: Path) -> None:
    server = FtpServer({"a": b"x"}, faults=["connect:reply(421 come back later)"])
    with server, pytest.raises(Refused) as caught:
        client(server).get("a", tmp_path)
    assert (caught.value.reply, caught.value.transient) == ("421 come back later", True)
