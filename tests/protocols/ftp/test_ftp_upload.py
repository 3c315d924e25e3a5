"""Uploads: the temporary name until the check, and the old file after a failure."""

import hashlib
import os
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.ftpdata import FtpScript
from support.program import inetcli

from inetcli.errors import Denied, Incomplete, InetError, LocalRead, NoResume, Refused, TimedOut, UploadRefused
from inetcli.net.progress import NO_PROGRESS
from inetcli.payload import Payload, open_payload
from inetcli.protocols.ftp.local_file import OVERLAP
from inetcli.protocols.ftp.model import UploadOptions
from inetcli.protocols.ftp.upload import temporary_name
from mockservers import FtpServer

DATA = random.Random(2).randbytes(200_000)
CUT = 150_000
THEN = datetime(2024, 2, 29, 12, 0, 1, tzinfo=UTC)
TEMPORARY = re.compile(r"\.b\.[0-9a-f]{8}")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    os.utime(path, (THEN.timestamp(), THEN.timestamp()))
    return path


def server_of(*faults: str, files: dict[str, bytes] | None = None, **options) -> FtpServer:
    return FtpServer({"in/b": b"old"} if files is None else files, faults=faults, **options)


def content(server: FtpServer) -> dict[str, bytes]:
    """All files of the server; temporary names are `.b.#`."""
    return {TEMPORARY.sub(".b.#", path): data for path, data in server.files.items()}


def said(server: FtpServer) -> list[str]:
    return [TEMPORARY.sub(".b.#", line) for line in server.log.commands()]


def part_of(source: Path) -> str:
    """The temporary that another run finds again, beside `in/b`."""
    with open_payload(str(source)) as payload:
        return "in/" + temporary_name("b", payload)


