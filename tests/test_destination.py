"""The destination of a download, on real files, FIFOs, devices and signals. Only conditions that no machine can produce
on demand (a file system without unnamed files or hard links, an error of close) are simulated by replacing one call."""

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from inetcli.destination import Destination, open_destination, open_in_folder, safe_name
from inetcli.errors import FileExists, InetError, LocalWrite

OLD, NEW = b"old\n", b"new\n" * 1000


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def _no_descriptor_is_left() -> Iterator[None]:
    before = len(descriptors())
    yield
    assert len(descriptors()) == before


def _write_and_interrupt(destination: Destination) -> None:
    destination.write(NEW)
    raise KeyboardInterrupt


def _no_unnamed_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on NFS or FAT."""
    real = os.open

    def refuse(path: str, flags: int, *rest: Any, **keywords: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), path)
        return real(path, flags, *rest, **keywords)

    monkeypatch.setattr(os, "open", refuse)


def _no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a bare chroot."""
    real = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: not str(path).startswith("/proc/") and real(path))


def _no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on FAT."""
    _no_unnamed_files(monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)


WAYS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "unnamed": lambda _: None,
    "temporary": _no_unnamed_files,
    "no-proc": _no_proc,
    "no-links": _no_hard_links,
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to keep the bytes until they have their name."""
    WAYS[request.param](monkeypatch)
    name: str = request.param
    return name


# The name appears at the end, or not at all.


def test_new_file_appears_complete_at_commit(tmp_path: Path, way: str) -> None:
    path = tmp_path / "a.bin"
    with open_destination(str(path)) as destination:
        destination.write(NEW[:10])
        os.write(destination.fd, NEW[10:20])
        destination.write(memoryview(NEW)[20:])
        assert not path.exists()
        assert (os.listdir(tmp_path) == []) == (way == "unnamed")
        destination.commit()
        assert path.read_bytes() == NEW
        assert os.listdir(tmp_path) == ["a.bin"]
    assert os.listdir(tmp_path) == ["a.bin"]
    assert path.stat().st_nlink == 1


