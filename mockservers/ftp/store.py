"""What an FTP server has to offer: a tree of files, folders and links.

Paths are absolute, with "/" between names, and never climb out: `..` at the top stays there. A link's target is taken
inside the tree, and one that leads out of it leads nowhere. `Refusal` is how a store says no, in the words of RFC 959:
550 for what is not there or not that kind of thing, 553 for a name that cannot be, 552 when there is no more room.

`MemoryStore` (in `memory`) and `DirectoryStore` (in `folder`) are the two that there are.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

PIECE = 1 << 20
"""Bytes that are read at a time: few writes for a big file, and never the whole of it in one."""

MAX_HOPS = 16
"""Links that are followed for one path; Linux follows 40."""

FILE_MODE = 0o644
FOLDER_MODE = 0o755
LINK_MODE = 0o777

UNSPEAKABLE = frozenset("\0\r\n")
"""What a name cannot hold: it would end a line of a listing or a reply. Hostile listings are faults."""


class FileType(Enum):
    """What an entry is; the value is its letter in a Unix listing."""

    FILE = "-"
    FOLDER = "d"
    LINK = "l"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the tree. `modified` in UTC; `unique` stays the same as long as the thing does."""

    name: str
    type: FileType
    size: int
    modified: datetime
    mode: int
    unique: str
    target: str | None = None


class Refusal(Exception):
    """The store says no: the reply's code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


def missing() -> Refusal:
    return Refusal(550, "no such file")


def normal(path: str, folder: str = "/") -> str:
    """A path as the client means it, absolute and without `.` and `..`."""
    parts: list[str] = []
    for part in (path if path.startswith("/") else f"{folder}/{path}").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def split(path: str) -> tuple[str, str]:
    """A normal path's folder and name."""
    folder, _, name = path.rpartition("/")
    return folder or "/", name


def join(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


class Upload(ABC):
    """A file that is being written. What has been written stays when the client leaves, as on any server."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """`Refusal` 552 when there is no more room."""

    @abstractmethod
    def close(self) -> None: ...


class Store(ABC):
    """A tree. Every method takes paths that are absolute and normal, follows links, and raises `Refusal`."""

    @abstractmethod
    def link(self, path: str) -> str | None:
        """The target, if this is a link."""

    @abstractmethod
    def entry(self, path: str) -> Entry: ...

    @abstractmethod
    def entries(self, path: str) -> list[Entry]:
        """What is in a folder, by name; links as such."""

    @abstractmethod
    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """A file's bytes from `offset`, in pieces."""

    @abstractmethod
    def upload(self, path: str, offset: int | None, *, limit: int) -> Upload:
        """Write a file from `offset` on, a new or emptied one with None; `limit` is the size that it may reach."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """A file, or a link itself."""

    @abstractmethod
    def make_folder(self, path: str) -> None: ...

    @abstractmethod
    def remove_folder(self, path: str) -> None: ...

    @abstractmethod
    def rename(self, path: str, to: str) -> None: ...

    @abstractmethod
    def set_modified(self, path: str, modified: datetime) -> None: ...

    @abstractmethod
    def set_mode(self, path: str, mode: int) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """The server has ended."""

    @abstractmethod
    def put(self, path: str, data: bytes) -> None:
        """A file with all folders above it: for the test that owns the server. ValueError when it cannot be."""

    def real(self, path: str, *, follow: bool = True) -> str:
        """The path with all links resolved inside the tree; the last one only if `follow`."""
        todo = [part for part in reversed(path.split("/")) if part]
        done, hops = "/", 0
        while todo:
            part = todo.pop()
            if part == ".":
                continue
            if part == "..":
                if done == "/":
                    raise missing()
                done = split(done)[0]
                continue
            here = join(done, part)
            target = self.link(here) if todo or follow else None
            if target is None:
                done = here
                continue
            hops += 1
            if hops > MAX_HOPS:
                raise Refusal(550, f"{path}: too many links")
            if target.startswith("/"):
                raise missing()  # absolute on whose disk? It leads out
            todo += [step for step in reversed(target.split("/")) if step]
        return done

    def file(self, path: str) -> Entry:
        """The entry of a plain file."""
        entry = self.entry(path)
        if entry.type is not FileType.FILE:
            raise Refusal(550, f"{path}: not a plain file")
        return entry

    def folder(self, path: str) -> Entry:
        """The entry of a folder."""
        entry = self.entry(path)
        if entry.type is not FileType.FOLDER:
            raise Refusal(550, f"{path}: not a folder")
        return entry

    def walk(self, folder: str = "/") -> Iterator[str]:
        """The paths of all plain files below; links are not followed."""
        for entry in self.entries(folder):
            path = join(folder, entry.name)
            if entry.type is FileType.FILE:
                yield path
            elif entry.type is FileType.FOLDER:
                yield from self.walk(path)


class Files(MutableMapping[str, bytes]):
    """The plain files of a store by their absolute paths, for the test that owns the server: what is there, now."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, path: str) -> bytes:
        try:
            self._store.file(normal(path))
            return b"".join(self._store.read(normal(path)))
        except Refusal:
            raise KeyError(path) from None

    def __setitem__(self, path: str, data: bytes) -> None:
        self._store.put(path, data)

    def __delitem__(self, path: str) -> None:
        try:
            self._store.remove(normal(path))
        except Refusal:
            raise KeyError(path) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._store.walk()))

    def __len__(self) -> int:
        return sum(1 for _ in self._store.walk())

    def __repr__(self) -> str:
        return f"<Files {', '.join(self)}>"


def utc(moment: datetime) -> datetime:
    """To the second and in UTC, as FTP tells times; one without a zone is in UTC already."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(microsecond=0)


def renamed(entry: Entry, name: str) -> Entry:
    """The same thing under another name: a listing of one path shows it as it was asked for."""
    return replace(entry, name=name)
