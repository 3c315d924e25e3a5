"""The phases of FTP follow one another, and events after the first byte of data do not change them."""

from pathlib import Path

import pytest
from support.program import inetcli

from inetcli.net.progress import NoProgress
from inetcli.net.trace import Span, Trace
from inetcli.payload import open_payload
from inetcli.protocols.ftp.model import UploadOptions
from mockservers import FtpServer

FILES = {"a": b"x" * 5000}


def ends_of(phases: dict[str, Span]) -> dict[str, float]:
    return {name: span.start + span.duration for name, span in phases.items()}


def test_the_phases_of_a_first_download_follow_one_another(client, tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        user = client(server)
        user.get("a", tmp_path)
    phases = user.sessions[0].trace.phases
    ends = ends_of(phases)
    assert set(phases) == {"resolve", "connect", "login", "commands", "first_byte"}
    assert phases["login"].start == pytest.approx(ends["connect"])
    assert phases["commands"].start == pytest.approx(ends["login"])
    assert phases["first_byte"].start == pytest.approx(ends["commands"])


def test_on_a_shared_connection_there_are_commands_and_no_login(client, tmp_path: Path) -> None:
    with FtpServer(FILES) as server:
        user = client(server)
        for _ in range(2):
            user.get("a", tmp_path, force=True)
    phases = user.sessions[1].trace.phases
    assert set(phases) == {"commands", "first_byte"}
    assert phases["commands"].start == 0
    assert phases["first_byte"].start == pytest.approx(ends_of(phases)["commands"])


def test_login_phase_continues_after_the_handshake(client, tmp_path: Path) -> None:
    with FtpServer(FILES, tls="explicit") as server:
        user = client(server)
        user.get("a", tmp_path)
    phases = user.sessions[0].trace.phases
    ends = ends_of(phases)
    assert set(phases) == {"resolve", "connect", "login", "tls", "commands", "first_byte"}
    assert phases["login"].start == pytest.approx(ends["connect"])
    assert phases["first_byte"].start == pytest.approx(ends["commands"])
    whole = ends["first_byte"] - phases["resolve"].start
    assert sum(span.duration for span in phases.values()) <= whole + 1e-6


@pytest.mark.parametrize("options", [{}, {"verify": True}])
def test_requests_after_the_data_do_not_change_the_phases(client, tmp_path: Path, options: dict[str, bool]) -> None:
    with FtpServer(FILES) as server:
        user = client(server)
        user.get("a", tmp_path, **options)
        trace = user.sessions[0].trace
        before = dict(trace.phases)
        user.ftp().peer.use(user.sessions[0], lambda control: control.ask("NOOP"))
    assert trace.phases == before


class Watched(NoProgress):
    """The progress of a transfer that notes the phases as they are behind each piece."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.phases: list[dict[str, Span]] = []

    def advance(self, size: int) -> None:
        if size:
            self.phases.append(dict(self.trace.phases))


def test_commands_phase_excludes_the_upload(client, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"x" * 5000)
    with FtpServer({"in/keep": b""}) as server, open_payload(str(tmp_path / "b")) as payload:
        user = client(server)
        ftp = user.ftp()
        progress = Watched(user.sessions[0].trace)
        ftp.put(payload, "in/b", UploadOptions(), progress)
        assert server.log.commands()[-1].startswith("RNTO")
    assert set(progress.trace.phases) == {"resolve", "connect", "login", "commands", "first_byte"}
    assert progress.phases == [progress.trace.phases]


@pytest.mark.parametrize(
    ("fault", "phases"),
    [
        ("RETR:reply(451 later)x1", ["commands", "first_byte", "total"]),
        ("connect:finx1", ["resolve", "connect", "login", "commands", "first_byte", "total"]),
    ],
)
def test_phases_of_another_try_are_those_of_its_connection(tmp_path: Path, fault: str, phases: list[str]) -> None:
    """The connection of the first try, which is used again, or another one."""
    with FtpServer(FILES, faults=[fault]) as server:
        done = inetcli("ftp", "get", "--json", "--timing", "--retries", "1", f"{server.url}/a", cwd=tmp_path)
    assert done.code == 0
    assert list(done.row["timing_ms"]) == phases
    assert "before" in done.err
    bars = [float(line.split(" ms")[0].split()[-1]) for line in done.err.splitlines() if " ms" in line]
    assert sum(bars[:-1]) == pytest.approx(bars[-1], abs=0.1 * len(bars))
