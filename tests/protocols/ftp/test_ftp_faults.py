"""Every way in which the mock server goes wrong, against a download, an upload and a listing.

Whatever happens: an error for an error, the true bytes for what is harmless, nothing under the final name that is not
whole, nothing left that nobody is told of, and all of it in time. Which of them each fault is stands in a table, so
that a fault that is added has to be thought about.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from inetcli.errors import InetError
from mockservers import FtpServer, PyftpdlibServer, faults
from mockservers.faulttext import parse_fault

DATA = bytes(range(256)) * 40
SHORT = {"silence_s": 0.3, "connect_s": 0.3}
LONG = {"silence_s": 4.0, "connect_s": 4.0}
LIMIT_S = 5.0
"""The limit in seconds for each conversation; the slowest sends one byte at a time."""


@dataclass(frozen=True)
class Case:
    """What a fault comes to: exit codes of get, put and ls, 0 = done. `also`: what else has to go wrong for it to be
    met; `waits`: a limit has to pass before it is met; `tls` = inside TLS."""

    get: int
    put: int
    ls: int
    also: tuple[str, ...] = ()
    active: bool = False
    waits: bool = False
    tls: str | None = None

    @property
    def limits(self) -> dict[str, float]:
        """The short limits only where one of them passes: on a busy machine every reply may take a while."""
        return SHORT if self.waits or 28 in (self.get, self.put, self.ls) else LONG


NO_EPSV = ("EPSV:reply(500 no)",)
NO_MLSD = ("MLSD:reply(500 no)",)
CASES = {
    "refuse": Case(7, 7, 7),
    "blackhole": Case(28, 28, 28),
    "silent": Case(28, 28, 28),
    "delay": Case(0, 0, 0),
    "drip": Case(0, 0, 0),
    "slice": Case(0, 0, 0),
    "fin": Case(52, 52, 52),
    "rst": Case(56, 56, 56),
    "half_close": Case(52, 52, 52),
    "garbage": Case(28, 28, 28),
    "long_line": Case(63, 63, 63),
    "reply": Case(78, 25, 0),
    "dead_port": Case(0, 0, 0),
    "blackhole_port": Case(0, 0, 0, waits=True),
    "other_address": Case(0, 0, 0, NO_EPSV),
    "never_connects": Case(28, 28, 28, ("EPRT:reply(500 no)",), active=True),
    "epsv_refused": Case(0, 0, 0),
    "no_data": Case(18, 18, 18),
    "partial": Case(18, 18, 0),
    "wrong_size": Case(18, 18, 0),
    "rest_ignored": Case(0, 0, 0),
    "data_before_opening": Case(0, 28, 0),
    "no_final_reply": Case(0, 28, 28),
    "late_final_reply": Case(0, 0, 0),
    "early_final_reply": Case(0, 0, 0),
    "final_reply": Case(0, 0, 0),
    "no_reply": Case(28, 28, 0),
    "reply_twice": Case(0, 0, 0),
    "endless_reply": Case(63, 63, 63),
    "unimplemented": Case(0, 0, 0),
    "refused_and_closed": Case(78, 52, 52),
    "shutting_down": Case(18, 18, 19),
    "pipelined_dropped": Case(0, 0, 0, waits=True),
    "listing_climbs": Case(0, 0, 0, NO_MLSD),
    "listing_absolute": Case(0, 0, 0, NO_MLSD),
    "listing_of_itself": Case(0, 0, 0, NO_MLSD),
    "listing_escapes": Case(0, 0, 0, NO_MLSD),
    "listing_cr": Case(0, 0, 0, NO_MLSD),
    "listing_nul": Case(0, 0, 0, NO_MLSD),
    "listing_raw_bytes": Case(0, 0, 0, NO_MLSD),
    "listing_huge": Case(0, 0, 0, NO_MLSD),
    "listing_endless": Case(0, 0, 63, NO_MLSD),
    "listing_link_then_folder": Case(0, 0, 0, NO_MLSD),
}
ONLY_ELSEWHERE = {
    "get": ("rest_ignored", "unimplemented", "listing_"),
    "put": ("rest_ignored", "unimplemented", "listing_"),
    "ls": ("rest_ignored", "wrong_size", "partial", "no_reply"),
}
"""Faults that a command may not trigger, because their trigger does not occur."""

TRANSFER = {"get": "RETR", "put": "STOR", "ls": "MLSD"}


def name_of(fault: str) -> str:
    return parse_fault(fault).fault.name


def test_every_fault_has_a_case() -> None:
    assert set(map(name_of, faults("ftp"))) == set(CASES)


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < LIMIT_S


def do(command: str, user, folder: Path) -> None:
    """The command, and that what it gives is true."""
    if command == "get":
        try:
            user.get("pub/a.bin", folder)
        except InetError:
            assert list(folder.iterdir()) == []
            raise
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.bin": DATA}
    elif command == "put":
        (folder / "a.bin").write_bytes(DATA)
        user.put(folder / "a.bin", "in/b")
    else:
        assert "a.bin" in [entry.name for entry in user.ftp().list("pub").entries]


@pytest.mark.parametrize("command", TRANSFER)
@pytest.mark.parametrize("fault", faults("ftp"))
def test_fault(client: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, command: str) -> None:
    case = CASES[name_of(fault)]
    monkeypatch.setattr("inetcli.protocols.ftp.transfer.MAX_ROWS", 3000)
    armed = fault.replace("RETR:", f"{TRANSFER[command]}:").replace("huge(100000)", "huge(2500)")
    armed = armed.replace("(0.5)", "(0.02)").replace("drip(0.01)", "drip(0.0001)")
    with FtpServer({"pub/a.bin": DATA, "in/b": b"old"}, faults=[armed, *case.also]) as server:
        user = client(server, active=case.active, limits=case.limits)
        expected = getattr(case, command)
        with in_time():
            if expected:
                with pytest.raises(InetError) as caught:
                    do(command, user, tmp_path)
                assert caught.value.exit_code == expected, caught.value.message
            else:
                do(command, user, tmp_path)
        left = {path for path in server.files if path.startswith("/in/.b.")}
        assert server.files["/in/b"] == (DATA if command == "put" and not expected else b"old")
        assert not left or any("may be left on the server" in note for note in user.notes)
        if not name_of(fault).startswith(ONLY_ELSEWHERE[command]):
            assert server.problems() == []


INSIDE_TLS = {
    "clear_text": (8, 8, 8),
    "clear_data": (35, 28, 35),
    "reuse_required": (0, 0, 0),
}


@pytest.mark.parametrize("command", TRANSFER)
@pytest.mark.parametrize("name", INSIDE_TLS)
def test_fault_inside_tls(client: Callable, tmp_path: Path, name: str, command: str) -> None:
    (fault,) = (fault for fault in faults("ftpes") if name_of(fault) == name)
    armed = fault.replace("RETR:", f"{TRANSFER[command]}:")
    with FtpServer({"pub/a.bin": DATA, "in/b": b"old"}, tls="explicit", faults=[armed]) as server:
        user = client(server, limits={"silence_s": 1.0})
        expected = INSIDE_TLS[name][list(TRANSFER).index(command)]
        with in_time():
            if expected:
                with pytest.raises(InetError) as caught:
                    do(command, user, tmp_path)
                assert caught.value.exit_code == expected, (caught.value.exit_code, caught.value.message)
            else:
                do(command, user, tmp_path)
        assert server.files["/in/b"] == (DATA if command == "put" and not expected else b"old")


@pytest.mark.parametrize("tls", [None, "explicit"])
@pytest.mark.parametrize("active", [False, True])
def test_conversations_with_pyftpdlib(client: Callable, tmp_path: Path, tls: str | None, active: bool) -> None:
    big = bytes(range(256)) * 1024
    with PyftpdlibServer({"pub/a.bin": big, "in/b": b"old"}, tls=tls) as server:
        user = client(server, active=active)
        root = Path(server.root)
        done = user.get("pub/a.bin", tmp_path)
        assert (done.bytes, done.verified, done.final) == (len(big), "size", "226")
        assert (tmp_path / "a.bin").read_bytes() == big
        assert user.put(tmp_path / "a.bin", "in/b").verified == "size"
        assert (root / "in" / "b").read_bytes() == big
        assert int((root / "in" / "b").stat().st_mtime) == int((tmp_path / "a.bin").stat().st_mtime)
        user.put(tmp_path / "a.bin", "in/c", resume=True)
        user.put(tmp_path / "a.bin", "in/new/deep/d", mkdirs=True)
        user.put(tmp_path / "a.bin", "in/new/deep/d", append=True)
        assert (root / "in" / "c").read_bytes() == big
        assert (root / "in" / "new" / "deep" / "d").read_bytes() == big + big
        assert sorted(entry.name for entry in user.ftp().list("in").entries) == ["b", "c", "new"]
        user.ftp().move("in/c", "in/e")
        user.ftp().remove("in/e")
        user.ftp().make_folder("in/x/y", parents=True)
        user.ftp().remove_folder("in/x/y")
        assert sorted(path.name for path in (root / "in").iterdir()) == ["b", "new", "x"]
        assert user.ftp().working_folder() == "/"
        (tmp_path / ".a.bin.part").write_bytes(big[:200_000])
        with pytest.raises(InetError) as caught:
            user.ftp().list("nope")
        assert caught.value.exit_code == 78
    assert user.notes == []
