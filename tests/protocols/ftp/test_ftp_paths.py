"""`inetcli ftp ls, mv, rm, mkdir, rmdir, pwd` as commands: effects, output and exit codes."""

from pathlib import Path

import pytest
from support.program import inetcli

from mockservers import FtpServer, PyftpdlibServer

FILES = {"pub/a": b"12345", "pub/sub/b": b"", "pub/sub/deep/c": b"", "keep": b""}
COMMON = {"target", "exit_code", "notes", "timing_ms"}


@pytest.mark.parametrize(
    ("command", "new", "path", "gone", "there"),
    [
        (["rm", "pub/a"], [], "pub/a", "/pub/a", None),
        (["rm", "-r", "pub"], [], "pub", "/pub/sub/deep/c", None),
        (["rm", "-r", "pub/"], [], "pub/", "/pub/a", None),
        (["rm", "-r", "pub/a"], [], "pub/a", "/pub/a", None),
        (["mv", "pub/a"], ["pub/z"], "pub/z", "/pub/a", "/pub/z"),
        (["mv", "pub/a"], ["/z"], "/z", "/pub/a", "/z"),
        (["mv", "pub/a"], ["pub/sub/"], "pub/sub/a", "/pub/a", "/pub/sub/a"),
        (["mv", "pub/a"], ["gr%C3%BCn"], "grün", "/pub/a", "/grün"),
    ],
)
def test_path_command_succeeds(command: list[str], new: list[str], path: str, gone: str, there: str | None) -> None:
    *options, target = command
    with FtpServer(FILES) as server:
        done = inetcli("ftp", *options, "--json", f"{server.url}/{target}", *new)
        assert (done.code, done.err) == (0, "")
        assert gone not in server.files
        assert there is None or there in server.files
        assert "/keep" in server.files
    assert set(done.row) == COMMON | {"path"}
    assert (done.row["path"], done.row["exit_code"]) == (path, 0)


def test_mkdir_and_rmdir() -> None:
    with FtpServer(FILES) as server:
        new = f"{server.url}/new/deep"
        assert inetcli("ftp", "mkdir", new).code == 9
        for _ in range(2):
            done = inetcli("ftp", "mkdir", "-p", new)
            assert (done.code, done.stdout, done.stderr) == (0, b"", b"")
        assert inetcli("ftp", "rmdir", f"{server.url}/new").code == 78  # it is not empty: 550 says no more
        assert inetcli("ftp", "rmdir", new, f"{server.url}/new/").code == 0
        assert inetcli("ftp", "ls", f"{server.url}/new").code == 78


def test_targets_run_in_order_and_the_first_failure_counts() -> None:
    with FtpServer(FILES) as server:
        done = inetcli("ftp", "rm", "--json", *(f"{server.url}/{path}" for path in ("nope", "pub/a", "pub")))
        assert (done.code, [row["exit_code"] for row in done.rows]) == (78, [78, 0, 78])
        assert done.rows[0]["error"]["reply_code"] == 550
        assert len([line for line in server.log.commands() if line.startswith("USER")]) == 1