def pipe(data: bytes) -> Payload:
    """What comes from a pipe, and can be read once."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return Payload("standard input", reading, None)


# The name


@pytest.mark.parametrize("tls", [None, "explicit", "implicit"])
def test_upload_is_renamed_after_the_check(client, source: Path, tls: str | None) -> None:
    with server_of(tls=tls) as server:
        with client(server) as user:
            done = user.put(source, "in/b")
        server.wait_for("QUIT")
        commands = said(server)
        assert content(server) == {"/in/b": DATA}
        assert server.modified("/in/b") == THEN
    assert (done.path, done.bytes, done.verified) == ("in/b", len(DATA), "size")
    assert user.notes == []
    assert commands[commands.index("TYPE I") :] == [
        "TYPE I",
        "EPSV",
        "STOR in/.b.#",
        "SIZE in/.b.#",
        "MFMT 20240229120001 in/.b.#",
        "RNFR in/.b.#",
        "RNTO in/b",
        "QUIT",
    ]


@pytest.mark.parametrize("path", ["b", "/b", "in/b", "/in/new"])
def test_temporary_file_is_in_the_same_folder(client, source: Path, path: str) -> None:
    with server_of() as server:
        client(server).put(source, path)
        folder = path.rpartition("b")[0] if path.endswith("b") else "/in/"
        (stored,) = (line for line in server.log.commands() if line.startswith("STOR"))
        assert stored.startswith(f"STOR {folder}.")
        assert server.files["/" + path.lstrip("/")] == DATA


@pytest.mark.parametrize("name", ["x" * 255, "\u00fc" * 127, "x" * 246])
def test_temporary_name_has_at_most_255_bytes(client, source: Path, name: str) -> None:
    with server_of() as server:
        client(server).put(source, f"in/{name}")
        (stored,) = (line for line in server.log.commands() if line.startswith("STOR"))
        assert len(stored.removeprefix("STOR in/").encode()) <= 255
        assert server.files[f"/in/{name}"] == DATA


REFUSED_NAMES = [
    ("STOR in/.b.*:reply(553 no dots)", "553 no dots"),
    ("STOR in/.b.*:reply(550 no dots)", "550 no dots"),
    ("RNFR:reply(550 no renaming)", "550 no renaming"),
    ("RNFR:reply(502 no)", "502 no"),
    ("RNTO:reply(553 it is there)", "553 it is there"),
]


@pytest.mark.parametrize(("fault", "reply"), REFUSED_NAMES)
def test_upload_falls_back_to_the_final_name(client, source: Path, fault: str, reply: str) -> None:
    with server_of(fault) as server:
        user = client(server)
        done = user.put(source, "in/b")
        assert content(server) == {"/in/b": DATA}
        assert server.modified("/in/b") == THEN
    (note,) = user.notes
    assert (
        TEMPORARY.sub(".b.#", note)
        == f'in/.b.#: refused ("{reply}"); sending under the final name, visible while incomplete'
    )
    assert (done.bytes, done.verified) == (len(DATA), "size")


@pytest.mark.parametrize(("fault", "reply"), REFUSED_NAMES)
def test_upload_from_a_pipe_has_no_fallback_after_the_data(client, fault: str, reply: str) -> None:
    with server_of(fault) as server:
        user = client(server)
        with pipe(b"once") as payload:
            if fault.startswith("STOR"):  # nothing has been read by then
                assert user.ftp().put(payload, "in/b", UploadOptions(), NO_PROGRESS).bytes == 4
                assert content(server) == {"/in/b": b"once"}
                return
            with pytest.raises(UploadRefused) as caught:
                user.ftp().put(payload, "in/b", UploadOptions(), NO_PROGRESS)
        assert content(server) == {"/in/b": b"old"}
    assert caught.value.message.endswith(
        f'cannot be renamed, and the bytes of a pipe cannot be sent again: "{reply}" (--direct)'
    )


def test_resume_of_a_pipe_is_an_error(client) -> None:
    with server_of() as server, pipe(b"once") as payload, pytest.raises(NoResume, match="--resume needs a file"):
        client(server).ftp().put(payload, "in/b", UploadOptions(resume=True), NO_PROGRESS)


@pytest.mark.parametrize("name", ["in/b", "in/new"])
def test_direct_upload_uses_the_final_name(client, source: Path, name: str) -> None:
    with server_of() as server:
        client(server).put(source, name, direct=True)
        assert f"STOR {name}" in said(server)
        assert not [line for line in said(server) if line.startswith("RN")]
        assert content(server)[f"/{name}"] == DATA


# What goes wrong


FAULTS: list[tuple[str, type[InetError]]] = [
    ("STOR:reply(452 no space)", UploadRefused),
    ("STOR:reply(552 quota)", UploadRefused),
    ("STOR:reply(532 account)", UploadRefused),
    ("STOR:reply(450 busy)", Refused),
    ("STOR:reply(425 no way)", Refused),
    ("STOR:partial(226)@4096", Incomplete),
    ("STOR:partial(552)@4096", UploadRefused),
    ("STOR:partial(426)@4096", Incomplete),
    ("STOR:partial(451)@4096", Incomplete),
    ("STOR:partial(450)@4096", Incomplete),
    ("STOR:final_reply(552 quota)", UploadRefused),
    ("STOR:final_reply(452 quota)", UploadRefused),
    ("STOR:final_reply(426 gone)", Incomplete),
    ("STOR:shutting_down@4096", InetError),
    ("STOR:no_final_reply", TimedOut),
    ("STOR:rst@4096", InetError),
    ("STOR:reply(nonsense)", InetError),
    ("SIZE:reply(213 5)", Incomplete),
    ("SIZE:reply(213 200001)", Incomplete),
    ("RNFR:reply(421 bye)", Refused),
    ("RNTO:reply(421 bye)", Refused),
    ("RNTO:rst", InetError),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
@pytest.mark.parametrize("old", [None, b"old"])
def test_failed_upload_leaves_the_old_file(
    client, source: Path, monkeypatch: pytest.MonkeyPatch, fault: str, error: type[InetError], old: bytes | None
) -> None:
    monkeypatch.setattr("inetcli.protocols.ftp.upload.CLEAN_UP_S", 0.2)  # some of the servers have no answer to DELE
    files = {"in/b": old} if old else {"in/other": b""}
    with server_of(fault, files=files) as server:
        user = client(server, limits={"silence_s": 0.3} if "no_final" in fault else None)
        with pytest.raises(error):
            user.put(source, "in/b")
        there = content(server)
    left = there.pop("/in/.b.#", None)
    assert there == {f"/{path}": data for path, data in files.items()}
    assert left is None or any("may be left on the server" in note for note in user.notes)


@pytest.mark.parametrize("old", [None, b"old"])
def test_local_read_error_leaves_no_remote_file(client, tmp_path: Path, old: bytes | None) -> None:
    """The server takes the end of the data for the end of the file, so that the client removes the file."""
    reading = os.open("/proc/self/mem", os.O_RDONLY)  # cannot be read at its beginning
    with server_of(files={"in/b": old} if old else {"in/other": b""}) as server:
        user = client(server)
        with Payload("mem", reading, 10) as payload, pytest.raises(LocalRead, match="mem: cannot be read"):
            user.ftp().put(payload, "in/b", UploadOptions(), NO_PROGRESS)
        assert not [path for path in content(server) if "#" in path]
        assert server.files.get("/in/b") == old
    assert user.notes == []


def test_server_that_stops_reading_times_out_once(client, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(32 << 20))
    with (
        FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        S 230 in
        S 230 in
        S 200 binary
        C EPSV
        S 229 (|||{port}|)
        C STOR .b.*
        S 150 go on
        DN
        C QUIT
    """) as server,
        client(server, limits={"silence_s": 0.2}) as user,
    ):
        with pytest.raises(TimedOut, match=r"silent for 0\.2 s"):
            user.put(big, "b")
        assert user.sessions[-1].trace.elapsed() < 0.9  # one silence, and one more to tidy up
        assert "may be left on the server" in user.notes[0]


