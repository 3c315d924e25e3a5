"""A folder of the disk as what an FTP server offers; nothing outside it is ever touched.

Every step from the folder down is a descriptor, opened without following a link (`openat` with O_NOFOLLOW), so that
nobody who swaps a folder for a link meanwhile leads us out. Links inside are resolved by their text first, within the
tree; one that leads out, or is absolute, leads nowhere. Only plain files are opened: no device, no FIFO.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from mockservers.ftp.store import (
    PIECE,
    UNSPEAKABLE,
    Entry,
    FileType,
    Refusal,
    Store,
    Upload,
    join,
    missing,
    normal,
    split,
)

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class DirectoryStore(Store):
    """The tree below `directory`."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._top = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        if self._top >= 0:
            os.close(self._top)
            self._top = -1

    def put(self, path: str, data: bytes) -> None:
        try:
            folder = "/"
            for part in normal(path).split("/")[1:-1]:
                folder = join(folder, part)
                try:
                    self.entry(folder)
                except Refusal:
                    self.make_folder(folder)
            upload = self.upload(normal(path), None, limit=len(data))
        except Refusal as refusal:
            raise ValueError(f"{path!r}: {refusal.text}") from refusal
        try:
            upload.write(data)
        finally:
            upload.close()

    @contextmanager
    def _at(self, path: str) -> Iterator[tuple[int, str]]:
        """The descriptor of a real path's folder, and the name in it ("." for the top). OSError as `Refusal`."""
        folder, name = split(path)
        opened: list[int] = []
        try:
            for part in folder.split("/"):
                if part:
                    opened.append(os.open(part, _STEP, dir_fd=opened[-1] if opened else self._top))
            yield (opened[-1] if opened else self._top), name or "."
        except OSError as error:
            raise _refusal(path, error) from error
        except ValueError:  # a NUL
            raise missing() from None
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def link(self, path: str) -> str | None:
        try:
            with self._at(path) as (folder, name):
                return os.readlink(name, dir_fd=folder)
        except Refusal:
            return None  # not a link, or not there: what is asked next will tell

    def entry(self, path: str) -> Entry:
        real = self.real(path)
        with self._at(real) as (folder, name):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return _entry(split(path)[1], found, None)

    def entries(self, path: str) -> list[Entry]:
        rows = []
        with self._at(self.real(path)) as (folder, name):
            here = os.open(name, _STEP, dir_fd=folder)
            try:
                for known in sorted(os.listdir(here)):
                    if UNSPEAKABLE & set(known):
                        continue
                    try:
                        found = os.stat(known, dir_fd=here, follow_symlinks=False)
                        target = os.readlink(known, dir_fd=here) if stat.S_ISLNK(found.st_mode) else None
                    except FileNotFoundError:
                        continue  # gone meanwhile
                    rows.append(_entry(known, found, target))
            finally:
                os.close(here)
        return rows

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        descriptor = self._open(self.real(path), os.O_RDONLY)
        try:
            while piece := os.pread(descriptor, PIECE, offset):
                offset += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def upload(self, path: str, offset: int | None, *, limit: int) -> Upload:
        real = self.real(path)
        if UNSPEAKABLE & set(real):
            raise Refusal(553, "a name cannot hold NUL, CR or LF")
        try:
            descriptor = self._open(real, os.O_WRONLY | os.O_CREAT)
            os.ftruncate(descriptor, offset or 0)
        except Refusal as refusal:
            raise Refusal(553, refusal.text) from refusal
        return _DiskUpload(descriptor, offset or 0, limit)

    def _open(self, real: str, flags: int) -> int:
        with self._at(real) as (folder, name):
            try:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            except FileNotFoundError:
                if not flags & os.O_CREAT:
                    raise
            else:
                _check_plain(real, found)
            descriptor = os.open(name, flags | _OPEN, 0o666, dir_fd=folder)
            try:
                _check_plain(real, os.fstat(descriptor))
            except Refusal:
                os.close(descriptor)
                raise
            return descriptor

    def remove(self, path: str) -> None:
        with self._at(self.real(path, follow=False)) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def make_folder(self, path: str) -> None:
        if UNSPEAKABLE & set(path):
            raise Refusal(553, "a name cannot hold NUL, CR or LF")
        with self._at(self.real(path)) as (folder, name):
            os.mkdir(name, dir_fd=folder)

    def remove_folder(self, path: str) -> None:
        if path == "/":
            raise Refusal(550, "/: not an empty folder")
        with self._at(self.real(path, follow=False)) as (folder, name):
            os.rmdir(name, dir_fd=folder)

    def rename(self, path: str, to: str) -> None:
        if UNSPEAKABLE & set(to):
            raise Refusal(553, "a name cannot hold NUL, CR or LF")
        source, target = self.real(path, follow=False), self.real(to, follow=False)
        if target.startswith(f"{source}/"):
            raise Refusal(553, f"{to}: a folder cannot be inside itself")
        try:
            with self._at(source) as (folder, name), self._at(target) as (other, new):
                os.rename(name, new, src_dir_fd=folder, dst_dir_fd=other)
        except Refusal as refusal:
            raise Refusal(553, refusal.text) from refusal

    def set_modified(self, path: str, modified: datetime) -> None:
        seconds = modified.timestamp()
        with self._at(self.real(path)) as (folder, name):
            os.utime(name, (seconds, seconds), dir_fd=folder, follow_symlinks=False)

    def set_mode(self, path: str, mode: int) -> None:
        with self._at(self.real(path)) as (folder, name):
            descriptor = os.open(name, os.O_RDONLY | _OPEN, dir_fd=folder)
            try:
                os.fchmod(descriptor, mode)
            finally:
                os.close(descriptor)


class _DiskUpload(Upload):
    """Written as it comes."""

    def __init__(self, descriptor: int, offset: int, limit: int) -> None:
        self._descriptor = descriptor
        self._at = offset
        self._limit = limit

    def write(self, data: bytes) -> None:
        room = max(0, self._limit - self._at)
        kept = memoryview(data)[:room]
        while kept:
            try:
                written = os.pwrite(self._descriptor, kept, self._at)
            except OSError as error:
                raise _refusal("the upload", error) from error
            self._at += written
            kept = kept[written:]
        if len(data) > room:
            raise Refusal(552, f"no more room: {self._limit} bytes are the limit")

    def close(self) -> None:
        os.close(self._descriptor)


def _check_plain(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(550, f"{path}: not a plain file")


def _entry(name: str, found: os.stat_result, target: str | None) -> Entry:
    kind = FileType.FILE
    if stat.S_ISDIR(found.st_mode):
        kind = FileType.FOLDER
    elif stat.S_ISLNK(found.st_mode):
        kind = FileType.LINK
    modified = datetime.fromtimestamp(int(found.st_mtime), UTC)
    unique = f"{found.st_dev:x}g{found.st_ino:x}"
    return Entry(name, kind, found.st_size, modified, stat.S_IMODE(found.st_mode), unique, target)


def _refusal(path: str, error: OSError) -> Refusal:
    """What the system says, as a reply."""
    code, text = _ERRORS.get(error.errno or 0, (550, f"{{path}}: {error.strerror}"))
    return Refusal(code, text.format(path=path))


_ERRORS = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.ELOOP), (550, "no such file")),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), (550, "{path}: permission denied")),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), (552, "no more room on the disk")),
    errno.EEXIST: (550, "{path}: is there already"),
    errno.EISDIR: (550, "{path}: is a folder"),
    errno.ENOTEMPTY: (550, "{path}: not an empty folder"),
}
