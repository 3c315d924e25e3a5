"""`inetcli ftp get` with correct and faulty servers."""

import hashlib
from pathlib import Path

import pytest
from support.program import inetcli

from mockservers import FtpServer, PyftpdlibServer
from mockservers.log import Kind

DATA = bytes(range(256)) * 40
FILES = {"pub/a.bin": DATA, "empty": b"", "grün.txt": b"umlaut"}


def test_get_saves_under_the_remote_name_without_output(tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        done = inetcli("ftp", "get", f"{server.url}/pub/a.bin", cwd=tmp_path)
        assert server.log.commands() == [
            "USER anonymous",
            "PASS anonymous@",
            "TYPE I",
            "SIZE pub/a.bin",
            "MDTM pub/a.bin",
            "EPSV",
            "RETR pub/a.bin",
            "QUIT",
        ]
    assert (done.code, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_get_json_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        row = inetcli("ftp", "get", "--json", "--sha256", f"{server.url}/pub/a.bin", cwd=tmp_path).row
    timing = row.pop("timing_ms")
    assert set(timing) == {"resolve", "connect", "login", "commands", "first_byte", "total"}
    total = timing.pop("total")
    assert sum(timing.values()) <= total + 0.01  # each is rounded
    assert row == {
        "target": f"{server.url}/pub/a.bin",
        "path": "a.bin",
        "bytes": len(DATA),
        "size": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "resumed_from": None,
        "verified": "size",
        "skipped": False,
        "exit_code": 0,
        "notes": [],
    }


@pytest.mark.parametrize("tls", [None, "explicit", "implicit"])
def test_get_to_standard_output(tls: str | None) -> None:
    with FtpServer(FILES, tls=tls, require_reuse=bool(tls)) as server:
        trust = ["--ca", server.ca_file] if server.ca_file else []
        done = inetcli("ftp", "get", "-o", "-", *trust, f"{server.url}/pub/a.bin")
    assert (done.code, done.stdout, done.err) == (0, DATA, "")


def test_get_over_tls_resumes_the_session_on_the_data_connection(tmp_path: Path) -> None:
    with FtpServer(FILES, tls="explicit", require_tls=True, require_reuse=True) as server:
        assert server.ca_file
        row = inetcli("ftp", "get", "--json", "--ca", server.ca_file, f"{server.url}/empty", cwd=tmp_path).row
        assert server.log.commands()[:6] == [
            "AUTH TLS",
            "USER anonymous",
            "PASS anonymous@",
            "PBSZ 0",
            "PROT P",
            "TYPE I",
        ]
    assert row["exit_code"] == 0
    assert row["tls"]["version"] == "TLSv1.3"
    assert row["tls"]["peer_verified"] is True


def test_get_sends_a_password_only_after_331(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password\nsecond line\n")
    arguments = ["--user", "user", "--password-file", str(tmp_path / "secret")]
    with FtpServer(FILES) as server:
        assert inetcli("ftp", "get", "-o", "-", *arguments, f"{server.url}/empty").code == 0
        assert server.log.commands()[:2] == ["USER user", "PASS password"]
    with FtpServer(FILES, tls="explicit", require_tls=True) as server:
        denied = inetcli("ftp", "get", "-o", "-", *arguments, f"ftp://{server.host}:{server.port}/empty")
        assert denied.code == 67
        assert server.log.commands() == ["USER user", "QUIT"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("connect:reply(421 too many)", 19),
        ("connect:reply(500 go away)", 19),
        ("USER:reply(530 no)", 67),
        ("PASS:reply(530 no)", 67),
        ("PASS:reply(332 account)", 67),
        ("PASS:reply(421 bye)", 19),
        ("TYPE:reply(500 no)", 19),
        ("RETR:reply(550 no such file)", 78),
        ("RETR:reply(550 Permission denied)", 9),
        ("RETR:reply(450 busy)", 19),
        ("RETR:reply(425 no data)", 19),
        ("RETR:reply(nonsense)", 8),
        ("SIZE:reply(213 20000)", 18),
        ("SIZE:reply(213 5)", 18),
        ("RETR:fin@100", 18),
        ("RETR:rst@100", 18),
        ("RETR:silent@100", 28),
        ("data:garbage(10)", 18),
        ("EPSV:reply(229 nonsense)", 8),
        ("connect:garbage(2000)", 8),
        ("connect:long_line(20000)", 63),
        ("connect:fin", 52),
        ("USER:rst", 56),
        ("connect:silent", 28),
        ("connect:refuse", 7),
    ],
)
def test_get_fails_with_a_specific_exit_code_and_leaves_no_file(fault: str, code: int, tmp_path: Path) -> None:
    with FtpServer(FILES, faults=[fault]) as server:
        limit = "0.5" if code == 28 else "10"
        done = inetcli("ftp", "get", "--timeout", limit, f"{server.url}/pub/a.bin", cwd=tmp_path)
        assert done.code == code, done.err
        assert server.problems() == []
    assert list(tmp_path.iterdir()) == []
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"inetcli: {server.url}/pub/a.bin: ")


@pytest.mark.parametrize(
    ("faults", "note"),
    [
        (["EPSV:reply(500 no)"], "EPSV refused"),
        (["EPSV:reply(229 (|||1|))"], "using PASV"),
        (["SIZE:reply(550 not now)"], None),
        (["connect:drip(0)"], None),
        (["connect:slice(1)"], None),
        (["RETR:slice(7)"], None),
    ],
)
def test_get_succeeds_despite_refusals_and_slow_replies(faults: list[str], note: str | None, tmp_path: Path) -> None:
    with FtpServer(FILES, faults=faults) as server:
        done = inetcli("ftp", "get", "--json", f"{server.url}/pub/a.bin", cwd=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert [note in told for told in done.row["notes"]] == [True] if note else done.row["notes"] == []


def bytes_up_to_the_150() -> int:
    """Return everything that the server sends on the control connection before the data begins."""
    with FtpServer(FILES) as server:
        assert inetcli("ftp", "get", "-o", "-", f"{server.url}/pub/a.bin").code == 0
        said = [event.data for event in server.log.events(Kind.TO_CLIENT) if event.channel == "main"]
    return sum(map(len, said[: next(n for n, line in enumerate(said) if line.startswith(b"150")) + 1]))


@pytest.mark.parametrize("ending", ["fin", "rst", "silent"])
def test_get_succeeds_without_final_reply_if_all_bytes_of_a_known_size_came(ending: str, tmp_path: Path) -> None:
    fault = f"connect:{ending}@{bytes_up_to_the_150() + 1}"
    with FtpServer(FILES, faults=[fault]) as server:
        done = inetcli("ftp", "get", "--json", "--timeout", "0.5", f"{server.url}/pub/a.bin", cwd=tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert done.row["notes"][0].startswith(f"all {len(DATA)} bytes came, but no final reply: ")


@pytest.mark.parametrize(("ending", "code"), [("fin", 18), ("silent", 28)])
def test_get_fails_without_final_reply_if_the_size_is_unknown(ending: str, code: int, tmp_path: Path) -> None:
    lost = len("213 10240") - len("550 not now")
    fault = f"connect:{ending}@{bytes_up_to_the_150() - lost + 1}"
    with FtpServer(FILES, faults=[fault, "SIZE:reply(550 not now)"]) as server:
        done = inetcli("ftp", "get", "--json", "--timeout", "0.5", f"{server.url}/pub/a.bin", cwd=tmp_path)
    assert done.code == code, done.err
    assert list(tmp_path.iterdir()) == []


def test_pasv_address_of_another_host_is_ignored(tmp_path: Path) -> None:
    """The address in a 227 is not trusted: the data connection goes to the server itself."""
    with FtpServer(FILES, faults=["EPSV:reply(500 no)"]) as server:
        server.on("PASV").reply("227 Entering Passive Mode (10,0,0,1,4,1)")
        done = inetcli("ftp", "get", "--connect-timeout", "2", f"{server.url}/pub/a.bin", cwd=tmp_path)
    assert done.code == 7
    assert "127.0.0.1:1025: refused" in done.err
    assert "10.0.0.1" not in done.err


def test_an_existing_file_is_detected_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_text("old")
    with FtpServer(FILES) as server:
        target = f"{server.url}/pub/a.bin"
        assert inetcli("ftp", "get", target, cwd=tmp_path).code == 73
        assert server.log.events() == []
        skipped = inetcli("ftp", "get", "--skip-existing", "--json", target, cwd=tmp_path)
        assert (skipped.code, skipped.row["skipped"]) == (0, True)
        assert (tmp_path / "a.bin").read_text() == "old"
        assert inetcli("ftp", "get", "--force", target, cwd=tmp_path).code == 0
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_several_targets_keep_their_order_and_the_first_exit_code(tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        paths = ["pub/a.bin", "nope", "empty", "gr%C3%BCn.txt"]
        done = inetcli("ftp", "get", "-P", "down", "--json", *(f"{server.url}/{path}" for path in paths), cwd=tmp_path)
    assert done.code == 78
    assert [row["target"].removeprefix(server.url + "/") for row in done.rows] == paths
    assert [row["exit_code"] for row in done.rows] == [0, 78, 0, 0]
    assert sorted(path.name for path in (tmp_path / "down").iterdir()) == ["a.bin", "empty", "grün.txt"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ftp://h/"], 3),
        (["ftp://h"], 3),
        (["ftp://h/a%0d%0aDELE%20b"], 3),
        (["ftp://h/a%zz"], 3),
        (["http://h/a"], 3),
        (["-o", "x", "ftp://h/a", "ftp://h/b"], 2),
        (["-o", "-", "--json", "ftp://h/a"], 2),
        (["-o", "x", "-P", "y", "ftp://h/a"], 2),
        ([], 2),
        (["-4", "-6", "ftp://h/a"], 2),
        (["--timeout", "0", "ftp://h/a"], 2),
        (["--timeout", "nan", "ftp://h/a"], 2),
    ],
)
def test_wrong_usage_and_malformed_targets(arguments: list[str], code: int) -> None:
    done = inetcli("ftp", "get", *arguments)
    assert done.code == code
    assert done.err.count("\n") == 1


def test_retries_only_transient_failures(tmp_path: Path) -> None:
    with FtpServer(FILES, faults=["RETR:rst@100x1"]) as server:
        done = inetcli("ftp", "get", "--retries", "1", "--json", f"{server.url}/pub/a.bin", cwd=tmp_path)
        assert done.code == 0
        assert done.row["notes"][0].startswith("retried after: incomplete: 100 of 10240 bytes came")
    with FtpServer(FILES, faults=["PASS:reply(530 no)"]) as server:
        assert inetcli("ftp", "get", "--retries", "3", f"{server.url}/empty", cwd=tmp_path).code == 67
        assert server.log.commands().count("PASS anonymous@") == 1


def test_no_retry_after_bytes_were_written_to_standard_output() -> None:
    """A retry begins at the first byte: it may follow a refused connection, but no written bytes."""
    with FtpServer(FILES, faults=["RETR:rst@100x1"]) as server:
        done = inetcli("ftp", "get", "--retries", "2", "-o", "-", f"{server.url}/pub/a.bin")
        assert (done.code, len(done.stdout)) == (18, 100)
        assert server.log.commands().count("RETR pub/a.bin") == 1
    with FtpServer(FILES, faults=["connect:fin@0x1"]) as server:
        done = inetcli("ftp", "get", "--retries", "2", "-o", "-", f"{server.url}/pub/a.bin")
        assert (done.code, done.stdout) == (0, FILES["pub/a.bin"]), done.err


def test_timing_includes_retries(tmp_path: Path) -> None:
    with FtpServer(FILES, faults=["RETR:rst@100x1"]) as server:
        done = inetcli("ftp", "get", "--retries", "1", "--json", f"{server.url}/pub/a.bin", cwd=tmp_path)
    assert done.row["timing_ms"]["total"] > 250  # the pause before it


@pytest.mark.parametrize("tls", [None, "explicit"])
def test_get_from_pyftpdlib(tls: str | None, tmp_path: Path) -> None:
    with PyftpdlibServer({"pub/a.bin": DATA}, tls=tls) as server:
        trust = ["--ca", server.ca_file] if server.ca_file else []
        done = inetcli("ftp", "get", "--json", *trust, f"{server.url}/pub/a.bin", cwd=tmp_path)
        missing = inetcli("ftp", "get", *trust, f"{server.url}/nope", cwd=tmp_path)
    assert (done.code, done.row["verified"], missing.code) == (0, "size", 78), done.err
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_mirror_uses_listed_times_without_mdtm(tmp_path: Path) -> None:
    with FtpServer(FILES, features={"MLST": False}, faults=["MDTM:reply(502 no)"]) as server:
        arguments = ["ftp", "get", "-r", "-P", "m", "--json", server.url]
        first, second = inetcli(*arguments, cwd=tmp_path), inetcli(*arguments, cwd=tmp_path)
    assert (first.code, second.code) == (0, 0), second.err
    assert (first.rows[-1]["files"], second.rows[-1]["skipped"]) == (len(FILES), len(FILES))


def test_two_downloads_of_one_command_cannot_use_the_same_local_name(tmp_path: Path) -> None:
    with FtpServer({"a/x": b"one", "b/x": b"two"}) as server:
        done = inetcli("ftp", "get", "--force", "--json", f"{server.url}/a/x", f"{server.url}/b/x", cwd=tmp_path)
    assert sorted(row["exit_code"] for row in done.rows) == [0, 73]
    assert (tmp_path / "x").read_bytes() in (b"one", b"two")


@pytest.mark.parametrize("arguments", [["get", "--verify", "hash"], ["get", "--resume"], ["put", "--resume"]])
def test_text_cannot_be_verified_or_resumed(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"a\n")
    with FtpServer(FILES) as server:
        source = ["f"] if arguments[0] == "put" else []
        done = inetcli("ftp", *arguments, *source, f"{server.url}/empty;type=a", cwd=tmp_path)
        assert (done.code, server.log.commands()) == (2, [])
    assert ";type=a" in done.err


def test_recursive_put_of_a_file_makes_no_remote_folder(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with FtpServer(FILES) as server:
        for source in ("nothing", "f"):
            assert inetcli("ftp", "put", "-r", source, f"{server.url}/new", cwd=tmp_path).code == 26
        assert server.log.commands() == []


def test_put_removes_the_temporary_file_after_a_timeout(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(400_000))
    with FtpServer(FILES) as server:
        arguments = ["--limit-rate", "20K", "--max-time", "0.7"]
        assert inetcli("ftp", "put", *arguments, "f", f"{server.url}/incoming/f", cwd=tmp_path).code == 28
        assert [path for path in server.files if path.startswith("/incoming/")] == []
