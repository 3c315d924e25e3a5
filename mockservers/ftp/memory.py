"""A tree of files, folders and links in memory, as what an FTP server offers."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from mockservers.ftp.store import (
    FILE_MODE,
    FOLDER_MODE,
    LINK_MODE,
    PIECE,
    UNSPEAKABLE,
    Entry,
    FileType,
    Refusal,
    Store,
    Upload,
    missing,
    normal,
    split,
)


@dataclass(slots=True)
class _Node:
    type: FileType
    modified: datetime
    mode: int
    unique: str
    data: bytes = b""
    target: str | None = None

    def entry(self, name: str) -> Entry:
        return Entry(name, self.type, len(self.data), self.modified, self.mode, self.unique, self.target)


class MemoryStore(Store):
    """A dict of absolute paths to nodes, in which every node's folder is there, too."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = itertools.count(1)
        self._nodes = {"/": self._node(FileType.FOLDER, FOLDER_MODE)}

    def _node(self, kind: FileType, mode: int, data: bytes = b"", target: str | None = None) -> _Node:
        return _Node(kind, self._now(), mode, f"{next(self._numbers):x}", data, target)

    def fill(
        self,
        files: Mapping[str, bytes],
        *,
        folders: Iterable[str] = (),
        links: Mapping[str, str] | None = None,
        modified: datetime,
    ) -> None:
        """The tree as it is at the beginning, all of it from that time."""
        for folder in folders:
            self._folders(normal(folder))
        for path, data in files.items():
            self.put(path, data)
        for path, target in (links or {}).items():
            self._put(path, self._node(FileType.LINK, LINK_MODE, target=target))
        for node in self._nodes.values():
            node.modified = modified

    def close(self) -> None:
        pass

    def put(self, path: str, data: bytes) -> None:
        self._put(path, self._node(FileType.FILE, FILE_MODE, bytes(data)))

    def _put(self, given: str, node: _Node) -> None:
        path = normal(given)
        if UNSPEAKABLE & set(path):
            raise ValueError(f"{given!r}: a name in a listing cannot hold NUL, CR or LF")
        if path == "/" or (path in self._nodes and self._nodes[path].type is FileType.FOLDER):
            raise ValueError(f"{given!r}: there is a folder of that name")
        self._folders(split(path)[0])
        self._nodes[path] = node

    def _folders(self, path: str) -> None:
        if path not in self._nodes:
            self._folders(split(path)[0])
            self._nodes[path] = self._node(FileType.FOLDER, FOLDER_MODE)
        elif self._nodes[path].type is not FileType.FOLDER:
            raise ValueError(f"{path!r}: is not a folder, and has something in it")

    def _found(self, path: str, *, follow: bool = True) -> tuple[str, _Node]:
        real = self.real(path, follow=follow)
        node = self._nodes.get(real)
        if node is None:
            raise missing()
        return real, node

    def link(self, path: str) -> str | None:
        node = self._nodes.get(path)
        return node.target if node else None

    def entry(self, path: str) -> Entry:
        _, node = self._found(path)
        return node.entry(split(path)[1])

    def entries(self, path: str) -> list[Entry]:
        self.folder(path)
        prefix = self.real(path).rstrip("/") + "/"
        inside = ((known.removeprefix(prefix), node) for known, node in self._copy() if known.startswith(prefix))
        return [node.entry(name) for name, node in sorted(inside, key=_by_name) if name and "/" not in name]

    def _copy(self) -> list[tuple[str, _Node]]:
        """In one step: tests look from other threads than the one that serves."""
        return list(self._nodes.items())

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        _, node = self._found(path)
        if node.type is not FileType.FILE:
            raise Refusal(550, f"{path}: not a plain file")
        data = node.data
        if offset == 0 and len(data) <= PIECE:
            yield data
            return
        for at in range(offset, len(data), PIECE):
            yield data[at : at + PIECE]

    def upload(self, path: str, offset: int | None, *, limit: int) -> Upload:
        real = self.real(path)
        node = self._nodes.get(real)
        if node is None:
            self._check_new(real)
            node = self._nodes[real] = self._node(FileType.FILE, FILE_MODE)
        elif node.type is not FileType.FILE:
            raise Refusal(553, f"{path}: not a plain file")
        taken = sum(len(other.data) for _, other in self._copy() if other is not node)
        return _MemoryUpload(node, self._now, node.data if offset else b"", offset or 0, max(0, limit - taken))

    def _check_new(self, path: str) -> None:
        folder, name = split(path)
        if UNSPEAKABLE & set(name):
            raise Refusal(553, "a name cannot hold NUL, CR or LF")
        node = self._nodes.get(folder)
        if node is None or node.type is not FileType.FOLDER:
            raise Refusal(553, f"{folder}: no such folder")

    def remove(self, path: str) -> None:
        real, node = self._found(path, follow=False)
        if node.type is FileType.FOLDER:
            raise Refusal(550, f"{path}: is a folder")
        del self._nodes[real]

    def make_folder(self, path: str) -> None:
        real = self.real(path)
        if real in self._nodes:
            raise Refusal(550, f"{path}: is there already")
        self._check_new(real)
        self._nodes[real] = self._node(FileType.FOLDER, FOLDER_MODE)

    def remove_folder(self, path: str) -> None:
        self.folder(path)
        real = self.real(path, follow=False)
        if real == "/" or self._nodes[real].type is FileType.LINK or self.entries(real):
            raise Refusal(550, f"{path}: not an empty folder")
        del self._nodes[real]

    def rename(self, path: str, to: str) -> None:
        source, node = self._found(path, follow=False)
        target = self.real(to, follow=False)
        present = self._nodes.get(target)
        if source == target:
            return
        if source == "/" or target.startswith(source + "/"):
            raise Refusal(553, f"{to}: a folder cannot be inside itself")
        if present and FileType.FOLDER in (present.type, node.type):
            raise Refusal(553, f"{to}: is there already")
        self._check_new(target)
        for known, moved in self._copy():
            if known == source or known.startswith(source + "/"):
                self._nodes[target + known.removeprefix(source)] = moved
                del self._nodes[known]

    def set_modified(self, path: str, modified: datetime) -> None:
        self._found(path)[1].modified = modified

    def set_mode(self, path: str, mode: int) -> None:
        self._found(path)[1].mode = mode


class _MemoryUpload(Upload):
    """Collected here, and in the tree when it is closed."""

    def __init__(self, node: _Node, now: Callable[[], datetime], data: bytes, offset: int, limit: int) -> None:
        self._node = node
        self._now = now
        self._data = bytearray(data[:offset])
        self._limit = limit

    def write(self, data: bytes) -> None:
        room = self._limit - len(self._data)
        self._data += data[: max(0, room)]
        if len(data) > room:
            raise Refusal(552, f"no more room: {self._limit} bytes are the limit")

    def close(self) -> None:
        self._node.data = bytes(self._data)
        self._node.modified = self._now()


def _by_name(item: tuple[str, _Node]) -> str:
    return item[0]