def test_upload_that_has_begun_is_not_retried(client, source: Path) -> None:
    with server_of("STOR:partial(426)@4096") as server:
        user = client(server)
        with pytest.raises(Incomplete):
            user.put(source, "in/b")
    assert user.sessions[-1].attempt.retry_forbidden


@pytest.mark.parametrize("reply", ["450 busy", "550 no"])
def test_upload_without_size_is_not_verified(client, source: Path, reply: str) -> None:
    with server_of(f"SIZE:reply({reply})") as server:
        assert client(server).put(source, "in/b").verified is None
        assert content(server) == {"/in/b": DATA}


def test_refused_mfmt_is_no_error(client, source: Path) -> None:
    with server_of("MFMT:reply(502 no)") as server:
        assert client(server).put(source, "in/b").verified == "size"


# At the end of a file, and taking up


def test_append(client, source: Path) -> None:
    with server_of() as server:
        done = client(server).put(source, "in/b", append=True)
        assert content(server) == {"/in/b": b"old" + DATA}
        assert "APPE in/b" in said(server)
        assert not [line for line in said(server) if line.startswith("MFMT")]
    assert (done.bytes, done.verified) == (len(DATA), "size")


def test_append_to_a_missing_file(client, source: Path) -> None:
    with server_of() as server:
        assert client(server).put(source, "in/new", append=True).verified == "size"
        assert content(server)["/in/new"] == DATA


def test_truncated_append_is_incomplete(client, source: Path) -> None:
    with (
        server_of("APPE:partial(226)@1000") as server,
        pytest.raises(Incomplete, match="the remote file must have 200003 bytes"),
    ):
        client(server).put(source, "in/b", append=True)


def test_resume_continues_an_earlier_run(client, source: Path) -> None:
    with server_of(f"STOR:partial(426)@{CUT}x1") as server:
        with pytest.raises(Incomplete):
            client(server).put(source, "in/b", resume=True)
        assert server.files == {"/in/b": b"old", f"/{part_of(source)}": DATA[:CUT]}
        user = client(server)
        done = user.put(source, "in/b", resume=True)
        assert content(server) == {"/in/b": DATA}
        commands = server.log.commands()
        later = commands[commands.index(f"STOR {part_of(source)}") + 1 :]
        assert [line for line in later if line.split()[0] in ("REST", "RETR", "APPE", "STOR", "RNTO")] == [
            f"REST {CUT - OVERLAP}",
            f"RETR {part_of(source)}",
            f"APPE {part_of(source)}",
            "RNTO in/b",
        ]
    assert (done.bytes, done.verified) == (len(DATA), "size")


OTHER = "the remote part is not the beginning of this file: starting over"


@pytest.mark.parametrize(
    ("there", "faults", "notes"),
    [
        (DATA[::-1][:CUT], [], [OTHER]),
        (DATA[:CUT], ["REST:reply(502 no)"], [OTHER]),
        (DATA[:CUT], ["REST:rest_ignored"], [OTHER]),
        (DATA[:CUT], ["RETR:reply(550 write only)"], [OTHER]),
        (DATA[:CUT], ["RETR:partial(426)@100"], [OTHER]),
        (DATA[:CUT], ["SIZE:reply(550 no)"], []),
        (DATA[:OVERLAP], [], []),
        (DATA + b"more", [], []),
    ],
    ids=["other", "rest refused", "rest ignored", "write only", "cut", "no size", "short", "long"],
)
def test_resume_starts_over_if_the_remote_part_differs(
    client, source: Path, there: bytes, faults: list[str], notes: list[str]
) -> None:
    with server_of(*faults, files={part_of(source): there}) as server:
        user = client(server)
        user.put(source, "in/b", resume=True)
        assert content(server) == {"/in/b": DATA}
        assert not [line for line in said(server) if line.startswith("APPE")]
    assert user.notes == notes


