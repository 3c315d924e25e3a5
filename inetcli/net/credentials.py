"""Where a user name and a password come from: the target itself, the options, or netrc.

    netrc   = *( "machine" NAME pairs | "default" pairs | "macdef" NAME lines up to a blank one | "#" comment )
    pairs   = *( "login" WORD | "password" WORD | "account" WORD )
    WORD    = text without blanks, or in double quotes, with backslash escapes

netrc is used with care: only a regular file of the user's own that nobody else may read or write; only for exactly the
host it names, never its `default`; never with `--insecure`; and in clear text only where the target says so. A file
that fails this is passed over with a note, or refused when it was named with `--netrc-file`.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from inetcli.errors import LocalRead
from inetcli.secret import Secret

MAX_BYTES = 1 << 20
"""Of a netrc or password file."""

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(#[^\n]*)|([^\s"]\S*)|(\n)')


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we say we are. No password: none was given. `source` is for `-v`: url, option or netrc."""

    user: str
    password: Secret | None
    source: str


@dataclass(frozen=True, slots=True)
class CredentialOptions:
    """`--user`, `--password-file`, `--netrc-file`; `insecure` keeps netrc out."""

    user: str | None = None
    password_file: str | None = None
    netrc_file: str | None = None
    insecure: bool = False


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

    A user name without a password takes the password of the same user from the next source. `LocalRead` when a file
    that was named cannot be read.
    """
    user, password, source = url_user, url_password, "url"
    if user is None and options.user is not None:
        user, source = options.user, "option"
    if password is None and options.password_file is not None and user is not None:
        password = read_password_file(options.password_file)
    if user is not None and password is not None:
        return Credentials(user, password, source), []
    entries, notes = _netrc(options, clear_text_ok)
    for entry in entries:
        if entry.machine.lower() == host.lower() and entry.login and user in (None, entry.login):
            return Credentials(entry.login, entry.password, "netrc"), notes
    return (Credentials(user, None, source) if user is not None else None), notes


def clear_text_note(credentials: Credentials | None, peer: str) -> str | None:
    """What to say when a password goes in clear to a host that is not this one; `peer` is its address."""
    if credentials is None or credentials.password is None or peer == "::1" or peer.startswith("127."):
        return None
    return f"the password goes in clear text to {peer}"


def read_password_file(path: str) -> Secret:
    """The first line of a file, without its end; any readable path, a pipe such as `<(pass x)` included."""
    text = _read(path)
    first = text.partition("\n")[0].removesuffix("\r")
    if not first:
        raise LocalRead(f"{path}: expected a password in the first line, which is empty")
    return Secret(first)


def parse_netrc(text: str, name: str = "netrc") -> list[NetrcEntry]:
    """The machines of a netrc file. `LocalRead` with the line's number when it is none; never with its words."""
    entries: list[NetrcEntry] = []
    words = _words(text, name)
    machine: str | None = None
    pairs: dict[str, str] = {}

    def finish() -> None:
        if machine is not None:
            password = pairs.get("password")
            entries.append(NetrcEntry(machine, pairs.get("login"), None if password is None else Secret(password)))

    for line, word in words:
        match word:
            case "machine":
                finish()
                machine, pairs = _value(words, line, word, name), {}
            case "default":
                finish()
                machine, pairs = None, {}
            case "login" | "password" | "account":
                pairs[word] = _value(words, line, word, name)
            case _:
                raise LocalRead(f"{name}: line {line}: expected machine, default, login, password, account or macdef")
    finish()
    return entries


def _value(words: Iterator[tuple[int, str]], line: int, keyword: str, name: str) -> str:
    try:
        return next(words)[1]
    except StopIteration:
        raise LocalRead(f"{name}: line {line}: {keyword} without a word behind it") from None


def _words(text: str, name: str) -> Iterator[tuple[int, str]]:
    """The words with their lines' numbers; comments and macros are left out."""
    line, at = 1, 0
    while match := _WORD.search(text, at):
        quoted, comment, plain, newline = match.groups()
        if text[at : match.start()].strip():
            raise LocalRead(f"{name}: line {line}: a quote that is not closed")
        at = match.end()
        if newline:
            line += 1
        elif quoted is not None:
            yield line, re.sub(r"\\(.)", r"\1", quoted)
            line += quoted.count("\n")
        elif plain == "macdef":
            end = text.find("\n\n", at)
            end = len(text) if end < 0 else end
            line += text.count("\n", at, end)
            at = end
        elif comment is None:
            yield line, plain


def _netrc(options: CredentialOptions, clear_text_ok: bool) -> tuple[list[NetrcEntry], list[str]]:
    if options.insecure or not clear_text_ok:
        return [], []
    path = options.netrc_file or os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
    if not options.netrc_file and not os.path.exists(path):
        return [], []
    try:
        return parse_netrc(_read(path, private=True), path), []
    except LocalRead as error:
        if options.netrc_file:
            raise
        return [], [f"not used: {error.message}"]


def _read(path: str, *, private: bool = False) -> str:
    """A whole small file. `private`: it must be ours, and nobody else's to read; checked on what was opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_NONBLOCK if private else 0))
        with open(descriptor, "rb") as file:
            if private:
                _check_private(os.fstat(descriptor), path)
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise LocalRead(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise LocalRead(f"{path}: over {MAX_BYTES} bytes")
    return data.decode("utf-8", "surrogateescape")


def _check_private(status: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise LocalRead(f"{path}: expected a regular file")
    if status.st_uid != os.geteuid():
        raise LocalRead(f"{path}: belongs to user {status.st_uid}, not to us ({os.geteuid()})")
    if status.st_mode & 0o077:
        raise LocalRead(f"{path}: mode {stat.S_IMODE(status.st_mode):04o} lets others at it; expected 0600 (chmod 600)")
