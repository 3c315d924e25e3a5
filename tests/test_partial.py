"""The destination that is kept after a failure, and files that must not be taken for one."""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from inetcli.errors import FileExists, LocalWrite
from inetcli.partial import MAX_RECORD, PartFile, open_partial, open_partial_in_folder

RECORD = {"host": "h", "path": "gr\udcfcn", "size": 5, "time": None}


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> Iterator[None]:
    before = len(os.listdir("/proc/self/fd"))
    yield
    assert len(os.listdir("/proc/self/fd")) == before


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def begin(folder: Path, data: bytes = b"12345") -> None:
    with open_partial(str(folder / "a")) as part:
        part.write_record(RECORD)
        part.write(data)


def test_what_came_is_there_for_the_next_run(tmp_path: Path) -> None:
    begin(tmp_path)
    assert names(tmp_path) == [".a.part", ".a.part.json"]
    with open_partial(str(tmp_path / "a")) as part:
        assert (part.size_present, part.read_record()) == (5, RECORD)
        part.write(b"67")
        part.commit()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"1234567"


def test_nothing_that_came_leaves_nothing(tmp_path: Path) -> None:
    begin(tmp_path, b"")
    assert names(tmp_path) == []


def test_starting_over(tmp_path: Path) -> None:
    begin(tmp_path)
    with open_partial(str(tmp_path / "a")) as part:
        part.restart()
        assert part.size_present == 0
        part.write(b"x")
        part.commit()
    assert (tmp_path / "a").read_bytes() == b"x"


@pytest.mark.parametrize(
    "record",
    ["", "nonsense", "[]", "7", '"x"', "{", "[" * 5000, json.dumps({"x": "y" * MAX_RECORD}), "\udcff"],
)
def test_a_record_that_cannot_be_believed_tells_nothing(tmp_path: Path, record: str) -> None:
    begin(tmp_path)
    (tmp_path / ".a.part.json").write_bytes(record.encode("utf-8", "surrogateescape"))
    with open_partial(str(tmp_path / "a")) as part:
        assert part.read_record() == {}


def test_no_record_tells_nothing(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / ".a.part.json").unlink()
    with open_partial(str(tmp_path / "a")) as part:
        assert (part.size_present, part.read_record()) == (5, {})


def test_the_record_is_ours_alone_and_its_mode_tells(tmp_path: Path) -> None:
    begin(tmp_path)
    assert stat.S_IMODE((tmp_path / ".a.part.json").stat().st_mode) == 0o600


# What somebody else has put there


def plant(folder: Path, name: str, kind: str) -> Path:
    victim = folder / "victim"
    victim.write_bytes(b"precious")
    match kind:
        case "symlink":
            (folder / name).symlink_to(victim)
        case "dangling":
            (folder / name).symlink_to(folder / "nowhere")
        case "hard link":
            (folder / name).hardlink_to(victim)
        case "fifo":
            os.mkfifo(folder / name)
        case "folder":
            (folder / name).mkdir()
        case "foreign":
            (folder / name).write_bytes(b'{"size": 5}')
            os.chown(folder / name, 12345, -1)
    return victim


KINDS = [
    "symlink",
    "dangling",
    "hard link",
    "fifo",
    "folder",
    pytest.param("foreign", marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")),
]


@pytest.mark.parametrize("kind", KINDS)
def test_foreign_part_file_is_not_written_to(tmp_path: Path, kind: str) -> None:
    victim = plant(tmp_path, ".a.part", kind)
    before = names(tmp_path)
    with pytest.raises(LocalWrite, match=r"a: (\.a\.part cannot be used|cannot be written)"):
        open_partial(str(tmp_path / "a"))
    assert victim.read_bytes() == b"precious"
    assert names(tmp_path) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_that_is_not_ours_is_not_believed(tmp_path: Path, kind: str) -> None:
    victim = plant(tmp_path, ".a.part.json", kind)
    victim.write_text(json.dumps(RECORD))
    with open_partial(str(tmp_path / "a")) as part:
        assert part.read_record() == {}
        if kind != "folder":
            part.write_record(RECORD)  # a new one takes its place
    assert json.loads(victim.read_text()) == RECORD
    assert not (tmp_path / "nowhere").exists()


def test_a_part_that_another_program_has_just_begun_stays(tmp_path: Path) -> None:
    with open_partial(str(tmp_path / "a")) as part:
        with pytest.raises(LocalWrite, match="another program"):
            open_partial(str(tmp_path / "a"))
        part.write(b"mine")
        part.commit()
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_two_programs_do_not_write_into_one_part(tmp_path: Path) -> None:
    with open_partial(str(tmp_path / "a")) as part:
        part.write(b"mine")
        with pytest.raises(LocalWrite, match=r"another program is writing \.a\.part"):
            open_partial(str(tmp_path / "a"))
        other = os.open(tmp_path / ".a.part", os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(other)
    assert (tmp_path / ".a.part").read_bytes() == b"mine"


# The final name


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExists):
        open_partial(str(tmp_path / "a"))
    assert names(tmp_path) == ["a"]


def test_what_came_meanwhile_is_left_alone(tmp_path: Path) -> None:
    with open_partial(str(tmp_path / "a")) as part:
        part.write(b"new")
        (tmp_path / "a").write_bytes(b"old")
        with pytest.raises(FileExists):
            part.commit()
    assert (tmp_path / "a").read_bytes() == b"old"
    assert (tmp_path / ".a.part").read_bytes() == b"new"


def test_force_replaces_and_keeps_the_mode(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    with open_partial(str(tmp_path / "a"), force=True) as part:
        part.write(b"new")
        part.set_mtime(1000.0)
        part.commit()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert (tmp_path / "a").stat().st_mtime == 1000.0


def test_a_symlink_that_the_user_named_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "a").symlink_to("there/b")
    with open_partial(str(tmp_path / "a")) as part:
        part.write(b"x")
        part.commit()
    assert (tmp_path / "there" / "b").read_bytes() == b"x"
    assert (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("path", ["/dev/null", "folder", "new/", "missing/a", ""])
def test_what_cannot_be_taken_up(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(LocalWrite):
        open_partial(os.path.join(tmp_path, path))


def test_below_a_folder_nothing_is_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(LocalWrite):
        open_partial_in_folder(str(tmp_path / "in"), ["sub", "a"])
    with open_partial_in_folder(str(tmp_path / "in"), ["new", "a"]) as part:
        assert isinstance(part, PartFile)
        part.write(b"x")
        part.commit()
    assert (tmp_path / "in" / "new" / "a").read_bytes() == b"x"
    assert names(tmp_path / "outside") == []