def test_resume_ignores_the_part_of_another_local_file(client, source: Path, tmp_path: Path) -> None:
    """Two disk images with the same name and end: size or time differ, and so does the name of the part."""
    other = tmp_path / "other" / source.name
    other.parent.mkdir()
    other.write_bytes(b"NEW" + DATA[3:])
    os.utime(other, (1_700_000_000, 1_700_000_000))
    with server_of(f"STOR:partial(426)@{CUT}x1") as server:
        with pytest.raises(Incomplete):
            client(server).put(source, "in/b", resume=True)
        client(server).put(other, "in/b", resume=True)
        assert server.files["/in/b"] == b"NEW" + DATA[3:]


def test_resume_with_all_bytes_present(client, source: Path) -> None:
    with server_of(files={part_of(source): DATA}) as server:
        assert client(server).put(source, "in/b", resume=True).verified == "size"
        assert content(server) == {"/in/b": DATA}


# Folders, hashes, text


@pytest.mark.parametrize("path", ["new/deep/b", "/new/deep/b", "in/b", "in/new/b"])
def test_mkdirs(client, source: Path, path: str) -> None:
    with server_of() as server:
        client(server).put(source, path, mkdirs=True)
        assert server.files["/" + path.lstrip("/")] == DATA


def test_mkdirs_refused(client, source: Path) -> None:
    with server_of("MKD:reply(550 no)") as server, pytest.raises(Denied, match='new: cannot be made: "550 no"'):
        client(server).put(source, "new/b", mkdirs=True)


@pytest.mark.parametrize("resume", [False, True])
def test_verify_compares_the_hash(client, source: Path, resume: bool) -> None:
    files = {part_of(source): DATA[:CUT]} if resume else None
    with server_of(files=files) as server:
        assert client(server).put(source, "in/b", verify=True, resume=resume).verified == "hash"
        assert server.files["/in/b"] == DATA


def test_verify_with_a_different_hash_leaves_the_old_file(client, source: Path) -> None:
    wrong = hashlib.sha256(b"").hexdigest()
    with server_of(f"HASH:reply(213 SHA-256 0-{len(DATA)} {wrong} b)") as server:
        with pytest.raises(Incomplete, match="the server's SHA-256 of 200000 bytes is"):
            client(server).put(source, "in/b", verify=True)
        assert content(server) == {"/in/b": b"old"}


def test_verify_fails_before_the_upload_without_hash(client, source: Path) -> None:
    with server_of(features={"HASH": False}) as server:
        with pytest.raises(Refused, match="--verify hash: the server offers no HASH"):
            client(server).put(source, "in/b", verify=True)
        assert content(server) == {"/in/b": b"old"}
        assert not [line for line in said(server) if line.startswith("STOR")]


@pytest.mark.parametrize(
    ("local", "sent"), [(b"a\nb\n", b"a\r\nb\r\n"), (b"a\r\nb\rc", b"a\r\nb\rc"), (b"", b""), (b"\n" * 3, b"\r\n" * 3)]
)
def test_text_has_network_line_ends(client, tmp_path: Path, local: bytes, sent: bytes) -> None:
    (tmp_path / "t").write_bytes(local)
    with (
        FtpScript(
            """
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE A
        S 230 in
        S 230 in
        S 200 text
        C EPSV
        S 229 (|||{port}|)
        C STOR .t.*
        S 150 go on
        U $sent
        S 226 done
        C MFMT * .t.*
        S 500 what?
        C RNFR .t.*
        S 350 and?
        C RNTO t
        S 250 so it is
        C QUIT
        """,
            data={"sent": sent},
        ) as server,
        client(server) as user,
    ):
        done = user.put(tmp_path / "t", "t", text=True)
    assert (done.bytes, done.verified) == (len(sent), None)


