"""Downloads into files: resuming, limits, checks, and conversion of text."""

import hashlib
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.ftpdata import FtpScript

from inetcli.errors import (
    Denied,
    FileExists,
    Incomplete,
    InetError,
    LocalWrite,
    NotFound,
    ProtocolViolation,
    Refused,
    TimedOut,
    TooLarge,
)
from inetcli.net.progress import NO_PROGRESS
from inetcli.protocols.ftp.local_file import OVERLAP
from inetcli.protocols.ftp.model import HASHES, DownloadOptions
from mockservers import FtpServer

DATA = random.Random(1).randbytes(200_000)
CUT = 150_000
THEN = datetime(2024, 2, 29, 12, 0, 1, tzinfo=UTC)
LATER = datetime(2024, 2, 29, 12, 0, 2, tzinfo=UTC)
CUT_ONCE = f"RETR a:rst@{CUT}x1"
REST = f"REST {CUT - OVERLAP}"


def server_of(data: bytes = DATA, *faults: str, time: datetime = THEN, **options) -> FtpServer:
    return FtpServer({"a": data}, times={"a": time}, faults=faults, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def later_commands(server: FtpServer) -> list[str]:
    """What was said behind the first RETR."""
    said = server.log.commands()
    return said[said.index("RETR a") + 1 :]


# Taking up a transfer


@pytest.mark.parametrize("tls", [None, "explicit"])
def test_retry_resumes_the_first_attempt(client, tmp_path: Path, tls: str | None) -> None:
    with server_of(DATA, CUT_ONCE, tls=tls) as server:
        done = client(server).get("a", tmp_path, tries=2, sha256=True)
        assert (done.bytes, done.size, done.verified) == (len(DATA), len(DATA), "size")
        if tls is None:
            assert done.resumed_from == CUT
            assert [line for line in later_commands(server) if line.startswith(("REST", "RETR"))] == [REST, "RETR a"]
        assert done.sha256 == hashlib.sha256(DATA).hexdigest()
    assert (tmp_path / "a").read_bytes() == DATA
    assert names(tmp_path) == ["a"]


def test_resume_continues_an_earlier_run(client, tmp_path: Path) -> None:
    with server_of(DATA, CUT_ONCE) as server:
        with pytest.raises(Incomplete):
            client(server).get("a", tmp_path, resume=True)
        assert names(tmp_path) == [".a.part", ".a.part.json"]
        assert (tmp_path / ".a.part").read_bytes() == DATA[:CUT]
        done = client(server).get("a", tmp_path, resume=True)
        assert later_commands(server).count(REST) == 1
    assert done.resumed_from == CUT
    assert (tmp_path / "a").read_bytes() == DATA
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("arrived", [0, 1, OVERLAP])
def test_resume_refetches_when_size_present_is_at_most_overlap(client, tmp_path: Path, arrived: int) -> None:
    with server_of(DATA, f"RETR:rst@{arrived}x1") as server:
        done = client(server).get("a", tmp_path, tries=2)
        assert not [line for line in server.log.commands() if line.startswith("REST")]
    assert done.resumed_from is None
    assert (tmp_path / "a").read_bytes() == DATA


def test_resume_with_all_bytes_present(client, tmp_path: Path) -> None:
    with server_of(DATA, "RETR:partial(451)@200000x1") as server:
        done = client(server).get("a", tmp_path, tries=2)
        assert f"REST {len(DATA) - OVERLAP}" in server.log.commands()
    assert done.resumed_from == len(DATA)
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize(
    ("data", "time", "faults", "note"),
    [
        (DATA + b"x", THEN, [], "the remote file has changed since the last attempt: starting over"),
        (DATA, LATER, [], "the remote file has changed since the last attempt: starting over"),
        (DATA[::-1], THEN, [], "the local part differs from the remote file: starting over"),
        (DATA, THEN, ["REST:rest_ignored"], "the local part differs from the remote file: starting over"),
        (DATA, THEN, ["REST:reply(502 no)"], f'{REST} refused: "502 no": starting over'),
        (DATA[:CUT], THEN, [], "the remote file has changed since the last attempt: starting over"),
    ],
    ids=["size", "time", "bytes", "rest ignored", "rest refused", "shorter"],
)
@pytest.mark.parametrize("pipelines", [True, False])
def test_resume_starts_over_if_the_remote_file_changed(
    client, tmp_path: Path, data: bytes, time: datetime, faults: list[str], note: str, pipelines: bool
) -> None:
    with server_of(DATA, CUT_ONCE) as server, pytest.raises(Incomplete):
        client(server).get("a", tmp_path, resume=True)
    with server_of(data, *faults, time=time) as server:
        begun = tmp_path / ".a.part.json"
        user = client(server)
        if not pipelines:
            user.servers[user.server_key].state.pipelines = False
        done = user.get("a", tmp_path, resume=True, sha256=True)
        assert not begun.exists()
        assert user.notes == [note]
    assert done.resumed_from is None
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert (tmp_path / "a").read_bytes() == data
    assert names(tmp_path) == ["a"]


def test_resume_starts_over_without_a_known_size(client, tmp_path: Path) -> None:
    with server_of(DATA, "SIZE:reply(550 no)", CUT_ONCE) as server:
        user = client(server)
        done = user.get("a", tmp_path, tries=2)
    assert done.resumed_from is None
    assert "the local part cannot be the beginning of the remote file: starting over" in user.notes
    assert (tmp_path / "a").read_bytes() == DATA


def test_replies_of_an_abandoned_transfer_are_not_used_for_later_commands(client, tmp_path: Path) -> None:
    """The remote file is another one: its transfer is abandoned, and its 426 is not the reply to SIZE."""
    data = {"old": DATA, "new": DATA[::-1], "tail": DATA[::-1][CUT - OVERLAP :]}
    with server_of(DATA, CUT_ONCE) as server, pytest.raises(Incomplete):
        client(server).get("a", tmp_path, resume=True)
    with (
        FtpScript(
            f"""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        C SIZE a
        C MDTM a
        C EPSV
        S 230 in
        S 230 in
        S 200 binary
        S 213 {len(DATA)}
        S 213 20240229120001
        S 229 (|||{{port}}|)
        C {REST}
        S 350 so
        C RETR a
        S 150 here
        DR $tail
        S 426 you left
        C SIZE a
        C MDTM a
        C EPSV
        S 213 {len(DATA)}
        S 213 20240229120001
        S 229 (|||{{port}}|)
        C RETR a
        S 150 here
        D $new
        S 226 done
        C QUIT
        """,
            data=data,
        ) as server,
        client(server) as user,
    ):
        done = user.get("a", tmp_path, resume=True)
        assert user.notes == ["the local part differs from the remote file: starting over"]
    assert (done.resumed_from, done.verified) == (None, "size")
    assert (tmp_path / "a").read_bytes() == DATA[::-1]


def test_unused_offset_does_not_apply_to_the_next_transfer(client, tmp_path: Path) -> None:
    """REST is accepted and RETR refused: a server may apply the offset to the next file."""
    with FtpServer({"a": DATA, "b": DATA}, times={"a": THEN}, faults=[CUT_ONCE, "RETR a+1:reply(550 no)x1"]) as server:
        user = client(server)
        with pytest.raises(NotFound):
            user.get("a", tmp_path, tries=2)
        assert user.get("b", tmp_path).verified == "size"
        said = server.log.commands()
        assert said[said.index(REST) :][:3] == [REST, "RETR a", "REST 0"]
    assert (tmp_path / "b").read_bytes() == DATA


def test_resume_ignores_the_part_of_another_remote_file(client, tmp_path: Path) -> None:
    with server_of(DATA, CUT_ONCE) as server, pytest.raises(Incomplete):
        client(server).get("a", tmp_path, resume=True)
    with FtpServer({"b/a": DATA}, times={"b/a": THEN}) as server:
        user = client(server)
        with user.local(tmp_path, "a", DownloadOptions(resume=True)) as local:
            local._remote_identity = {**local._remote_identity, "path": "b/a"}  # type: ignore[dict-item]
            done = user.ftp().get("b/a", local, DownloadOptions(resume=True), NO_PROGRESS)
        assert user.notes == ["the remote file has changed since the last attempt: starting over"]
    assert done.resumed_from is None


# Bounds


def test_max_size_is_checked_before_retr(client, tmp_path: Path) -> None:
    with server_of() as server:
        with pytest.raises(TooLarge) as caught:
            client(server).get("a", tmp_path, max_size=len(DATA) - 1)
        assert not [line for line in server.log.commands() if line.startswith("RETR")]
    assert caught.value.message == "a: the announced size is 200000 bytes, the limit is 199999 (--max-size)"
    assert names(tmp_path) == []


def test_max_size_is_checked_during_the_transfer(client, tmp_path: Path) -> None:
    with server_of(DATA, "SIZE:reply(550 no)") as server, pytest.raises(TooLarge, match="more than 1000 bytes came"):
        client(server).get("a", tmp_path, max_size=1000)
    assert names(tmp_path) == []


@pytest.mark.parametrize("faults", [[], ["SIZE:reply(550 no)"]])
def test_max_size_allows_a_file_of_exactly_the_limit(client, tmp_path: Path, faults: list[str]) -> None:
    with server_of(DATA, *faults) as server:
        assert client(server).get("a", tmp_path, max_size=len(DATA)).bytes == len(DATA)


@pytest.mark.parametrize("resume", [False, True])
def test_full_disk_is_detected_before_the_transfer(
    client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    monkeypatch.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_bavail=48, f_frsize=4096))
    with server_of() as server:
        with pytest.raises(LocalWrite, match="200000 bytes are needed, 196608 are free on the disk"):
            client(server).get("a", tmp_path, resume=resume)
        assert "RETR a" not in server.log.commands()
    assert names(tmp_path) == []


