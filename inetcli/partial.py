"""A download that a later run can resume: `--resume`.

Until the download is complete, two files stand beside the destination NAME:

    .NAME.part         the first bytes of the file
    .NAME.part.json    their origin: host, port, user, path, size and time of the remote file

Both are opened without following links. Both must be regular files, owned by the user, with one link each: otherwise
another user may have placed them there, to have us overwrite a file or trust a forged record. The process that
downloads holds a lock on the first file.

The caller checks whether the bytes belong to the current remote file; `restart` discards them.
"""

import fcntl
import json
import os
import stat
from collections.abc import Mapping, Sequence

from inetcli.destination import Destination, descend, entry_status, exists_error, safe_name, set_time
from inetcli.errors import LocalWrite, write_error

MAX_RECORD = 1 << 16
"""Bytes of a record that are read at most."""


class PartFile(Destination):
    """A destination that is kept after a failure. `fd` is positioned after the existing bytes, `size_present` counts
    them."""

    discards_on_failure = True

    def __init__(self, path: str, folder: int, name: str, *, force: bool) -> None:
        super().__init__(path, -1)
        self._folder = folder
        self._name = name
        self._force = force
        self._part, self._record = f".{name}.part", f".{name}.part.json"
        self._mode: int | None = None
        self._ours = False
        """Whether the part file may be removed: checked, locked and not committed."""
        self.size_present = 0
        try:
            self._open()
        except OSError as error:
            self.close()
            raise self.write_error(error) from error
        except BaseException:
            self.close()
            raise

    def read_record(self) -> Mapping[str, object]:
        """Return the record of the origin of the existing bytes; empty if there is none or it cannot be trusted."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(self._record, flags, dir_fd=self._folder)
        except OSError:
            return {}
        try:
            self._check(os.fstat(fd), self._record)
            record = json.loads(os.read(fd, MAX_RECORD))
        except (LocalWrite, OSError, ValueError, RecursionError):
            return {}
        finally:
            os.close(fd)
        return record if isinstance(record, dict) else {}

    def write_record(self, record: Mapping[str, object]) -> None:
        """Record the origin of the bytes, before the first of them is written. `LocalWrite`."""
        self._remove(self._record)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(self._record, flags, 0o600, dir_fd=self._folder)
            with open(fd, "w", encoding="utf-8") as file:
                json.dump(record, file)
        except OSError as error:
            raise self.write_error(error) from error

    def restart(self) -> None:
        super().restart()
        self.size_present = 0

    def set_mtime(self, seconds: float) -> None:
        set_time(self.fd, seconds)

    def commit(self) -> None:
        super().commit()
        try:
            if self._mode is not None:
                os.fchmod(self.fd, self._mode)
            if not self._force:
                # A link does not overwrite a file that was created in the meantime.
                os.link(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder, follow_symlinks=False)
                os.unlink(self._part, dir_fd=self._folder)
            else:
                os.rename(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileExistsError as error:
            raise exists_error(self.path) from error
        except OSError as error:
            raise self.write_error(error) from error
        self._ours = False
        self._remove(self._record)

    def close(self) -> None:
        """Keep the part file; delete it only if it is empty."""
        if self._ours and self.fd >= 0 and not os.fstat(self.fd).st_size:
            self._remove(self._part)
            self._remove(self._record)
        super().close()
        if self._folder >= 0:
            os.close(self._folder)
        self._folder = -1

    def _open(self) -> None:
        existing = entry_status(self._name, self._folder)
        if existing is not None and not self._force:
            raise exists_error(self.path)
        if existing is not None and stat.S_ISREG(existing.st_mode):
            self._mode = existing.st_mode & 0o777
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self.fd = os.open(self._part, flags, 0o666, dir_fd=self._folder)
        self._check(os.fstat(self.fd), self._part)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalWrite(f"{self.path}: another program is writing {self._part}") from error
        self._ours = True
        self.size_present = os.lseek(self.fd, 0, os.SEEK_END)

    def _check(self, status: os.stat_result, name: str) -> None:
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
            raise LocalWrite(
                f"{self.path}: {name} cannot be used: expected a regular file, owned by this user, with one link"
            )

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._folder)
        except OSError:
            pass


def open_partial(path: str, *, force: bool = False) -> PartFile:
    """Open the destination that the user named, so that a later run can resume it. A symlink is resolved first.

    `FileExists` if the file exists and `force` is off. `LocalWrite` if it cannot be written, or is not a regular file:
    only regular files can be resumed.
    """
    try:
        if path.endswith("/") or (os.path.exists(path) and not os.path.isfile(path)):
            raise LocalWrite(f"{path}: --resume needs a regular file")
        folder, name = os.path.split(os.path.realpath(path))
        return PartFile(path, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), name, force=force)
    except OSError as error:
        raise write_error(path, error) from error


def open_partial_in_folder(folder: str, names: Sequence[str], *, force: bool = False) -> PartFile:
    """Open such a destination below a folder; see `destination.open_in_folder`."""
    path = os.path.join(folder, *names)
    try:
        return PartFile(path, descend(folder, names[:-1]), safe_name(names[-1]), force=force)
    except OSError as error:
        raise write_error(path, error) from error
