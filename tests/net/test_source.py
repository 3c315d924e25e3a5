"""Lines from a descriptor as they arrive, with a limit for each line and a deadline."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from inetcli.errors import LocalRead, TimedOut, TooLarge
from inetcli.net.deadline import Deadline
from inetcli.net.source import read_lines
from inetcli.net.wait import Cancel, Cancelled


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def lines_of(descriptor: int, cancel: Cancel, deadline: Deadline | None = None) -> Iterator[bytes]:
    return read_lines(descriptor, deadline or Deadline(), cancel, limit=20, name="list.txt")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"one\ntwo\r\n\nthree", [b"one", b"two", b"", b"three"]),
        (b"one\n", [b"one"]),
        (b"\n", [b""]),
        (b"x" * 19 + b"\n", [b"x" * 19]),
        (b"x" * 19, [b"x" * 19]),
    ],
)
def test_the_lines_of_a_file(tmp_path: Path, cancel: Cancel, content: bytes, lines: list[bytes]) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    assert list(lines_of(descriptor, cancel)) == lines
    os.close(descriptor)


def test_a_line_is_yielded_when_it_arrives_though_the_pipe_stays_open(pipe, cancel: Cancel) -> None:
    reading, writing = pipe
    lines = lines_of(reading, cancel)
    os.write(writing, b"one\ntwo\nthr")
    assert [next(lines), next(lines)] == [b"one", b"two"]
    os.write(writing, b"ee\n")
    assert next(lines) == b"three"


@pytest.mark.parametrize("line", [b"x" * 20 + b"\n", b"x" * 20])
def test_a_line_beyond_the_limit_is_an_error(pipe, cancel: Cancel, line: bytes) -> None:
    reading, writing = pipe
    os.write(writing, b"one\n" + line)
    lines = lines_of(reading, cancel)
    assert next(lines) == b"one"
    with pytest.raises(TooLarge, match=r"a line of list\.txt exceeds 20 bytes"):
        next(lines)


def test_waiting_ends_with_the_deadline_or_cancel(pipe, cancel: Cancel) -> None:
    with pytest.raises(TimedOut, match="--max-time"):
        next(lines_of(pipe[0], cancel, Deadline().within(0.01, "over (--max-time)")))
    cancel.set()
    with pytest.raises(Cancelled):
        next(lines_of(pipe[0], cancel))


def test_a_descriptor_that_cannot_be_read_is_an_error(tmp_path: Path, cancel: Cancel) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(LocalRead) as caught:
        next(lines_of(descriptor, cancel))
    os.close(descriptor)
    assert caught.value.message == "list.txt: cannot be read: Is a directory"
