"""Targets of `-i` and lines of a FILE: as they arrive, within the limits."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inetcli.cli.inputs import MAX_TARGET, claim_stdin, input_lines, input_targets
from inetcli.errors import LocalRead, TimedOut, TooLarge, Usage
from inetcli.net.session import Network, Session, Timeouts


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def session(network: Network) -> Session:
    return network.session()


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A pipe with a name, and its end for writing."""
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    keep = os.open(path, os.O_RDWR)
    writer = os.open(path, os.O_WRONLY)
    yield path, writer
    os.close(writer)
    os.close(keep)


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "targets"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\r\n  b \n\tc", ["a", "b", "c"]),
        (b"\n # no\n#no\n \na b#c\n", ["a b#c"]),
        (b"gr\xc3\xbcn\n\xff\n", ["grün", "\udcff"]),
        (b'"quoted"\n', ['"quoted"']),
    ],
)
def test_targets_are_lines_that_are_neither_blank_nor_comments(
    content: bytes, targets: list[str], network: Network, tmp_path: Path
) -> None:
    assert list(input_targets(write(tmp_path / "list", content), network)) == targets


def test_a_target_has_a_limit(network: Network, tmp_path: Path) -> None:
    targets = input_targets(write(tmp_path / "list", b"a\n" + b"x" * (MAX_TARGET + 1)), network)
    assert next(targets) == "a"
    with pytest.raises(TooLarge):
        next(targets)


def test_a_target_is_there_as_soon_as_its_line_has_come(network: Network, fifo: tuple[str, int]) -> None:
    path, writer = fifo
    targets = input_targets(path, network)
    for name in ("one", "two"):
        os.write(writer, f"{name}\n".encode())
        assert next(targets) == name
    targets.close()  # type: ignore[attr-defined]


def test_lines_keep_everything_but_their_ends(session: Session, tmp_path: Path) -> None:
    path = write(tmp_path / "lines", b" a \r\n\n#b\n\xff\0c")
    assert list(input_lines(session, path, 100)) == [b" a ", b"", b"#b", b"\xff\0c"]


def test_lines_have_the_limit_that_they_are_given(session: Session, tmp_path: Path) -> None:
    lines = input_lines(session, write(tmp_path / "lines", b"1234\n12345\n"), 5)
    assert next(lines) == b"1234"
    with pytest.raises(TooLarge):
        next(lines)


def test_lines_that_do_not_come_have_the_time_of_their_target(fifo: tuple[str, int]) -> None:
    session = Network(timeouts=Timeouts(max_time_s=0.01)).session()
    with pytest.raises(TimedOut, match="--max-time"):
        next(input_lines(session, fifo[0], 100))


def test_a_file_that_cannot_be_opened_is_told_before_the_first_line(session: Session, network: Network) -> None:
    with pytest.raises(LocalRead, match="/nowhere/lines: cannot be read: No such file"):
        input_lines(session, "/nowhere/lines", 100)
    with pytest.raises(LocalRead, match="/nowhere/list: cannot be read: No such file"):
        next(input_targets("/nowhere/list", network))


def test_a_folder_cannot_be_read(session: Session, tmp_path: Path) -> None:
    with pytest.raises(LocalRead, match=f"{tmp_path}: cannot be read: Is a directory"):
        list(input_lines(session, str(tmp_path), 100))


@pytest.mark.parametrize("read", [0, 1, 2])
def test_the_file_is_closed_however_far_it_was_read(read: int, session: Session, tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    lines = input_lines(session, write(tmp_path / "lines", b"a\nb\n"), 100)
    for _ in range(read):
        next(lines)
    lines.close()  # type: ignore[attr-defined]
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("readers", [(), (None, None), (None, "-i -")])
def test_one_reader_may_claim_standard_input(readers: tuple[str | None, ...]) -> None:
    claim_stdin(*readers)


def test_the_second_claim_is_wrong_usage_and_names_both() -> None:
    with pytest.raises(Usage, match="-i - and FILE - cannot both read standard input"):
        claim_stdin("-i -", None, "FILE -")


def test_standard_input_that_is_closed_cannot_be_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    claim_stdin(None)
    with pytest.raises(LocalRead, match="standard input is closed"):
        claim_stdin("FILE -")
