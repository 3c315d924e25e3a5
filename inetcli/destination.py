"""The destination of a download.

A destination that is, or will be, a regular file gets its name in one step, when all is there and checked:

    open_destination -> write ... -> (the caller checks) -> commit      the file appears, or replaces the old one
                                  -> leave without commit              nothing was there, the old file is as it was

Until then the bytes are in a file without a name (O_TMPFILE), which the kernel drops with its last descriptor, so that
even SIGKILL leaves nothing. A link gives it its name, and never overwrites. Replacing takes two steps, a link to a
temporary name and a rename over the old file: a SIGKILL right between these two leaves the temporary. Where there are
no unnamed files (NFS, FAT, an old kernel, no /proc), the bytes are in a temporary beside the destination, made
exclusively and removed on every way out but SIGKILL. Where there are no hard links either (FAT), a name that appears in
the instant between the last look and the rename is overwritten.

A new file has the mode of the umask, one that replaces another has that one's mode; owner, ACLs and extended attributes
are those of a new file. There is no fsync: a file that was committed outlives the program, but perhaps not a power cut.

What exists and is not a regular file (a device, a FIFO) is written in place: there is nothing to commit or to undo. A
symlink is resolved first, also a dangling one, except below the folder of `open_in_folder`.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import ClassVar, Self

from inetcli.errors import FileExists, LocalWrite
from inetcli.wire.escape import abbreviate

MAX_NAME = 255
"""Bytes of one name: NAME_MAX of every file system in common use."""

_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f]")
_FOLDER_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
"""O_PATH: a folder that may be written but not listed is good enough."""


class Destination:
    """Where a download goes: a context manager, whose end without `commit` undoes everything.

    `fd` may be written to directly (os.splice, os.writev); what that raises belongs into `failure`. This class itself
    is what is written in place.
    """

    discards_on_failure: ClassVar[bool] = False
    """Whether an end without `commit` takes back what was written."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of it. `LocalWrite`: a full disk, a quota, a limit, a reader that went away."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        except OSError as error:
            raise self.failure(error) from error

    def failure(self, error: OSError) -> LocalWrite:
        """The error to raise for one that a call on `fd` gave."""
        return write_error(self.path, error)

    def restart(self) -> None:
        """What was written is not the beginning of the file after all: start over.

        Only where an end without `commit` would undo it (`discards_on_failure`).
        """
        try:
            os.ftruncate(self.fd, 0)
            os.lseek(self.fd, 0, os.SEEK_SET)
        except OSError as error:
            raise self.failure(error) from error

    def set_mtime(self, seconds: float) -> None:
        """Give a regular file this time of modification, in seconds since 1970; what is no such file has its own."""

    def commit(self) -> None:
        """All is there, and right: let it appear under its name. Once; then leave the `with`.

        `FileExists` when the name was taken meanwhile and may not be; `LocalWrite`. Both leave things as they were.
        """
        try:
            os.close(os.dup(self.fd))  # NFS and FUSE tell of a full disk or a quota only at close(2), of any duplicate
        except OSError as error:
            raise self.failure(error) from error

    def close(self) -> None:
        """What was not committed is gone. May be called more than once."""
        _close(self.fd)
        self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, BrokenPipeError):  # a FIFO's: what writes to `fd` leaves it to the owner of the pipe
            raise self.failure(error) from error


