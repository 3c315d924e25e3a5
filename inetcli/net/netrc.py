"""netrc files: user names and passwords for each machine.

    netrc   = *( "machine" WORD | "default" | "login" WORD | "password" WORD | "account" WORD | macro | comment )
    WORD    = characters up to white space, or in double quotes with backslash escapes (also n, r and t), on one line
    macro   = "macdef" and all lines up to an empty one
    comment = "#" where a keyword may stand, up to the end of the line; in a WORD a "#" is a character

curl and Python read the same grammar. A file is used only if it is a regular file that the user owns and that no other
user may read or write. A value with a CR, LF or NUL is an error, because it could inject commands.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inetcli.errors import LocalRead, read_error
from inetcli.secret import Secret

MAX_BYTES = 1 << 20
"""The maximum size of a netrc file, and of the first line of a password file, in bytes."""

_CHUNK = 1 << 16
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"|([^ \t\r\n"][^ \t\r\n]*)')
_END_OF_MACRO = re.compile(r"\n\r?\n|\Z")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_UNSENDABLE = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True)
class NetrcEntry:
    """An entry of a netrc file: a machine, a login and a password."""

    machine: str
    login: str | None
    password: Secret | None


def read_netrc(path: str) -> list[NetrcEntry]:
    """Read the entries of a private netrc file of the user. Errors: `LocalRead`."""
    return parse_netrc(_read_private(path), path)


def parse_netrc(text: str, name: str = "netrc") -> list[NetrcEntry]:
    """Parse the entries of a netrc file.

    Errors: `LocalRead` for text that does not follow the grammar, with the number of the line and never with its text.
    """
    entries: list[NetrcEntry] = []
    scanner = _Scanner(text, name)
    machine: str | None = None  # None: before the first entry, or in the `default` entry, which is never used
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
                raise scanner.syntax_error("expected machine, default, login, password, account or macdef")


class _Scanner:
    """A scanner for the words of a netrc file. A `#` before a keyword begins a comment; in a value it is text."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._at = 0
        self._word_at = 0

    def keyword(self) -> str | None:
        """Return the next word that is not in a comment; None at the end."""
        return self._word(_BLANK)

    def value(self, keyword: str) -> str:
        """Return the word after a keyword, which may be on the next line. Errors: `LocalRead`."""
        word = self._word(_SPACE)
        if word is None:
            raise self.syntax_error(f"expected a word after {keyword}")
        if _UNSENDABLE.search(word):
            raise self.syntax_error(f"a {keyword} cannot contain a CR, LF or NUL")
        return word

    def skip_macro(self) -> None:
        """Skip a macro, up to the empty line that ends it, or to the end of the file."""
        match = _END_OF_MACRO.search(self._text, self._at)
        self._at = match.end() if match else len(self._text)

    def syntax_error(self, problem: str) -> LocalRead:
        """Return an error with the number of the line where the last word begins."""
        line = self._text.count("\n", 0, self._word_at) + 1
        return LocalRead(f"{self._name}: line {line}: {problem}")

    def _word(self, before: re.Pattern[str]) -> str | None:
        if blank := before.match(self._text, self._at):
            self._at = blank.end()
        if self._at == len(self._text):
            return None
        self._word_at = self._at
        match = _WORD.match(self._text, self._at)
        if match is None:
            raise self.syntax_error("a quoted word without its closing quote")
        self._at = match.end()
        quoted, plain = match.groups()
        if quoted is None:
            return str(plain)
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted)


def _read_private(path: str) -> str:
    """Read a small regular file that the user owns and that no other user may read or write."""
    with open_to_read(path, os.O_NONBLOCK | os.O_NOCTTY) as descriptor:
        _check_private(os.fstat(descriptor), path)
        return b"".join(read_chunks(descriptor, path)).decode("utf-8", "surrogateescape")


def _check_private(status: os.stat_result, path: str) -> None:
    """Check that a file may hold secrets. `status` is that of the open descriptor, which a rename does not change."""
    if not stat.S_ISREG(status.st_mode):
        raise LocalRead(f"{path}: expected a regular file")
    if status.st_uid != os.geteuid():
        raise LocalRead(f"{path}: owned by user {status.st_uid}; expected the current user ({os.geteuid()})")
    if status.st_mode & 0o077:
        raise LocalRead(
            f"{path}: mode {stat.S_IMODE(status.st_mode):04o} gives other users access; expected 0600 (chmod 600)"
        )


@contextmanager
def open_to_read(path: str, flags: int = 0) -> Iterator[int]:
    """Yield a descriptor that is open for reading. An OSError of opening or reading becomes `LocalRead`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise read_error(path, error) from error


def read_chunks(descriptor: int, path: str) -> Iterator[bytes]:
    """Yield the chunks that are read, in any size. Errors: `LocalRead` for more than `MAX_BYTES` in total."""
    size = 0
    while chunk := os.read(descriptor, _CHUNK):
        size += len(chunk)
        if size > MAX_BYTES:
            raise LocalRead(f"{path}: over {MAX_BYTES} bytes")
        yield chunk