def test_limit_rate(client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    monkeypatch.setattr("inetcli.net.rate.RateLimiter.throttle", lambda _self, size, _limits: kept.append(size) or 0.0)
    with server_of() as server:
        client(server).get("a", tmp_path, rate=100_000)
    assert max(kept) <= 10_000
    assert sum(kept) == len(DATA)


# What is said about the file


def test_download_keeps_the_modification_time(client, tmp_path: Path) -> None:
    with server_of() as server:
        client(server).get("a", tmp_path)
        client(server).get("a", tmp_path, force=True, resume=True)
    assert (tmp_path / "a").stat().st_mtime == THEN.timestamp()


@pytest.mark.parametrize("reply", ["550 no", "213 nonsense", "213 20240230120001"])
def test_download_without_mdtm_has_the_current_time(client, tmp_path: Path, reply: str) -> None:
    with server_of(DATA, f"MDTM:reply({reply})") as server:
        client(server).get("a", tmp_path)
    assert (tmp_path / "a").stat().st_mtime > THEN.timestamp() + 1e6


def test_size_in_the_150_reply_is_checked(client, tmp_path: Path) -> None:
    faults = ["SIZE:reply(550 no)", "RETR:partial(226)@1000"]
    with (
        server_of(DATA, *faults, announce=True) as server,
        pytest.raises(Incomplete, match=r'1000 of 200000 bytes came, yet the server said "226 '),
    ):
        client(server).get("a", tmp_path)
    assert names(tmp_path) == []


def hashing(said: str, *behind: str) -> str:
    """A download whose hash is asked for: `said` = what FEAT tells, `behind` = what follows the transfer."""
    return "\n".join(
        [
            "S 220 hello\nC USER anonymous\nC PASS anonymous@\nC FEAT\nC OPTS UTF8 ON",
            f"S 230 in\nS 230 in\nS 211-these\nS  HASH {said}\nS 211 end\nS 200 ok",
            *behind,
        ]
    )


FETCHED = f"""
    C TYPE I
    C SIZE a
    C MDTM a
    C EPSV
    S 200 binary
    S 213 {len(DATA)}
    S 213 20240229120001
    S 229 (|||{{port}}|)
    C RETR a
    S 150 here
    D $a
    S 226 done
"""


@pytest.mark.parametrize(
    ("said", "name", "is_set"),
    [
        ("MD5;SHA-1*;SHA-512;SHA-256", "SHA-512", False),
        ("CRC32*;SHA-256", "SHA-256", False),
        ("sha-1*;MD5", "SHA-1", True),
        ("MD5*", "MD5", True),
    ],
)
@pytest.mark.parametrize("end", [len(DATA), len(DATA) - 1])
def test_verify_uses_the_strongest_common_hash(
    client, tmp_path: Path, said: str, name: str, is_set: bool, end: int
) -> None:
    digest = hashlib.new(HASHES[name], DATA).hexdigest().upper()
    options = [] if is_set else [f"C OPTS HASH {name}\nS 200 {name}"]
    asked = f"C HASH a\nS 213 {name} 0-{end} {digest} a\nC QUIT"
    script = hashing(said, *options, FETCHED, asked)
    with FtpScript(script, data={"a": DATA}) as server, client(server) as user:
        assert user.get("a", tmp_path, verify=True).verified == "hash"
    assert (tmp_path / "a").read_bytes() == DATA


RIGHT = hashlib.md5(DATA).hexdigest()


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (f"213 MD5 0-200000 {RIGHT[::-1]} a", Incomplete, "the server's MD5 of 200000 bytes is"),
        (f"213 MD5 0-100 {RIGHT} a", Incomplete, "the server's MD5 of 100 bytes is"),
        (f"213 SHA-1 0-200000 {RIGHT} a", Incomplete, "the server's SHA-1 of"),
        ("213 whatever", ProtocolViolation, "HASH: expected"),
        ("550 no", Refused, 'a: HASH refused: "550 no"'),
        ("502 no", Refused, 'a: HASH refused: "502 no"'),
    ],
)
def test_verify_fails_with_a_different_or_missing_hash(
    client, tmp_path: Path, reply: str, error: type[InetError], message: str
) -> None:
    script = hashing("MD5*", FETCHED, f"C HASH a\nS {reply}\nC QUIT")
    with FtpScript(script, data={"a": DATA}) as server, client(server) as user, pytest.raises(error, match=message):
        user.get("a", tmp_path, verify=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize("said", ["CRC32", ""])
def test_verify_fails_before_the_transfer_without_a_common_hash(client, tmp_path: Path, said: str) -> None:
    script = hashing(said, "C QUIT")
    with FtpScript(script) as server, client(server) as user, pytest.raises(Refused, match="--verify hash: the server"):
        user.get("a", tmp_path, verify=True)


# Refusals


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("RETR:reply(550 no such file)", NotFound),
        ("RETR:reply(550 a: Permission denied)", Denied),
        ("RETR:reply(550 access is denied)", Denied),
        ("RETR:reply(450 busy)", Refused),
        ("RETR:reply(426 aborted)", Refused),
        ("RETR:no_data(425 no)", Incomplete),
        ("RETR:no_data(226 done)", Incomplete),
        ("RETR:partial(426)@1000", Incomplete),
        ("RETR:partial(451)@1000", Incomplete),
        ("RETR:final_reply(552 odd)", Incomplete),
        ("RETR:reply(200 what?)", TimedOut),
        ("RETR:reply(331 what?)", Refused),
        ("RETR:refused_and_closed", NotFound),
        ("RETR:shutting_down@1000", Incomplete),
        ("SIZE:wrong_size(2)", Incomplete),
        ("SIZE:wrong_size(0.5)", Incomplete),
        ("RETR:reply(nonsense)", ProtocolViolation),
        ("RETR:rst@1000", Incomplete),
        ("RETR:silent@1000", TimedOut),
    ],
)
@pytest.mark.parametrize("old", [None, b"old"])
def test_failed_download_leaves_the_old_file(
    client, tmp_path: Path, fault: str, error: type[InetError], old: bytes | None
) -> None:
    if old is not None:
        (tmp_path / "a").write_bytes(old)
    limits = {"silence_s": 0.3} if fault in ("RETR:silent@1000", "RETR:reply(200 what?)") else None
    with server_of(DATA, fault) as server, pytest.raises(error):
        client(server, limits=limits).get("a", tmp_path, force=True)
    assert names(tmp_path) == ([] if old is None else ["a"])
    assert old is None or (tmp_path / "a").read_bytes() == old


