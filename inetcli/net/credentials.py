"""Where a user name and a password come from: the target itself, the options, or netrc.

    netrc   = *( "machine" WORD | "default" | "login" WORD | "password" WORD | "account" WORD | macro | comment )
    WORD    = characters up to white space, or in double quotes with backslash escapes (also n, r and t), on one line
    macro   = "macdef" and all lines up to an empty one
    comment = "#" where a keyword may stand, up to the end of the line; in a WORD it is a character

This is what curl and Python read. netrc is used with care: only a regular file of the user's own that nobody else may
read or write; only for exactly the host it names, never its `default`; never with `--insecure`; and in clear text only
where the target says so. A file that fails this is passed over with a note, or refused when it was named with
`--netrc-file`. A user name or password with a CR, LF or NUL is refused wherever it comes from: it would write commands
of its own.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from inetcli.errors import LocalRead, Usage
from inetcli.secret import Secret

STDIN = "-"

MAX_BYTES = 1 << 20
"""Of a netrc file, and of the first line of a password file."""

_PIECE = 1 << 16
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r'"((?:[^"\\\n]|\\[^\n])*)"|([^ \t\r\n"][^ \t\r\n]*)')
_END_OF_MACRO = re.compile(r"\n\r?\n|\Z")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_UNSENDABLE = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we say we are. No password: none was given. `source` is for `-v`: url, option or netrc."""

    user: str
    password: Secret | None
    source: str


@dataclass(frozen=True, slots=True)
class CredentialOptions:
    """`--user`, `--password-file`, `--netrc-file`; `insecure` keeps netrc out, with a note, `netrc` off without one."""

    user: str | None = None
    password_file: str | None = None
    netrc_file: str | None = None
    insecure: bool = False
    netrc: bool = True


@dataclass(frozen=True, slots=True)
class NetrcEntry:
    """A machine of a netrc file."""

    machine: str
    login: str | None
    password: Secret | None


def find_credentials(
    host: str,
    *,
    url_user: str | None,
    url_password: Secret | None,
    options: CredentialOptions,
    clear_text_ok: bool,
) -> tuple[Credentials | None, list[str]]:
    """The credentials for a host, and notes. The target's own come first, then the options', then netrc's.

    A user name without a password takes the password of the same user from the next source; never that of another.
    `clear_text_ok` = the connection is encrypted, or the target says that it need not be. Errors: `LocalRead` when a
    file that was named cannot be used, `Usage` for a `--password-file` without any user, and for a user name that
    cannot be sent.
    """
    if options.user is not None and _UNSENDABLE.search(options.user):
        raise Usage("--user: a user name cannot hold a CR, LF or NUL")
    user, password, source = url_user, url_password, "url"
    if user is None and options.user is not None:
        user, source = options.user, "option"
    from_file = None
    if password is None and options.password_file is not None and options.user in (None, user):
        from_file = _password_once(options.password_file)
        password = from_file if user is not None else None
    if user is not None and password is not None:
        return Credentials(user, password, source), []
    entry, notes = _netrc_entry(host, user, options, clear_text_ok)
    if entry is not None and entry.login is not None:
        return Credentials(entry.login, from_file or entry.password, "netrc"), notes
    if user is None and from_file is not None:
        raise Usage("--password-file: whose? Expected --user NAME, or NAME@ before the host")
    return (Credentials(user, None, source) if user is not None else None), notes


def clear_text_note(credentials: Credentials | None, peer: str) -> str | None:
    """What to say when a password goes in clear to a host that is not this one; `peer` is its address."""
    if credentials is None or credentials.password is None or peer == "::1" or peer.startswith("127."):
        return None
    return f"the password goes in clear text to {peer}"


def read_password_file(path: str) -> Secret:
    """The first line of a file, without its end (LF or CRLF); any readable path, a pipe such as `<(pass x)` included,
    `-` = standard input, which the caller has claimed.

    Nothing behind the first line is waited for. The line itself is, as long as its writer takes. `LocalRead`.
    """
    line, name = b"", "standard input" if path == STDIN else path
    with _opened(path) if path != STDIN else _standard_input() as descriptor:
        for piece in _pieces(descriptor, name):
            line += piece
            if b"\n" in piece:
                break
    first = line.partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    if not first:
        raise LocalRead(f"{name}: expected a password in the first line, which is empty")
    if _UNSENDABLE.search(first):
        raise LocalRead(f"{name}: a password cannot hold a CR or NUL")
    return Secret(first)


_passwords: dict[str, Secret] = {}
_passwords_lock = Lock()


def _password_once(path: str) -> Secret:
    """The password of a file that is read once for all targets and retries: a pipe gives it only once."""
    with _passwords_lock:
        if path not in _passwords:
            _passwords[path] = read_password_file(path)
        return _passwords[path]


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


def _netrc_entry(
    host: str, user: str | None, options: CredentialOptions, clear_text_ok: bool
) -> tuple[NetrcEntry | None, list[str]]:
    """The first entry for the host (and the user, if there is one), if it may be used; else a note says why not."""
    path = options.netrc_file or os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
    named = options.netrc_file is not None
    allowed = clear_text_ok and not options.insecure
    if not options.netrc or not (named or os.path.lexists(path)):
        return None, []
    try:
        entries = parse_netrc(_read_private(path), path)
    except LocalRead as error:
        if named:
            raise
        return None, [f"not used: {error.message}"] if allowed else []
    for entry in entries:
        if entry.machine.lower() == host.lower() and entry.login and user in (None, entry.login):
            if allowed:
                return entry, []
            why = "with --insecure" if options.insecure else "in clear text, unless the target or --tls off says so"
            return None, [f"{path}: not used {why}"]
    return None, []


def _read_private(path: str) -> str:
    """The text of a small regular file that is ours, and nobody else's to read or write."""
    with _opened(path, os.O_NONBLOCK | os.O_NOCTTY) as descriptor:
        _check_private(os.fstat(descriptor), path)
        return b"".join(_pieces(descriptor, path)).decode("utf-8", "surrogateescape")


@contextmanager
def _standard_input() -> Iterator[int]:
    """Standard input to read from, which stays open."""
    try:
        yield 0
    except OSError as error:
        raise LocalRead(f"standard input: cannot be read: {error.strerror}") from error


@contextmanager
def _opened(path: str, flags: int = 0) -> Iterator[int]:
    """A descriptor to read from; an error while opening or reading is `LocalRead`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LocalRead(f"{path}: cannot be read: {error.strerror}") from error


def _pieces(descriptor: int, path: str) -> Iterator[bytes]:
    """What is read, as it comes. `LocalRead` beyond `MAX_BYTES`."""
    size = 0
    while piece := os.read(descriptor, _PIECE):
        size += len(piece)
        if size > MAX_BYTES:
            raise LocalRead(f"{path}: over {MAX_BYTES} bytes")
        yield piece


def _check_private(status: os.stat_result, path: str) -> None:
    """That the file which was opened, and not one that had its name a moment ago, is fit to hold secrets."""
    if not stat.S_ISREG(status.st_mode):
        raise LocalRead(f"{path}: expected a regular file")
    if status.st_uid != os.geteuid():
        raise LocalRead(f"{path}: belongs to user {status.st_uid}, not to us ({os.geteuid()})")
    if status.st_mode & 0o077:
        raise LocalRead(f"{path}: mode {stat.S_IMODE(status.st_mode):04o} lets others at it; expected 0600 (chmod 600)")