class _RegularFile(Destination):
    """A file that gets its name at the end. `temporary` is the name it has until then, None: none."""

    discards_on_failure = True

    def __init__(self, path: str, folder: int, name: str, *, force: bool, replaced: os.stat_result | None) -> None:
        super().__init__(path, -1)
        self._folder = folder
        self._name = name
        self._force = force
        self._temporary: str | None = None
        mode = 0o666 if replaced is None else replaced.st_mode & 0o777
        try:
            self.fd = self._open(mode)
            if replaced is not None:
                os.fchmod(self.fd, mode)  # the umask took bits away
        except OSError as error:
            self.close()
            raise self.failure(error) from error
        except BaseException:
            self.close()
            raise

    def set_mtime(self, seconds: float) -> None:
        set_time(self.fd, seconds)

    def commit(self) -> None:
        super().commit()
        try:
            self._take_name()
        except FileExistsError as error:
            raise exists_error(self.path) from error
        except OSError as error:
            raise self.failure(error) from error

    def close(self) -> None:
        super().close()
        self._remove_temporary()
        _close(self._folder)
        self._folder = -1

    def _open(self, mode: int) -> int:
        if hasattr(os, "O_TMPFILE"):
            try:
                fd = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode, dir_fd=self._folder)
            except OSError:
                pass  # no unnamed files here (EOPNOTSUPP, EISDIR), or a fault that the named one meets and reports
            else:
                if os.path.exists(f"/proc/self/fd/{fd}"):  # else there is no way to name it
                    return fd
                os.close(fd)
        self._temporary = _fresh_name()
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._temporary, flags, mode, dir_fd=self._folder)

    def _take_name(self) -> None:
        """Link; where that cannot be, rename. `FileExistsError` when the name is taken and may not be."""
        try:
            if self._temporary is None:
                self._link_unnamed(self._name)
            else:
                folder = self._folder
                os.link(self._temporary, self._name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            if not self._force:
                raise
        except OSError:
            if self._temporary is None:
                raise
            # No hard links here, or a fault that the rename meets and reports.
            if not self._force and entry_status(self._name, self._folder) is not None:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
        else:
            self._remove_temporary()
            return
        if self._temporary is None:
            self._temporary = _fresh_name()
            self._link_unnamed(self._temporary)
        os.rename(self._temporary, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self._temporary = None

    def _link_unnamed(self, name: str) -> None:
        # dst_dir_fd also makes os.link call linkat(2) with AT_SYMLINK_FOLLOW: link(2) would link /proc's own symlink.
        os.link(f"/proc/self/fd/{self.fd}", name, dst_dir_fd=self._folder, follow_symlinks=True)

    def _remove_temporary(self) -> None:
        name, self._temporary = self._temporary, None
        if name is not None:
            try:
                os.unlink(name, dir_fd=self._folder)
            except OSError:
                pass  # there is an error to be told already, or all went well; and nothing more can be done


def open_destination(path: str, *, force: bool = False, pause: Callable[[], None] | None = None) -> Destination:
    """The destination that the user named; to be called before anything is fetched.

    `FileExists` when there is a regular file and not `force` (`--skip-existing` catches it, here and at `commit`);
    `LocalWrite` when it cannot be written. A FIFO that nobody reads yet is tried again after each `pause`, which raises
    when its time is up; without a `pause` it is `LocalWrite` at once. It is never waited for in open(2), which has no
    limit.
    """
    try:
        if path.endswith("/"):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            existing = os.stat(path)
        except FileNotFoundError:
            if not path:
                raise
            existing = None
        if existing is not None and not stat.S_ISREG(existing.st_mode):
            return Destination(path, _open_in_place(path, pause))
        if existing is not None and not force:
            raise exists_error(path)
        folder, name = os.path.split(os.path.realpath(path))
        return _RegularFile(path, os.open(folder, _FOLDER_FLAGS), name, force=force, replaced=existing)
    except OSError as error:
        raise write_error(path, error) from error


def open_in_folder(folder: str, names: Sequence[str], *, force: bool = False) -> Destination:
    """A destination below a folder, by names that may come from a server: folders, and the file last.

    `folder` is the user's, and may lead through symlinks. Below it nothing is followed: a symlink among the folders is
    `LocalWrite`, one in the file's place counts as a file that exists. Folders that are missing are made, and stay.
    Each name must be what `safe_name` gives. Errors as for `open_destination`; a FIFO or device in the way is
    `LocalWrite`.
    """
    path = os.path.join(folder, *names)
    at = -1
    try:
        name = _checked(names[-1])
        at = descend(folder, names[:-1])
        existing = entry_status(name, at)
        link = existing is not None and stat.S_ISLNK(existing.st_mode)
        if existing is not None and not link and not stat.S_ISREG(existing.st_mode):
            raise LocalWrite(f"{path}: cannot be written: it exists, and is no regular file")
        if existing is not None and not force:
            raise exists_error(path)
        parent, at = at, -1  # it is the file's from here on, also when that fails
        return _RegularFile(path, parent, name, force=force, replaced=None if link else existing)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        _close(at)


def descend(folder: str, names: Sequence[str] = ()) -> int:
    """A descriptor of the folder that `names` lead to below `folder`, both made where they are missing.

    No symlink is followed on the way down. OSError; `LocalWrite` for what is no `safe_name`.
    """
    os.makedirs(folder or ".", exist_ok=True)
    at = os.open(folder or ".", _FOLDER_FLAGS)
    try:
        for name in names:
            below = _enter(at, _checked(name))
            os.close(at)
            at = below
        found, at = at, -1
        return found
    finally:
        _close(at)


def safe_name(remote_name: str) -> str:
    """A name from a server or a URL as the name of one local file.

    Control characters (C0, DEL, C1) are percent-encoded, as wget does: a raw ESC or newline in a file name harms
    terminals and scripts later on. Everything else stays, bytes that are not UTF-8 included. Two names that fall
    together by this meet `FileExists`, and nothing is lost. `LocalWrite` for what cannot be a name: empty, `.`, `..`,
    with a slash or a NUL, over 255 bytes, or not to be written in the locale's encoding.
    """
    name = _CONTROL.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), remote_name)
    return _checked(name)