def test_tls_upload_exchanges_close_notify(client, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the client's close_notify an upload counts as cut; a client that closes first may lose data."""
    from inetcli.net.tlsstream import TlsStream

    ends: list[str] = []

    def note(name: str, method: Callable[..., object]) -> Callable[..., object]:
        def noted(self: TlsStream, *arguments: object) -> object:
            if self.channel == "data":
                ends.append(name)
            return method(self, *arguments)

        return noted

    for name in ("finish_sending", "wait_for_end", "close"):
        monkeypatch.setattr(TlsStream, name, note(name, getattr(TlsStream, name)))
    with server_of(tls="explicit", require_reuse=True) as server:
        client(server).put(source, "in/b")
        assert content(server) == {"/in/b": DATA}
    assert ends == ["finish_sending", "wait_for_end", "close"]


# The command


def test_put_into_a_folder_keeps_the_name(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(DATA)
    with server_of() as server:
        done = inetcli("ftp", "put", "--json", "b", f"{server.url}/in/", cwd=tmp_path)
        assert content(server) == {"/in/b": DATA}
        row = done.row
        assert {key: row[key] for key in ("path", "bytes", "verified", "exit_code", "notes")} == {
            "path": "in/b",
            "bytes": len(DATA),
            "verified": "size",
            "exit_code": 0,
            "notes": [],
        }
        silent = inetcli("ftp", "put", "b", f"{server.url}/in/c", cwd=tmp_path)
        assert (silent.code, silent.stdout, silent.stderr) == (0, b"", b"")


def test_put_from_standard_input(tmp_path: Path) -> None:
    with server_of() as server:
        assert inetcli("ftp", "put", "-", f"{server.url}/in/b", stdin=DATA).code == 0
        assert content(server) == {"/in/b": DATA}
        nameless = inetcli("ftp", "put", "-", f"{server.url}/in/", stdin=DATA)
        assert (nameless.code, nameless.err.count("\n")) == (3, 1)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing", "ftp://h/x"], 26),
        ([".", "ftp://h/x"], 26),
        (["--append", "--resume", "f", "ftp://h/x"], 2),
        (["--append", "--direct", "f", "ftp://h/x"], 2),
        (["--append", "--verify", "hash", "f", "ftp://h/x"], 2),
        (["--resume", "-", "ftp://h/x"], 2),
        (["-r", "-", "ftp://h/x"], 2),
        (["-r", "--append", ".", "ftp://h/x"], 2),
        (["f"], 2),
        (["f", "ftp://h/x", "ftp://h/y"], 2),
        (["f", "ftp://h/a%0Ab"], 3),
        (["f", "http://h/a"], 3),
    ],
)
def test_put_with_invalid_arguments(tmp_path: Path, arguments: list[str], code: int) -> None:
    (tmp_path / "f").write_bytes(b"")
    done = inetcli("ftp", "put", *arguments, cwd=tmp_path)
    assert (done.code, done.err.count("\n")) == (code, 1), done.err


def test_recursive_put(tmp_path: Path) -> None:
    for name, data in {"a": b"1", "sub/b": b"22", "sub/deep/c": b""}.items():
        (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "site" / name).write_bytes(data)
    (tmp_path / "site" / "link").symlink_to("a")
    (tmp_path / "site" / "empty").mkdir()
    with server_of() as server:
        done = inetcli("ftp", "put", "-r", "--json", "site", f"{server.url}/in/web", cwd=tmp_path)
        assert done.code == 0, done.err
        there = {path: data for path, data in server.files.items() if path.startswith("/in/web")}
        assert there == {"/in/web/a": b"1", "/in/web/sub/b": b"22", "/in/web/sub/deep/c": b""}
        assert inetcli("ftp", "rmdir", f"{server.url}/in/web/empty").code == 0
    *rows, whole = done.rows
    assert {row["path"]: row["bytes"] for row in rows} == {"in/web/a": 1, "in/web/sub/b": 2, "in/web/sub/deep/c": 0}
    assert (whole["path"], whole["files"], whole["bytes"], whole["failed"]) == ("in/web", 3, 3, 0)


def test_recursive_put_continues_after_a_failure(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"x")
    with server_of("STOR in/.b.*:reply(552 quota)") as server:
        done = inetcli("ftp", "put", "-r", "--json", ".", f"{server.url}/in", cwd=tmp_path)
        assert (done.code, done.rows[-1]["files"], done.rows[-1]["failed"]) == (25, 2, 1)
        assert content(server) == {"/in/b": b"old", "/in/a": b"x", "/in/c": b"x"}
