"""netrc: user names and passwords by machine.

    netrc   = *( "machine" WORD | "default" | "login" WORD | "password" WORD | "account" WORD | macro | comment )
    WORD    = characters up to white space, or in double quotes with backslash escapes (also n, r and t), on one line
    macro   = "macdef" and all lines up to an empty one
    comment = "#" where a keyword may stand, up to the end of the line; in a WORD a "#" is a character

curl and Python read the same. A file counts only if it is a regular file of the user's own that nobody else may read or
write. A value with a CR, LF or NUL is refused: it would write commands of its own.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inetcli.errors import LocalRead
from inetcli.secret import Secret

MAX_BYTES = 1 << 20
"""Bytes of a netrc file, and of the first line of a password file."""

_PIECE = 1 << 16
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"|([^ \t\r\n"][^ \t\r\n]*)')
_END_OF_MACRO = re.compile(r"\n\r?\n|\Z")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_UNSENDABLE = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True)
class NetrcEntry:
    """A machine of a netrc file."""

    machine: str
    login: str | None
    password: Secret | None


def read_netrc(path: str) -> list[NetrcEntry]:
    """The machines of a netrc file that is ours, and private. `LocalRead`."""
    return parse_netrc(_read_private(path), path)


def parse_netrc(text: str, name: str = "netrc") -> list[NetrcEntry]:
    """The machines of a netrc file. `LocalRead` with the line's number when it is none; never with its words."""
    entries: list[NetrcEntry] = []
    scanner = _Scanner(text, name)
    machine: str | None = None  # None: before the first one, or in the `default` entry, which is never used
    login: str | None = None
    password: Secret | None = None
    while True:
        keyword = scanner.keyword()
        if keyword in (None, "machine", "default") and machine is not None:
            entries.append(NetrcEntry(machine, login, password))
        match keyword:
            case None:
                return entries
            case "machine":
                machine, login, password = scanner.value(keyword), None, None
            case "default":
                machine = None
            case "login":
                login = scanner.value(keyword)
            case "password":
                password = Secret(scanner.value(keyword))
            case "account":
                scanner.value(keyword)
            case "macdef":
                scanner.skip_macro()
            case _:
                raise scanner.error("expected machine, default, login, password, account or macdef")


class _Scanner:
    """The words of a netrc file. A `#` begins a comment before a keyword; in a value it is a character."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._word_at = 0

    def keyword(self) -> str | None:
        """The next word that is not in a comment; None at the end."""
        return self._word(_BLANK)

    def value(self, keyword: str) -> str:
        """The word behind a keyword, maybe on the next line."""
        word = self._word(_SPACE)
        if word is None:
            raise self.error(f"{keyword} without a word behind it")
        if _UNSENDABLE.search(word):
            raise self.error(f"a {keyword} cannot hold a CR, LF or NUL")
        return word

    def skip_macro(self) -> None:
        """Go behind the empty line that ends a macro, or to the end."""
        match = _END_OF_MACRO.search(self._text, self._at)
        self._at = match.end() if match else len(self._text)

    def error(self, what: str) -> LocalRead:
        """An error with the number of the line where the last word begins."""
        line = self._text.count("\n", 0, self._word_at) + 1
        return LocalRead(f"{self._name}: line {line}: {what}")

    def _word(self, before: re.Pattern[str]) -> str | None:
        if blank := before.match(self._text, self._at):
            self._at = blank.end()
        if self._at == len(self._text):
            return None
        self._word_at = self._at
        match = _WORD.match(self._text, self._at)
        if match is None:
            raise self.error("a quote that is not closed")
        self._at = match.end()
        quoted, plain = match.groups()
        if quoted is None:
            return str(plain)
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted)


def _read_private(path: str) -> str:
    """The text of a small regular file that is ours, and nobody else's to read or write."""
    with open_to_read(path, os.O_NONBLOCK | os.O_NOCTTY) as descriptor:
        _check_private(os.fstat(descriptor), path)
        return b"".join(read_pieces(descriptor, path)).decode("utf-8", "surrogateescape")


def _check_private(status: os.stat_result, path: str) -> None:
    """That the file which was opened, and not one that had its name a moment ago, is fit to hold secrets."""
    if not stat.S_ISREG(status.st_mode):
        raise LocalRead(f"{path}: expected a regular file")
    if status.st_uid != os.geteuid():
        raise LocalRead(f"{path}: belongs to user {status.st_uid}, not to us ({os.geteuid()})")
    if status.st_mode & 0o077:
        raise LocalRead(f"{path}: mode {stat.S_IMODE(status.st_mode):04o} lets others at it; expected 0600 (chmod 600)")


@contextmanager
def open_to_read(path: str, flags: int = 0) -> Iterator[int]:
    """A descriptor to read from; an error while opening or reading is `LocalRead`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LocalRead(f"{path}: cannot be read: {error.strerror}") from error


def read_pieces(descriptor: int, path: str) -> Iterator[bytes]:
    """What is read, as it comes. `LocalRead` beyond `MAX_BYTES`."""
    size = 0
    while piece := os.read(descriptor, _PIECE):
        size += len(piece)
        if size > MAX_BYTES:
            raise LocalRead(f"{path}: over {MAX_BYTES} bytes")
        yield piece
