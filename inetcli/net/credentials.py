"""The login for a target: its user name and password, from the target itself, the options, or netrc; and its TLS mode.

The target's own user name and password come first, then those of the options, then netrc's. netrc is used with care:
only for exactly the host it names, never its `default`; never with `--insecure`; and in clear text only where the
target says so. A file that may not be used is passed over with a note, or refused if it was named with
`--netrc-file`. A user name or password with a CR, LF or NUL is refused wherever it comes from: it would write commands
of its own.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from inetcli.errors import LocalRead, Usage
from inetcli.net.netrc import NetrcEntry, open_to_read, read_netrc, read_pieces
from inetcli.net.trust import TlsMode
from inetcli.secret import Secret
from inetcli.wire.target import Target, parse_target

if TYPE_CHECKING:
    from inetcli.net.session import Session

STDIN = "-"

ANONYMOUS_USERS = ("anonymous", "ftp")
"""User names whose password is nobody's secret (RFC 1635)."""

_UNSENDABLE = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Scheme:
    """A URL scheme of a protocol that has logins: its default port, and when TLS starts."""

    port: int
    tls: TlsMode


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in at a target. No credentials: nobody was named."""

    tls: TlsMode
    credentials: "Credentials | None"


class PasswordFile:
    """`--password-file`: read once for all targets and tries, because a pipe gives its password only once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._password: Secret | None = None

    def password(self) -> Secret:
        """Return the first line of the file. `LocalRead`."""
        with self._lock:
            if self._password is None:
                self._password = read_password_file(self._path)
            return self._password


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
    password_file: PasswordFile | None = None
    netrc_file: str | None = None
    insecure: bool = False
    netrc: bool = True


def parse_login_target(text: str, schemes: Mapping[str, Scheme], tls: TlsMode | None) -> Target:
    """Parse a target of a protocol that has logins. Without a scheme, the first one whose TLS mode is `tls` sets the
    port; the first of all where there is none. `MalformedTarget`."""
    fitting = [name for name, scheme in schemes.items() if scheme.tls is tls]
    return parse_target(text, {name: scheme.port for name, scheme in schemes.items()}, [*fitting, *schemes][0])


def resolve_login(
    session: "Session",
    target: Target,
    schemes: Mapping[str, Scheme],
    tls: TlsMode | None,
    options: CredentialOptions,
    *,
    encoding: str | None = None,
) -> Login:
    """Find out how to log in at a target. `tls` is the option `--tls`; None = the scheme decides. `encoding` is the one
    of commands, where it may be another than UTF-8.

    netrc's credentials may go in clear text where the target has a scheme, or `--tls` was given. Errors: those of
    `find_credentials`.
    """
    mode = tls or schemes[target.scheme].tls
    explicit = "://" in target.text or tls is not None
    clear_text_ok = mode is not TlsMode.OFF or explicit
    return Login(mode, resolve_credentials(session, target, options, clear_text_ok=clear_text_ok, encoding=encoding))


def resolve_credentials(
    session: "Session",
    target: Target,
    options: CredentialOptions,
    *,
    clear_text_ok: bool,
    encoding: str | None = None,
) -> Credentials | None:
    """Find the credentials for a target, tell the session's notes about them, and have the password masked from now on.

    Errors: those of `find_credentials`. `encoding` as in `resolve_login`.
    """
    credentials, notes = find_credentials(
        target.host,
        url_user=target.user,
        url_password=target.password,
        options=options,
        clear_text_ok=clear_text_ok,
    )
    for note in notes:
        session.note(note)
    if credentials and credentials.user.lower() not in ANONYMOUS_USERS:
        session.network.secrets.add(credentials.password, encoding)
    return credentials


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
        from_file = options.password_file.password()
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
    with open_to_read(path) if path != STDIN else _standard_input() as descriptor:
        for piece in read_pieces(descriptor, name):
            line += piece
            if b"\n" in piece:
                break
    first = line.partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    if not first:
        raise LocalRead(f"{name}: expected a password in the first line, which is empty")
    if _UNSENDABLE.search(first):
        raise LocalRead(f"{name}: a password cannot hold a CR or NUL")
    return Secret(first)


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
        entries = read_netrc(path)
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


@contextmanager
def _standard_input() -> Iterator[int]:
    """Standard input to read from, which stays open."""
    try:
        yield 0
    except OSError as error:
        raise LocalRead(f"standard input: cannot be read: {error.strerror}") from error
