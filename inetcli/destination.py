"""The destination of a download.

A destination that is, or will be, a regular file gets its name in one step, after all data has arrived and was checked:

    open_destination -> write ... -> (the caller checks) -> commit      the file appears, or replaces the old one
                                  -> exit without commit               no file appears, an old file is unchanged

Until then the bytes are in a file without a name (O_TMPFILE). The kernel removes such a file with its last descriptor,
so that even SIGKILL leaves nothing. `commit` links it to its name; a link never overwrites. Replacing takes two steps,
a link to a temporary name and a rename over the old file: a SIGKILL between the two leaves the temporary file. Where
unnamed files are not supported (NFS, FAT, an old kernel, no /proc), the bytes are in a temporary file beside the
destination, created exclusively and removed on every exit except SIGKILL. Where hard links are not supported either
(FAT), a file that appears between the last check and the rename is overwritten.

A new file gets its mode from the umask; a replacement gets the mode of the old file. Owner, ACLs and extended
attributes are those of a new file. There is no fsync: a committed file survives the end of the program, but not always
a power failure.

An existing file that is not a regular file (a device, a FIFO) is written in place: there is nothing to commit or to
undo. A symlink is resolved first, also a dangling one, except below the folder of `open_in_folder`.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import ClassVar, Self

from inetcli.errors import FileExists, LocalWrite, write_error
from inetcli.wire.escape import abbreviate

MAX_NAME = 255
"""Bytes of one file name: NAME_MAX of every file system in common use."""

_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f]")
_FOLDER_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
"""O_PATH: also opens a folder that can be written but not listed."""


class Destination:
    """The file that receives a download: a context manager that discards everything on exit without `commit`.

    `fd` may be written to directly (os.splice, os.writev); pass the OSError of such a call to `failure`. This base
    class writes in place.
    """

    discards_on_failure: ClassVar[bool] = False
    """Whether an exit without `commit` discards the written bytes."""

    def __init__(self, path: str, fd: int) -> None:
        self.path = path
        self.fd = fd

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all bytes. `LocalWrite`: disk full, quota, size limit, or a closed pipe."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        except OSError as error:
            raise self.write_error(error) from error

    def write_error(self, error: OSError) -> LocalWrite:
        """Return the error to raise for an OSError of a call on `fd`."""
        return write_error(self.path, error)

    def restart(self) -> None:
        """Discard the bytes written so far and start again at the beginning.

        Only if `discards_on_failure` is true.
        """
        try:
            os.ftruncate(self.fd, 0)
            os.lseek(self.fd, 0, os.SEEK_SET)
        except OSError as error:
            raise self.write_error(error) from error

    def set_mtime(self, seconds: float) -> None:
        """Set the modification time of a regular file, in seconds since 1970. No-op for other files."""

    def commit(self) -> None:
        """Give the complete and checked file its name. Call once, then leave the `with` block.

        `FileExists` if the name was taken in the meantime and may not be replaced; `LocalWrite`. In both cases nothing
        changes.
        """
        try:
            os.close(os.dup(self.fd))  # NFS and FUSE report a full disk or quota only at close(2), also of a duplicate
        except OSError as error:
            raise self.write_error(error) from error

    def close(self) -> None:
        """Close the file and discard uncommitted bytes. May be called more than once."""
        _close(self.fd)
        self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, BrokenPipeError):  # from a FIFO: code that writes to `fd` leaves this error to its owner
            raise self.write_error(error) from error


class _RegularFile(Destination):
    """A file that gets its name at the end. `_temporary` is its name until then; None = no name."""

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
                os.fchmod(self.fd, mode)  # the umask has removed bits
        except OSError as error:
            self.close()
            raise self.write_error(error) from error
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
            raise self.write_error(error) from error

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
                pass  # no unnamed files here (EOPNOTSUPP, EISDIR), or an error that the named file will report
            else:
                if os.path.exists(f"/proc/self/fd/{fd}"):  # otherwise the file cannot be linked
                    return fd
                os.close(fd)
        self._temporary = _fresh_name()
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._temporary, flags, mode, dir_fd=self._folder)

    def _take_name(self) -> None:
        """Link the file to its name; rename where links are not possible. `FileExistsError` if the name is taken and
        `force` is off."""
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
            # No hard links here, or an error that the rename will report.
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
        # With dst_dir_fd os.link calls linkat(2) with AT_SYMLINK_FOLLOW; link(2) would link the symlink in /proc.
        os.link(f"/proc/self/fd/{self.fd}", name, dst_dir_fd=self._folder, follow_symlinks=True)

    def _remove_temporary(self) -> None:
        name, self._temporary = self._temporary, None
        if name is not None:
            try:
                os.unlink(name, dir_fd=self._folder)
            except OSError:
                pass  # either an error is reported already, or the download is complete


def open_destination(path: str, *, force: bool = False, pause: Callable[[], None] | None = None) -> Destination:
    """Open the destination that the user named. Call before the download starts.

    `FileExists` if a regular file exists and `force` is off (`--skip-existing` catches it, here and at `commit`).
    `LocalWrite` if the file cannot be written. A FIFO without a reader is tried again after each call of `pause`, which
    raises when the time limit has passed; without `pause` it is `LocalWrite` at once. The wait is never inside open(2),
    which has no time limit.
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
    """Open a destination below a folder by names that may come from a server: the folders, then the file.

    `folder` is chosen by the user and may contain symlinks. Below it no symlink is followed: a symlink in place of a
    folder is `LocalWrite`, a symlink in place of the file counts as an existing file. Missing folders are created and
    kept. Each name must be a result of `safe_name`. Errors as for `open_destination`; a FIFO or device in place of the
    file is `LocalWrite`.
    """
    path = os.path.join(folder, *names)
    at = -1
    try:
        name = _checked(names[-1])
        at = descend(folder, names[:-1])
        existing = entry_status(name, at)
        link = existing is not None and stat.S_ISLNK(existing.st_mode)
        if existing is not None and not link and not stat.S_ISREG(existing.st_mode):
            raise LocalWrite(f"{path}: cannot be written: exists and is not a regular file")
        if existing is not None and not force:
            raise exists_error(path)
        parent, at = at, -1  # from here on the file closes the descriptor, also after a failure
        return _RegularFile(path, parent, name, force=force, replaced=None if link else existing)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        _close(at)


