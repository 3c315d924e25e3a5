"""A download that may be taken up again another day: `--resume`.

Beside the file NAME that is to be, until it is whole:

    .NAME.part         its first bytes
    .NAME.part.json    whose they are: host, port, user, path, size and time of the remote file

Both are opened without following links, and must be regular files of our own with one name each: else somebody else has
put them there, for us to write into or to believe. Whoever has the first one locked is at work on it.

Whether the bytes belong to what the remote file is now is for the caller to find out; `restart` forgets them.
"""

import fcntl
import json
import os
import stat
from collections.abc import Mapping, Sequence

from inetcli.destination import Destination, descend, entry_status, exists_error, safe_name, set_time, write_error
from inetcli.errors import LocalWrite

MAX_RECORD = 1 << 16
"""Bytes of a record that is read."""


class PartFile(Destination):
    """The destination that outlives a failure. `fd` stands behind the `size_present` bytes that are there."""

    discards_on_failure = True

    def __init__(self, path: str, folder: int, name: str, *, force: bool) -> None:
        super().__init__(path, -1)
        self._folder = folder
        self._name = name
        self._force = force
        self._part, self._record = f".{name}.part", f".{name}.part.json"
        self._mode: int | None = None
        self._ours = False
        """The part is ours to remove: checked, locked, and not committed."""
        self.size_present = 0
        try:
            self._open()
        except OSError as error:
            self.close()
            raise self.failure(error) from error
        except BaseException:
            self.close()
            raise

    def remembered(self) -> Mapping[str, object]:
        """What was recorded of the bytes that are there; nothing, when there is no record, or none to be believed."""
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

    def remember(self, record: Mapping[str, object]) -> None:
        """Record whose bytes these are, before the first of them is written. `LocalWrite`."""
        self._remove(self._record)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(self._record, flags, 0o600, dir_fd=self._folder)
            with open(fd, "w", encoding="utf-8") as file:
                json.dump(record, file)
        except OSError as error:
            raise self.failure(error) from error

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
                # A link does not overwrite what has come into its place.
                os.link(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder, follow_symlinks=False)
                os.unlink(self._part, dir_fd=self._folder)
            else:
                os.rename(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except FileExistsError as error:
            raise exists_error(self.path) from error
        except OSError as error:
            raise self.failure(error) from error
        self._ours = False
        self._remove(self._record)

    def close(self) -> None:
        """Nothing is gone, but for a part without a byte."""
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
            raise LocalWrite(f"{self.path}: {name} is in the way: expected a regular file of ours with one name")

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._folder)
        except OSError:
            pass


def open_partial(path: str, *, force: bool = False) -> PartFile:
    """The destination that the user named, to be taken up by a later run. A symlink is resolved first.

    `FileExists` when there is such a file and not `force`; `LocalWrite` when it cannot be written, or is no regular
    file: those cannot be taken up.
    """
    try:
        if path.endswith("/") or (os.path.exists(path) and not os.path.isfile(path)):
            raise LocalWrite(f"{path}: expected a regular file, which --resume needs")
        folder, name = os.path.split(os.path.realpath(path))
        return PartFile(path, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), name, force=force)
    except OSError as error:
        raise write_error(path, error) from error


def open_partial_in_folder(folder: str, names: Sequence[str], *, force: bool = False) -> PartFile:
    """Likewise for a destination below a folder; see `files.open_in_folder`."""
    path = os.path.join(folder, *names)
    try:
        return PartFile(path, descend(folder, names[:-1]), safe_name(names[-1]), force=force)
    except OSError as error:
        raise write_error(path, error) from error