@pytest.mark.usefixtures("way")
def test_file_without_commit_leaves_nothing(tmp_path: Path) -> None:
    with open_destination(str(tmp_path / "a.bin")) as destination:
        destination.write(NEW)
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("way")
def test_replacement_shows_the_old_file_until_commit(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    reader = os.open(path, os.O_RDONLY)
    with open_destination(str(path), force=True) as destination:
        destination.write(NEW)
        assert path.read_bytes() == OLD
        destination.commit()
    assert os.read(reader, 100) == OLD  # whoever had it open keeps the old one, whole
    os.close(reader)
    assert path.read_bytes() == NEW
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.usefixtures("way")
def test_replacement_without_commit_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    before = path.stat()
    with pytest.raises(KeyboardInterrupt), open_destination(str(path), force=True) as destination:
        _write_and_interrupt(destination)
    after = path.stat()
    assert path.read_bytes() == OLD
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    assert os.listdir(tmp_path) == ["a.bin"]


def test_existing_file_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    with pytest.raises(FileExists, match=r"a\.bin: already exists; use --force") as caught:
        open_destination(str(path))
    assert caught.value.exit_code == 73
    assert path.read_bytes() == OLD


@pytest.mark.usefixtures("way")
def test_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with open_destination(str(path)) as destination:
        destination.write(NEW)
        path.write_bytes(OLD)
        with pytest.raises(FileExists):
            destination.commit()
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.usefixtures("way")
def test_dangling_link_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with open_destination(str(path)) as destination:
        path.symlink_to("nowhere")
        with pytest.raises(FileExists):
            destination.commit()
    assert os.listdir(tmp_path) == ["a.bin"]
    assert path.is_symlink()


@pytest.mark.usefixtures("way")
def test_file_that_appears_meanwhile_is_replaced_with_force(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with open_destination(str(path), force=True) as destination:
        destination.write(NEW)
        path.write_bytes(OLD)
        destination.commit()
    assert path.read_bytes() == NEW
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.usefixtures("way")
def test_folder_that_appears_meanwhile_is_an_error_with_force(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with open_destination(str(path), force=True) as destination:
        path.mkdir()
        with pytest.raises(LocalWrite, match="Is a directory"):
            destination.commit()
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.usefixtures("way")
def test_folder_that_goes_away_meanwhile_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with open_destination(str(folder / "a.bin")) as destination:
        destination.write(NEW)
        for name in os.listdir(folder):
            (folder / name).unlink()
        folder.rmdir()
        with pytest.raises(LocalWrite, match="No such file or directory"):
            destination.commit()


def test_folder_that_is_renamed_meanwhile_still_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    with open_destination(str(tmp_path / "before" / "a.bin")) as destination:
        destination.write(NEW)
        (tmp_path / "before").rename(tmp_path / "after")
        destination.commit()
    assert (tmp_path / "after" / "a.bin").read_bytes() == NEW


def test_longest_name_fits(tmp_path: Path, way: str) -> None:
    path = tmp_path / ("n" * 255)
    path.write_bytes(OLD)
    with open_destination(str(path), force=True) as destination:
        destination.write(NEW)
        destination.commit()
    assert path.read_bytes() == NEW, way


# The mode.


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_new_file_has_the_mode_of_the_umask(tmp_path: Path, mask: int, expected: int) -> None:
    with umask(mask), open_destination(str(tmp_path / "a.bin")) as destination:
        destination.commit()
    assert mode(tmp_path / "a.bin") == expected


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("old", [0o600, 0o666, 0o755, 0o444])
def test_replacement_has_the_mode_of_the_old_file(tmp_path: Path, old: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    path.chmod(old)
    with umask(0o022), open_destination(str(path), force=True) as destination:
        destination.write(NEW)
        destination.commit()
    assert mode(path) == old
    assert path.read_bytes() == NEW


def test_replacement_does_not_inherit_setuid(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    path.chmod(0o4755)
    with open_destination(str(path), force=True) as destination:
        destination.commit()
    assert mode(path) == 0o755


@pytest.mark.usefixtures("way")
def test_replacement_of_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(OLD)
    path.chmod(0o600)
    with umask(0), open_destination(str(path), force=True) as destination:
        assert stat.S_IMODE(os.fstat(destination.fd).st_mode) == 0o600


# Symlinks, devices, FIFOs, folders.


@pytest.mark.usefixtures("way")
def test_symlink_is_resolved_and_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.bin").write_bytes(OLD)
    link = tmp_path / "link"
    link.symlink_to("real/a.bin")
    with pytest.raises(FileExists):
        open_destination(str(link))
    with open_destination(str(link), force=True) as destination:
        destination.write(NEW)
        destination.commit()
    assert os.readlink(link) == "real/a.bin"
    assert (tmp_path / "real" / "a.bin").read_bytes() == NEW
    assert os.listdir(tmp_path / "real") == ["a.bin"]
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]


def test_dangling_symlink_gets_its_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("a.bin")
    with open_destination(str(link)) as destination:
        destination.write(NEW)
        destination.commit()
    assert link.is_symlink()
    assert (tmp_path / "a.bin").read_bytes() == NEW


def test_circle_of_symlinks_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(LocalWrite, match="symbolic links"):
        open_destination(str(tmp_path / "a"))


def test_dev_null_is_written_in_place() -> None:
    with open_destination("/dev/null") as destination:
        destination.write(NEW)
        destination.commit()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_dev_full_is_local_write() -> None:
    with (
        open_destination("/dev/full") as destination,
        pytest.raises(LocalWrite, match="/dev/full: cannot be written: No space left on device") as caught,
    ):
        destination.write(NEW)
    assert caught.value.exit_code == 23


def test_fifo_without_a_reader_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(LocalWrite, match="no process has this FIFO open for reading"):
        open_destination(str(tmp_path / "fifo"))


def test_fifo_is_tried_again_until_pause_raises(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    pauses: list[int] = []

    class TimeIsUp(InetError):
        pass

    def pause() -> None:
        pauses.append(1)
        if len(pauses) == 3:
            raise TimeIsUp("time is up")

    with pytest.raises(TimeIsUp):
        open_destination(str(tmp_path / "fifo"), pause=pause)
    assert len(pauses) == 3


def test_fifo_gets_the_bytes_when_its_reader_comes(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    readers: list[int] = []

    def pause() -> None:
        readers.append(os.open(path, os.O_RDONLY | os.O_NONBLOCK))

    got: list[bytes] = []
    with open_destination(str(path), pause=pause) as destination:
        os.set_blocking(readers[0], True)
        reader = threading.Thread(target=lambda: got.extend(iter(lambda: os.read(readers[0], 1 << 16), b"")))
        reader.start()
        data = NEW * 500  # more than a pipe holds: writing waits for the reader
        destination.write(data)
        destination.commit()
    reader.join()
    os.close(readers[0])
    assert b"".join(got) == data
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_fifo_whose_reader_leaves_is_local_write(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with open_destination(str(path)) as destination:
        os.close(reader)
        with pytest.raises(LocalWrite, match="Broken pipe"):
            destination.write(NEW)


def test_descriptor_of_a_pipe_is_written_in_place() -> None:
    read, write = os.pipe()
    with open_destination(f"/dev/fd/{write}") as destination:
        destination.write(b"x")
        destination.commit()
    assert os.read(read, 10) == b"x"
    os.close(read)
    os.close(write)


def test_broken_pipe_that_a_direct_write_lets_through_is_local_write(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    destination = open_destination(str(path))
    os.close(reader)
    with pytest.raises(LocalWrite, match="fifo: cannot be written: Broken pipe"), destination:
        os.write(destination.fd, NEW)


@pytest.mark.parametrize("name", ["", "/", "folder", "folder/", "new/", "link", ".", ".."])
def test_folder_is_no_destination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LocalWrite, match="No such file or directory" if not name else "Is a directory"):
        open_destination(name, force=True)
    assert sorted(os.listdir(tmp_path)) == ["folder", "link"]


def test_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalWrite, match=r"missing/a\.bin: cannot be written: No such file or directory"):
        open_destination(str(tmp_path / "missing" / "a.bin"))


def test_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OLD)
    with pytest.raises(LocalWrite, match="Not a directory"):
        open_destination(str(tmp_path / "a" / "b"))


CHILD = """
import os, signal, sys
from inetcli.errors import InetError
from inetcli.destination import open_destination
{setup}
try:
    with open_destination(sys.argv[1], force=True) as destination:
        destination.write(b"x" * 9000)
        print("written", flush=True)
        {middle}
        destination.write(b"x" * 9000)
        destination.commit()
except InetError as error:
    print(error.exit_code, error.message)
"""

NO_UNNAMED = """
import errno
real = os.open
def refuse(path, flags, *rest, **keywords):
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        raise OSError(errno.EOPNOTSUPP, "not here")
    return real(path, flags, *rest, **keywords)
os.open = refuse
"""


def child(path: Path, *, setup: str = "", middle: str = "signal.pause()") -> "subprocess.Popen[str]":
    code = CHILD.format(setup=setup, middle=middle)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("old", [None, OLD])
@pytest.mark.parametrize(
    ("number", "setup"),
    [(signal.SIGKILL, ""), (signal.SIGINT, ""), (signal.SIGINT, NO_UNNAMED)],
    ids=["sigkill", "ctrl-c", "ctrl-c-temporary"],
)
def test_signal_in_the_middle_leaves_nothing(tmp_path: Path, number: int, setup: str, old: bytes | None) -> None:
    path = tmp_path / "a.bin"
    if old is not None:
        path.write_bytes(old)
    with child(path, setup=setup) as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == -number
    assert os.listdir(tmp_path) == ([] if old is None else ["a.bin"])
    assert old is None or path.read_bytes() == old


def test_ctrl_c_ends_a_write_to_a_fifo_that_nobody_empties(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with child(path, middle="destination.write(bytes(1 << 20))") as process:
        assert process.stdout
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    os.close(reader)
    assert process.returncode == -signal.SIGINT


# A full disk.


@pytest.mark.parametrize("setup", ["", NO_UNNAMED], ids=["unnamed", "temporary"])
def test_file_size_limit_is_local_write_and_leaves_nothing(tmp_path: Path, setup: str) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
    path = tmp_path / "a.bin"
    with child(path, setup=limit + setup, middle="") as process:
        out, err = process.communicate(timeout=20)
    assert (out, err) == (f"written\n23 {path}: cannot be written: File too large\n", "")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize("setup", ["", NO_UNNAMED], ids=["unnamed", "temporary"])
def test_full_disk_is_local_write_and_keeps_the_old_file(tmp_path: Path, setup: str) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this root may not mount")
    try:
        path = tmp_path / "a.bin"
        path.write_bytes(OLD)
        with child(path, setup=setup, middle="") as process:
            out, err = process.communicate(timeout=20)
        assert (out, err) == (f"written\n23 {path}: cannot be written: No space left on device\n", "")
        assert os.listdir(tmp_path) == ["a.bin"]
        assert path.read_bytes() == OLD
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_write_goes_on_after_a_partial_write(tmp_path: Path) -> None:
    """A limit in the middle of one write: the kernel takes what fits, and the rest is the error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_destination(str(tmp_path / "a.bin")) as destination:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with pytest.raises(LocalWrite, match="File too large"):
                destination.write(bytes(150))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert os.fstat(destination.fd).st_size == 100
        destination.write(bytes(50))
        destination.commit()
    assert (tmp_path / "a.bin").stat().st_size == 150


@pytest.mark.usefixtures("way")
def test_quota_told_only_at_close_is_local_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As NFS does: write(2) succeeds, close(2) of the duplicate says EDQUOT."""
    duplicates: list[int] = []
    real_dup, real_close = os.dup, os.close

    def dup(fd: int) -> int:
        duplicates.append(real_dup(fd))
        return duplicates[-1]

    def close(fd: int) -> None:
        real_close(fd)
        if fd in duplicates:
            duplicates.remove(fd)
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "dup", dup)
    monkeypatch.setattr(os, "close", close)
    with open_destination(str(tmp_path / "a.bin")) as destination:
        destination.write(NEW)
        with pytest.raises(LocalWrite, match="Disk quota exceeded"):
            destination.commit()
    assert os.listdir(tmp_path) == []


def test_folder_that_may_not_be_written_is_local_write(tmp_path: Path) -> None:
    """Root may write everywhere, so a child that is nobody tries."""
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        drop = "os.chdir(os.path.dirname(sys.argv[1])); sys.argv[1] = 'a.bin'; os.setgroups([]); os.setuid(65534)"
        path = "a.bin"
    else:
        drop, path = "", str(folder / "a.bin")
    with child(folder / "a.bin", setup=drop, middle="") as process:
        out, err = process.communicate(timeout=20)
    assert (out, err) == (f"23 {path}: cannot be written: Permission denied\n", "")


# Below a folder, by names from a server.


@pytest.mark.usefixtures("way")
def test_folders_are_made_below_the_folder(tmp_path: Path) -> None:
    with open_in_folder(str(tmp_path / "x" / "y"), ["a", "b", "c.bin"]) as destination:
        assert destination.path == str(tmp_path / "x" / "y" / "a" / "b" / "c.bin")
        destination.write(NEW)
        destination.commit()
    assert (tmp_path / "x" / "y" / "a" / "b" / "c.bin").read_bytes() == NEW


def test_folder_itself_may_be_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with open_in_folder(str(tmp_path / "link"), ["a"]) as destination:
        destination.commit()
    assert os.listdir(tmp_path / "real") == ["a"]


@pytest.mark.parametrize("force", [False, True])
def test_link_among_the_folders_is_not_followed(tmp_path: Path, force: bool) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "sub").symlink_to("../outside")
    with pytest.raises(LocalWrite, match=r"Not a directory|symbolic links"):
        open_in_folder(str(tmp_path / "inside"), ["sub", "a"], force=force)
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("outside", ["victim", "missing"])
def test_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path, outside: str) -> None:
    (tmp_path / "victim").write_bytes(OLD)
    link = tmp_path / "inside" / "a"
    link.parent.mkdir()
    link.symlink_to(f"../{outside}")
    with pytest.raises(FileExists):
        open_in_folder(str(tmp_path / "inside"), ["a"])
    with umask(0o022), open_in_folder(str(tmp_path / "inside"), ["a"], force=True) as destination:
        destination.write(NEW)
        destination.commit()
    assert not link.is_symlink()
    assert (link.read_bytes(), mode(link)) == (NEW, 0o644)
    assert (tmp_path / "victim").read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["inside", "victim"]


@pytest.mark.parametrize("names", [[".."], ["..", "a"], ["a/b"], ["/etc", "a"], [""], ["sub", "."], ["a\0"]])
def test_name_that_leads_elsewhere_is_refused(tmp_path: Path, names: list[str]) -> None:
    (tmp_path / "inside").mkdir()
    with pytest.raises(LocalWrite, match="cannot be used as a local file name"):
        open_in_folder(str(tmp_path / "inside"), names, force=True)
    assert os.listdir(tmp_path) == ["inside"]


def test_existing_file_below_the_folder_is_refused_without_force(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OLD)
    (tmp_path / "a").chmod(0o640)
    with pytest.raises(FileExists):
        open_in_folder(str(tmp_path), ["a"])
    with open_in_folder(str(tmp_path), ["a"], force=True) as destination:
        destination.commit()
    assert mode(tmp_path / "a") == 0o640


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_below_the_folder_is_left_alone(tmp_path: Path, force: bool, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(tmp_path / "a")
    else:
        (tmp_path / "a").mkdir()
    before = (tmp_path / "a").stat()
    with pytest.raises(LocalWrite, match="exists and is not a regular file"):
        open_in_folder(str(tmp_path), ["a"], force=force)
    assert (tmp_path / "a").stat().st_ino == before.st_ino


def test_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OLD)
    with pytest.raises(LocalWrite, match="Not a directory"):
        open_in_folder(str(tmp_path), ["a", "b"])
    with pytest.raises(LocalWrite, match=r"File exists|Not a directory"):
        open_in_folder(str(tmp_path / "a"), ["b"])


# Names.


@pytest.mark.parametrize(
    ("remote", "local"),
    [
        ("a.bin", "a.bin"),
        (".profile", ".profile"),
        ("...", "..."),
        ("-rf", "-rf"),
        ("a b~", "a b~"),
        ("\\", "\\"),
        ("100%", "100%"),
        ("\x1b[2J", "%1B[2J"),
        ("a\nb\r\t", "a%0Ab%0D%09"),
        ("\x7f\x9b", "%7F%C2%9B"),
        ("größe", "größe"),
        ("\udcff\udc80", "\udcff\udc80"),
        ("n" * 255, "n" * 255),
        ("é" * 127, "é" * 127),
    ],
)
def test_safe_name_of_what_can_be_a_file(tmp_path: Path, remote: str, local: str) -> None:
    assert safe_name(remote) == local
    with open_in_folder(str(tmp_path), [safe_name(remote)]) as destination:
        destination.commit()
    assert os.listdir(os.fsencode(tmp_path)) == [os.fsencode(local)]


@pytest.mark.parametrize(
    ("remote", "why"),
    [
        ("", "the name is empty"),
        (".", "the name is reserved for a folder"),
        ("..", "the name is reserved for a folder"),
        ("a/b", "the name contains a slash or a NUL"),
        ("/etc/passwd", "the name contains a slash or a NUL"),
        ("../a", "the name contains a slash or a NUL"),
        ("a\0b", "the name contains a slash or a NUL"),
        ("n" * 256, "the name has 256 bytes, the limit is 255"),
        ("é" * 128, "the name has 256 bytes, the limit is 255"),
        ("\x01" * 86, "the name has 258 bytes, the limit is 255"),
        ("\ud800", "the name cannot be encoded in the locale's encoding"),
    ],
)
def test_safe_name_refuses_invalid_names(remote: str, why: str) -> None:
    with pytest.raises(LocalWrite, match="cannot be used as a local file name") as caught:
        safe_name(remote)
    assert caught.value.message.endswith(f": {why}")


# What is sent.


def test_import_stays_light() -> None:
    code = "import sys; before = set(sys.modules); import inetcli.destination; print(*(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"tempfile", "random", "shutil", "pathlib", "json", "click", "socket", "threading", "time"}
    assert not heavy & set(ran.stdout.split())
