"""Patterns for file names, and walks through remote and local folders.

A pattern is a shell pattern for one component of a path (POSIX.1-2024 XCU 2.14), as `fnmatch` implements it: `*`, `?`,
`[a-z_]`, `[!a-z_]`; case-sensitive. As in the shell, a dot at the start of a name matches only a dot at the start of
the pattern. There is no escape character: brackets make a character literal, as in `[*]`.

A walk yields the files while it finds them, lists every folder once, and follows no links, because links on a server
may lead in circles, and local ones may lead out of the tree. A remote name that cannot be a local file name is skipped
and reported, and so is an entry that is neither a file nor a folder. Depth and number of entries have limits, because
the tree of a hostile server may be endless.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from inetcli.defaults import MAX_DEPTH, MAX_FILES
from inetcli.destination import safe_name
from inetcli.errors import Denied, InetError, LocalWrite, NotFound, TooLarge, read_error
from inetcli.protocols.ftp.directory import Contents
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand

_GLOB = re.compile(r"[*?]|\[!?+.[^\]]*+\]", re.DOTALL)
"""A star, a question mark, or a pair of brackets that is not empty; a "]" directly after the "[" is literal."""

_SKIPPABLE_ERRORS = (NotFound, Denied)
"""The errors of listing a folder after which the walk continues with other folders."""

List = Callable[[str], Contents]
IsFolder = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """The limits of a walk: the depth, and the number of files and folders."""

    depth: int = MAX_DEPTH
    files: int = MAX_FILES


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A remote file: its remote path, the local names that lead to it, and its entry in the listing."""

    path: str
    names: tuple[str, ...]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Skipped:
    """A remote entry that was skipped.

    `unsafe`: the server listed an unusable name. `error`: listing failed although the folder should be readable.
    """

    path: str
    reason: str
    unsafe: bool = False
    error: InetError | None = None


class Walk:
    """A walk below a remote folder. `is_folder` is used for listings that contain only names."""

    def __init__(self, list_folder: List, is_folder: IsFolder, limits: WalkLimits) -> None:
        self._list = list_folder
        self._is_folder = is_folder
        self._limits = limits
        self._entry_count = 0

    def files_below(self, folder: str) -> Iterator[RemoteFile | Skipped]:
        """Yield every file below a folder, the files directly in it first.

        Errors: those of listing the folder itself; `TooLarge`.
        """
        contents = self._list(folder)
        parent = folder.rstrip("/").rpartition("/")[0] if contents.is_file else folder
        yield from self._walk(parent, (), contents.entries)

    def files_matching(self, pattern: str, *, recursive: bool) -> Iterator[RemoteFile | Skipped]:
        """Yield the files whose last component matches; with `recursive`, also the files below matching folders.

        Errors: `NotFound` if no name matches.
        """
        folder, slash, last = pattern.rpartition("/")
        entries = self._list(folder or slash).entries
        matches = [entry for entry in entries if match_glob(last, entry.name)]
        if not matches:
            raise NotFound(f"{pattern}: no file matches")
        yield from self._walk(folder or slash, (), matches, descend=recursive)

    def _walk(
        self, folder: str, names: tuple[str, ...], entries: Sequence[Entry], *, descend: bool = True
    ) -> Iterator[RemoteFile | Skipped]:
        folders: list[RemoteFile] = []
        for entry in entries:
            path = join(folder, entry.name)
            if is_unsafe_name(entry.name):
                yield Skipped(path, "the name cannot be sent in a command", unsafe=True)
                continue
            try:
                file = RemoteFile(path, (*names, safe_name(entry.name)), entry)
            except LocalWrite as error:
                yield Skipped(path, error.message, unsafe=True)
                continue
            self._count(folder)
            match self._type(entry, path):
                case EntryType.FILE:
                    yield file
                case EntryType.DIR if descend:
                    folders.append(file)
                case EntryType.DIR:
                    yield Skipped(path, "a folder, which needs -r")
                case EntryType.LINK:
                    yield Skipped(path, "a link, which is not followed")
                case _:
                    yield Skipped(path, "neither a file nor a folder")
        for file in folders:
            if len(file.names) > self._limits.depth:
                yield Skipped(file.path, f"deeper than {self._limits.depth} folders (--max-depth)")
                continue
            try:
                entries_below = self._list(file.path).entries
            except _SKIPPABLE_ERRORS as error:
                yield Skipped(file.path, error.message, error=error)
                continue
            yield from self._walk(file.path, file.names, entries_below)

    def _count(self, folder: str) -> None:
        """Count one more file or folder. Folders count, because a tree of only folders may be endless, too."""
        self._entry_count += 1
        if self._entry_count > self._limits.files:
            raise TooLarge(f"{folder or '.'}: more than {self._limits.files} files and folders (--max-files)")

    def _type(self, entry: Entry, path: str) -> EntryType:
        if entry.type is EntryType.OTHER and entry.source is ListingCommand.NLST:
            return EntryType.DIR if self._is_folder(path) else EntryType.FILE
        return entry.type


def has_glob(text: str) -> bool:
    """Return whether `text` is a pattern and not only a name."""
    return _GLOB.search(text) is not None


def match_glob(pattern: str, name: str) -> bool:
    """Return whether the whole `name` matches `pattern`."""
    if not has_glob(pattern):
        return name == pattern
    hidden = name.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatchcase(name, pattern)


def join(folder: str, name: str) -> str:
    """Join a remote folder and a name to a path."""
    return f"{folder.rstrip('/')}/{name}" if folder.rstrip("/") else f"/{name}" if folder else name


def is_unsafe_name(name: str) -> bool:
    """Return whether a name cannot be sent in a command, or contains a slash and means another folder."""
    return any(character in name for character in "/\r\n\0")


def local_files(folder: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the entries below a local folder, sorted: the names that lead to each, and whether the entry is a folder.

    A folder comes before its contents. Links and special files are omitted. `LocalRead`.
    """

    def list_names(path: str) -> list[str]:
        try:
            return sorted(os.listdir(path))
        except OSError as error:
            raise read_error(path, error) from error

    def walk(names: tuple[str, ...], entry_names: list[str]) -> Iterator[tuple[tuple[str, ...], bool]]:
        path = os.path.join(folder, *names)
        for name in entry_names:
            try:
                mode = os.lstat(os.path.join(path, name)).st_mode
            except FileNotFoundError:
                continue  # The file was removed meanwhile.
            if stat.S_ISDIR(mode):
                yield (*names, name), True
                yield from walk((*names, name), list_names(os.path.join(path, name)))
            elif stat.S_ISREG(mode):
                yield (*names, name), False

    return walk((), list_names(folder))  # An error for `folder` itself is raised here, not by the generator.