def descend(folder: str, names: Sequence[str] = ()) -> int:
    """Open the folder that `names` lead to below `folder`; create missing folders. Return its descriptor.

    No symlink is followed below `folder`. OSError; `LocalWrite` for a name that `safe_name` would refuse.
    """
    os.makedirs(folder or ".", exist_ok=True)
    at = os.open(folder or ".", _FOLDER_FLAGS)
    try:
        for name in names:
            child = _enter(at, _checked(name))
            os.close(at)
            at = child
        found, at = at, -1
        return found
    finally:
        _close(at)


def safe_name(remote_name: str) -> str:
    """Return the local file name for a name from a server or a URL.

    Control characters (C0, DEL, C1) are percent-encoded, as wget does: a raw ESC or newline in a file name can harm
    terminals and scripts later. All other characters stay, also bytes that are not UTF-8. If two names become equal by
    this, the second file is `FileExists`, and nothing is lost. `LocalWrite` for an invalid name: empty, `.`, `..`, with
    a slash or a NUL, over 255 bytes, or not encodable in the locale's encoding.
    """
    name = _CONTROL.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), remote_name)
    return _checked(name)


def _open_in_place(path: str, pause: Callable[[], None] | None) -> int:
    """Open a file that is not a regular file, without blocking in open(2). Writes block afterwards, as on standard
    output."""
    while True:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            # ENXIO from a FIFO: no reader yet. From a socket or a device: a lasting error.
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if pause is None:
                raise LocalWrite(f"{path}: cannot be written: no process has this FIFO open for reading") from error
            pause()
            continue
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise LocalWrite(f"{path}: cannot be written: became a regular file during the open")
        os.set_blocking(fd, True)
        return fd


def _enter(parent: int, name: str) -> int:
    """Open a folder below a folder, created if missing; never through a symlink (ENOTDIR)."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        pass
    return os.open(name, _FOLDER_FLAGS | os.O_NOFOLLOW, dir_fd=parent)


def _checked(name: str) -> str:
    """Return the name if it is valid for one file in a folder. `LocalWrite`."""
    if problem := _find_name_problem(name):
        raise LocalWrite(f'"{abbreviate(name, 80)}" cannot be used as a local file name: {problem}')
    return name


def _find_name_problem(name: str) -> str | None:
    """Return why a name is not valid for one file in a folder; None = valid."""
    if not name:
        return "the name is empty"
    if name in (".", ".."):
        return "the name is reserved for a folder"
    if "/" in name or "\0" in name:
        return "the name contains a slash or a NUL"
    try:
        size = len(os.fsencode(name))
    except UnicodeEncodeError:
        return "the name cannot be encoded in the locale's encoding"
    return f"the name has {size} bytes, the limit is {MAX_NAME}" if size > MAX_NAME else None


def set_time(fd: int, seconds: float) -> None:
    """Set the modification time of a file. A time that the file system cannot store is ignored."""
    try:
        os.utime(fd, (seconds, seconds))
    except (OSError, OverflowError, ValueError):
        pass


def entry_status(name: str, folder: int) -> os.stat_result | None:
    """Return the status of an entry of a folder, without following a symlink; None = no such entry."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _fresh_name() -> str:
    """Return an unused name: 64 random bits, and short whatever the length of the final name."""
    return f".inetcli-{os.urandom(8).hex()}"


def exists_error(path: str) -> FileExists:
    """Return the error for a name that is already taken."""
    return FileExists(f"{path}: already exists; use --force to replace it or --skip-existing to skip it")


def _close(fd: int) -> None:
    """Close a descriptor if it is open. Errors are ignored here: `commit` has checked for them."""
    if fd >= 0:
        try:
            os.close(fd)
        except OSError:
            pass