def _open_in_place(path: str, pause: Callable[[], None] | None) -> int:
    """Open what is no regular file, without ever blocking in open(2); writing then blocks, as on standard output."""
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            # ENXIO from a FIFO: nobody reads. From a socket or a device: nothing there, now or later.
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if pause is None:
                raise LocalWrite(f"{path}: cannot be written: nobody has this FIFO open for reading") from error
            pause()
            continue
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise LocalWrite(f"{path}: cannot be written: became a regular file while it was being opened")
        os.set_blocking(fd, True)
        return fd


def _enter(above: int, name: str) -> int:
    """A folder below a folder, made if missing; never through a symlink (ENOTDIR)."""
    try:
        os.mkdir(name, dir_fd=above)
    except FileExistsError:
        pass
    return os.open(name, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=above)


def _checked(name: str) -> str:
    """The name, if it can be that of one file in a folder."""
    if objection := _objection(name):
        raise LocalWrite(f'"{abbreviate(name, 80)}" cannot be the name of a local file: {objection}')
    return name


def _objection(name: str) -> str | None:
    if not name:
        return "it is empty"
    if name in (".", ".."):
        return "it is a folder's"
    if "/" in name or "\0" in name:
        return "it holds a slash or a NUL"
    try:
        size = len(os.fsencode(name))
    except UnicodeEncodeError:
        return "the locale's encoding has no bytes for it"
    return f"it has {size} bytes, and {MAX_NAME} is the limit" if size > MAX_NAME else None


def set_time(fd: int, seconds: float) -> None:
    """Set a file's time of modification; one that the file system cannot hold is no failure."""
    try:
        os.utime(fd, (seconds, seconds))
    except (OSError, OverflowError, ValueError):
        pass


def entry_status(name: str, folder: int) -> os.stat_result | None:
    """What stands under a name in a folder, a symlink itself; None = nothing."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _fresh_name() -> str:
    """A name that nothing has: 64 random bits, and short, whatever the length of the final one."""
    return f".inetcli-{os.urandom(8).hex()}"


def exists_error(path: str) -> FileExists:
    """The error for a name that is taken."""
    return FileExists(f"{path}: exists already; --force replaces it, --skip-existing leaves it out")


def write_error(path: str, error: OSError) -> LocalWrite:
    """The error for a call that failed while a file was being written."""
    return LocalWrite(f"{path}: cannot be written: {error.strerror or error}")


def _close(fd: int) -> None:
    """Close what is open. Its errors come too late to matter: `commit` has asked for them."""
    if fd >= 0:
        try:
            os.close(fd)
        except OSError:
            pass