@pytest.mark.parametrize(
    ("command", "fault", "code"),
    [
        (["rm", "pub/a"], "DELE:reply(550 Permission denied)", 9),
        (["rm", "pub/a"], "DELE:reply(450 busy)", 19),
        (["mkdir", "new"], "MKD:reply(550 no)", 9),
        (["mkdir", "new"], "MKD:reply(553 no)", 9),
        (["mkdir", "new"], "MKD:reply(502 no)", 19),
        (["rmdir", "pub/sub/deep"], "RMD:reply(550 no such folder)", 78),
        (["mv", "pub/a", "z"], "RNFR:reply(550 no such file)", 78),
        (["mv", "pub/a", "z"], "RNTO:reply(553 no)", 9),
        (["mv", "pub/a", "z"], "RNTO:reply(550 no)", 9),
        (["pwd", ""], "PWD:reply(550 no)", 19),
        (["pwd", ""], "PWD:reply(257 nothing in quotes)", 8),
        (["ls", "pub"], "PASS:reply(530 no)", 67),
        (["rm", "pub/a"], "DELE:reply(421 bye)", 19),
    ],
)
def test_path_command_is_refused(command: list[str], fault: str, code: int) -> None:
    verb, target, *new = command
    with FtpServer(FILES, faults=[fault]) as server:
        before = dict(server.files)
        done = inetcli("ftp", verb, f"{server.url}/{target}", *new)
        assert (done.code, done.stdout, done.err.count("\n")) == (code, b"", 1), done.err
        assert dict(server.files) == before


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["rm", "ftp://h/"], 3),
        (["rm", "-r", "ftp://h//"], 3),
        (["mkdir", "ftp://h"], 3),
        (["rmdir", "ftp://h/a%0d%0ab"], 3),
        (["mv", "ftp://h/a", ""], 3),
        (["mv", "ftp://h/a", "b%00"], 3),
        (["mv", "ftp://h/a"], 2),
        (["rm"], 2),
        (["ls"], 2),
        (["pwd", "--encoding", "nonsense", "ftp://h"], 2),
        (["ls", "--tls", "maybe", "ftp://h"], 2),
    ],
)
def test_invalid_arguments(arguments: list[str], code: int) -> None:
    done = inetcli("ftp", *arguments)
    assert (done.code, done.err.count("\n")) == (code, 1), done.err


def test_pwd() -> None:
    with FtpServer(FILES) as server:
        assert inetcli("ftp", "pwd", server.url).out == "/\n"
        assert inetcli("ftp", "pwd", "--json", server.url).row["path"] == "/"
        server.on("PWD").reply('257 "/a ""quoted"" place" is here')
        assert inetcli("ftp", "pwd", server.url).out == '/a "quoted" place\n'


def test_ls_short_long_and_json() -> None:
    with FtpServer(FILES) as server:
        target = f"{server.url}/pub"
        assert inetcli("ftp", "ls", target).out == "a\nsub\n"
        lines = [line.split("\t") for line in inetcli("ftp", "ls", "-l", target).out.splitlines()]
        assert [(line[0], line[1], line[3]) for line in lines] == [("file", "5", "a"), ("dir", "-", "sub")]
        rows = inetcli("ftp", "ls", "--json", target).rows
        assert set(rows[0]) == {"target", "name", "type", "size", "modified", "perm", "link_target", "source"}
        assert [(row["name"], row["type"], row["size"], row["source"]) for row in rows] == [
            ("a", "file", 5, "mlsd"),
            ("sub", "dir", None, "mlsd"),
        ]
        missing = inetcli("ftp", "ls", "--json", f"{server.url}/nope")
        assert (missing.code, missing.row["error"]["kind"]) == (78, "not_found")
        assert inetcli("ftp", "ls", f"{server.url}/pub/a").out == "a\n"


@pytest.mark.parametrize("name", ["..", "/etc", "a\\rb"])
def test_recursive_rm_stays_in_its_folder(name: str) -> None:
    """A listing with names outside of the folder: nothing outside of it is removed."""
    from support.ftpdata import FtpScript

    with FtpScript(f"""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C DELE pub
        S 230 in
        S 230 in
        S 550 a folder
        C EPSV
        S 229 (|||{{port}}|)
        C MLSD pub
        S 150 here
        D type=dir; {name}\\r\\n
        S 226 done
        {"C RMD pub" if name == ".." else ""}
        {"S 250 gone" if name == ".." else ""}
        C QUIT
    """) as server:
        done = inetcli("ftp", "rm", "-r", f"ftp://127.0.0.1:{server.port}/pub")
    assert done.code == (0 if name == ".." else 18), done.err


def test_recursive_rm_of_a_link_leaves_its_target() -> None:
    """pyftpdlib lists a link to a folder as a folder, and so does every server if the target itself is a link."""
    with PyftpdlibServer({"keep/f": b"precious", "tree/a": b"x"}) as server:
        root = Path(server.root)
        (root / "tree" / "link").symlink_to(root / "keep")
        (root / "link").symlink_to(root / "keep")
        done = inetcli("ftp", "rm", "-r", f"{server.url}/link", f"{server.url}/tree")
        assert (done.code, done.err) == (0, "")
        assert sorted(path.name for path in root.iterdir() if path.name in ("keep", "tree", "link")) == ["keep"]
        assert (root / "keep" / "f").read_bytes() == b"precious"