@pytest.mark.parametrize(
    "fault",
    [
        "RETR:final_reply(250 done)",
        "RETR:data_before_opening",
        "RETR:early_final_reply@10",
        "RETR:late_final_reply(0.05)",
    ],
)
def test_harmless_deviations_are_accepted(client, tmp_path: Path, fault: str) -> None:
    with server_of(DATA, fault) as server:
        assert client(server).get("a", tmp_path).verified == "size"
    assert (tmp_path / "a").read_bytes() == DATA


def test_file_made_during_the_download_is_not_overwritten(client, tmp_path: Path) -> None:
    with server_of() as server:
        user = client(server)
        with user.local(tmp_path, "a", DownloadOptions()) as local:
            (tmp_path / "a").write_bytes(b"mine")
            with pytest.raises(FileExists):
                user.ftp().get("a", local, DownloadOptions(), NO_PROGRESS)
    assert (tmp_path / "a").read_bytes() == b"mine"


# Text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b"a\nb\rc\r\r\n\r", b"a\nb\rc\r\n\r"),
        (b"", b""),
        (b"x" * 300_000 + b"\r\n", b"x" * 300_000 + b"\n"),
    ],
)
def test_text_has_local_line_ends(client, tmp_path: Path, sent: bytes, kept: bytes) -> None:
    with (
        FtpScript(
            """
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE A
        C MDTM a
        C EPSV
        S 230 in
        S 230 in
        S 200 text
        S 213 20240229120001
        S 229 (|||{port}|)
        C RETR a
        S 150 here (7 bytes)
        D $sent
        S 226 done
        C QUIT
        """,
            data={"sent": sent},
        ) as server,
        client(server) as user,
    ):
        done = user.get("a", tmp_path, text=True, sha256=True)
    assert done.size is None
    assert done.sha256 == hashlib.sha256(kept).hexdigest()
    assert (tmp_path / "a").read_bytes() == kept


def test_resume_of_an_earlier_run_needs_the_modification_time(client, tmp_path: Path) -> None:
    """The same size does not prove that the file is the same, and its end may be the same, too."""
    changed = b"NEW" + DATA[3:]
    with server_of(DATA, CUT_ONCE, "MDTM:reply(502 no)") as server:
        with pytest.raises(Incomplete):
            client(server).get("a", tmp_path, resume=True)
        server.files["/a"] = changed
        user = client(server)
        assert user.get("a", tmp_path, resume=True).resumed_from is None
    assert user.notes == ["the server sends no modification time, so the remote file may have changed: starting over"]
    assert (tmp_path / "a").read_bytes() == changed


def test_resume_of_the_same_run_needs_no_modification_time(client, tmp_path: Path) -> None:
    with server_of(DATA, CUT_ONCE, "MDTM:reply(502 no)") as server:
        assert client(server).get("a", tmp_path, tries=2).resumed_from == CUT
    assert (tmp_path / "a").read_bytes() == DATA
