"""Many files: what a pattern means, what is below a folder, here and there.

A pattern is one of the shell's, for one component of a path (POSIX.1-2024 XCU 2.14), as `fnmatch` reads it: `*`, `?`,
`[a-z_]`, `[!a-z_]`; case counts. As in the shell, a dot at the start of a name is matched only by a dot at the start of
the pattern. There is no escape: a character is taken literally in brackets, `[*]`.

A walk yields what it finds as it finds it, every folder listed once, and follows no links: those of the server may lead
in circles, those of ours out of the tree. Names that come from a server and cannot be names of files here are passed
over, and told; so is what is neither a file nor a folder. Depth and number have limits, because a hostile server's tree
has none.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from inetcli.destination import safe_name
from inetcli.errors import Denied, InetError, LocalRead, LocalWrite, NotFound, TooLarge
from inetcli.protocols.ftp.directory import Contents
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand

MAX_DEPTH = 64
MAX_FILES = 1_000_000
"""Limits far beyond any tree that is meant to be copied, folders included; --max-depth and --max-files set others."""

_GLOB = re.compile(r"[*?]|\[!?+.[^\]]*+\]", re.DOTALL)
"""A star, a question mark, or a pair of brackets with something in it; a "]" that comes first stands for itself."""

_LEFT_OUT = (NotFound, Denied)
"""Why a folder may not be listed that another folder names: the others can be, all the same."""

List = Callable[[str], Contents]
IsFolder = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """How far a walk may go."""

    depth: int = MAX_DEPTH
    files: int = MAX_FILES


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A remote file: its path there, the names that lead to it here, and what the listing says of it."""

    path: str
    names: tuple[str, ...]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is passed over. `unsafe`: the server listed an unusable name. `error`: listing failed although the
    folder should be readable."""

    path: str
    why: str
    unsafe: bool = False
    error: InetError | None = None


class Walk:
    """A walk below a remote folder. `is_folder` finds out what a listing that gives names alone does not say."""

    def __init__(self, list_folder: List, is_folder: IsFolder, limits: WalkLimits) -> None:
        self._list = list_folder
        self._is_folder = is_folder
        self._limits = limits
        self._found = 0

    def below(self, folder: str) -> Iterator[RemoteFile | Skipped]:
        """Every file below a folder, its own first. Errors: those of listing the folder itself; `TooLarge`."""
        contents = self._list(folder)
        above = folder.rstrip("/").rpartition("/")[0] if contents.of_file else folder
        yield from self._walk(above, (), contents.entries)

    def matching(self, pattern: str, *, recursive: bool) -> Iterator[RemoteFile | Skipped]:
        """The files whose last component matches; with `recursive`, also what is below folders that do.

        `NotFound` when nothing matches.
        """
        folder, slash, last = pattern.rpartition("/")
        entries = self._list(folder or slash).entries
        found = [entry for entry in entries if match_glob(last, entry.name)]
        if not found:
            raise NotFound(f"{pattern}: nothing matches")
        yield from self._walk(folder or slash, (), found, deeper=recursive)

    def _walk(
        self, folder: str, names: tuple[str, ...], entries: Sequence[Entry], *, deeper: bool = True
    ) -> Iterator[RemoteFile | Skipped]:
        folders: list[RemoteFile] = []
        for entry in entries:
            path = join(folder, entry.name)
            if is_unsafe_name(entry.name):
                yield Skipped(path, "no command can have such a name", unsafe=True)
                continue
            try:
                found = RemoteFile(path, (*names, safe_name(entry.name)), entry)
            except LocalWrite as error:
                yield Skipped(path, error.message, unsafe=True)
                continue
            self._count(folder)
            match self._type(entry, path):
                case EntryType.FILE:
                    yield found
                case EntryType.DIR if deeper:
                    folders.append(found)
                case EntryType.DIR:
                    yield Skipped(path, "a folder, which is fetched only with -r")
                case EntryType.LINK:
                    yield Skipped(path, "a link, which is not followed")
                case _:
                    yield Skipped(path, "neither a file nor a folder")
        for found in folders:
            if len(found.names) > self._limits.depth:
                yield Skipped(found.path, f"deeper than {self._limits.depth} folders (--max-depth)")
                continue
            try:
                inside = self._list(found.path).entries
            except _LEFT_OUT as error:
                yield Skipped(found.path, error.message, error=error)
                continue
            yield from self._walk(found.path, found.names, inside)

    def _count(self, folder: str) -> None:
        """One more, be it a file or a folder: a tree of nothing but folders has no end either."""
        self._found += 1
        if self._found > self._limits.files:
            raise TooLarge(f"{folder or '.'}: more than {self._limits.files} files and folders (--max-files)")

    def _type(self, entry: Entry, path: str) -> EntryType:
        if entry.type is EntryType.OTHER and entry.source is ListingCommand.NLST:
            return EntryType.DIR if self._is_folder(path) else EntryType.FILE
        return entry.type


def has_glob(text: str) -> bool:
    """Whether `text` is a pattern, and not just a name."""
    return _GLOB.search(text) is not None


def match_glob(pattern: str, name: str) -> bool:
    """Whether the whole of `name` matches `pattern`."""
    if not has_glob(pattern):
        return name == pattern
    hidden = name.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatchcase(name, pattern)


def join(folder: str, name: str) -> str:
    """A name in a remote folder."""
    return f"{folder.rstrip('/')}/{name}" if folder.rstrip("/") else f"/{name}" if folder else name


def is_unsafe_name(name: str) -> bool:
    """Whether no command can have this name in its argument, or it means another folder's."""
    return any(character in name for character in "/\r\n\0")


def local_files(folder: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield what is below a local folder, sorted: the names that lead there, and whether it is a folder, which comes
    before what is in it. Links and odd files are left out. `LocalRead`."""

    def names_in(inner: str) -> list[str]:
        try:
            return sorted(os.listdir(inner))
        except OSError as error:
            raise LocalRead(f"{inner}: cannot be read: {error.strerror}") from error

    def walk(names: tuple[str, ...], inside: list[str]) -> Iterator[tuple[tuple[str, ...], bool]]:
        inner = os.path.join(folder, *names)
        for name in inside:
            try:
                mode = os.lstat(os.path.join(inner, name)).st_mode
            except FileNotFoundError:
                continue  # gone meanwhile
            if stat.S_ISDIR(mode):
                yield (*names, name), True
                yield from walk((*names, name), names_in(os.path.join(inner, name)))
            elif stat.S_ISREG(mode):
                yield (*names, name), False

    return walk((), names_in(folder))  # what is no folder is found out now
