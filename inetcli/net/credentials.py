"""The login for a target: the user name and password, from the target itself, the options, or netrc; and the TLS mode.

The order of precedence is: the target, the options, netrc. netrc has restrictions. An entry is used only for exactly
the host that it names. The `default` entry is never used. No entry is used with `--insecure`, and none in clear text
unless the target has a scheme or `--tls` was given. A netrc file that may not be used is skipped with a note, or is an
error if the option `--netrc-file` named it. A user name or password with a CR, LF or NUL is an error from every
source, because it could inject commands.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from inetcli.errors import LocalRead, Usage, read_error
from inetcli.net.netrc import NetrcEntry, open_to_read, read_chunks, read_netrc
from inetcli.net.trust import TlsMode
from inetcli.secret import Secret
from inetcli.wire.target import Target, parse_target

if TYPE_CHECKING:
    from inetcli.net.session import Session

STDIN = "-"

ANONYMOUS_USERS = ("anonymous", "ftp")
"""User names of anonymous logins (RFC 1635), whose password is not a secret."""

_UNSENDABLE = re.compile("[\r\n\0]")


@dataclass(frozen=True, slots=True)
class Scheme:
    """A URL scheme of a protocol that has logins: its default port, and when TLS starts."""

    port: int
    tls: TlsMode


@dataclass(frozen=True, slots=True)
class Login:
    """The TLS mode and the credentials for a target. `credentials` None = no user name was given."""

    tls: TlsMode
    credentials: "Credentials | None"


class PasswordFile:
    """The file of `--password-file`, read once for all targets and tries, because a pipe can be read only once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._password: Secret | None = None

    def password(self) -> Secret:
        """Return the first line of the file as password. Errors: `LocalRead`."""
        with self._lock:
            if self._password is None:
                self._password = read_password_file(self._path)
            return self._password


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and its password. `password` None = none was given. `source` (for `-v`): url, option or netrc."""

    user: str
    password: Secret | None
    source: str


@dataclass(frozen=True, slots=True)
class CredentialOptions:
    """The options `--user`, `--password-file` and `--netrc-file`.

    netrc is not used with `insecure` (a note says so) nor with `netrc=False` (no note).
    """

    user: str | None = None
    password_file: PasswordFile | None = None
    netrc_file: str | None = None
    insecure: bool = False
    netrc: bool = True


def parse_login_target(text: str, schemes: Mapping[str, Scheme], tls: TlsMode | None) -> Target:
    """Parse a target of a protocol that has logins. Errors: `MalformedTarget`.

    A target without a scheme gets the default port of the first scheme whose TLS mode is `tls`, or of the first scheme
    of all if none has that mode.
    """
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
    """Choose the TLS mode and find the credentials for a target. `tls`: the option `--tls`; None = from the scheme.
    `encoding`: that of commands, if it may be another than UTF-8.

    Credentials from netrc may be sent in clear text if the target has a scheme or `--tls` was given. Errors: those of
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
    """Find the credentials for a target, add the notes to the session, and register the password for masking.

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
    """Find the credentials for a host: those of the target first, then those of the options, then those of netrc.

    Returns the credentials and the notes for the user. A user name without a password takes the password of the same
    user from the next source, never that of another user. `clear_text_ok`: the connection is encrypted, or the user
    allowed clear text. Errors: `LocalRead` if a file that an option names cannot be used, `Usage` for
    `--password-file` without a user name, and for a user name that cannot be sent.
    """
    if options.user is not None and _UNSENDABLE.search(options.user):
        raise Usage("--user: a user name cannot contain a CR, LF or NUL")
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
        raise Usage("--password-file without a user name: expected --user NAME, or NAME@ before the host")
    return (Credentials(user, None, source) if user is not None else None), notes


def clear_text_note(credentials: Credentials | None, peer: str) -> str | None:
    """Return the note for a password that is sent in clear text to another host. `peer`: the numeric address.

    None = there is no password, or the peer is on the loopback interface.
    """
    if credentials is None or credentials.password is None or peer == "::1" or peer.startswith("127."):
        return None
    return f"sending the password in clear text to {peer}"


def read_password_file(path: str) -> Secret:
    """Read a password from the first line of a file, without the line end (LF or CRLF). Errors: `LocalRead`.

    `path` may be any readable path, including a pipe such as `<(pass x)`; `-` is standard input, which the caller must
    have claimed. Reading stops after the first line; waiting for that line has no limit.
    """
    line, name = b"", "standard input" if path == STDIN else path
    with open_to_read(path) if path != STDIN else _standard_input() as descriptor:
        for chunk in read_chunks(descriptor, name):
            line += chunk
            if b"\n" in chunk:
                break
    first = line.partition(b"\n")[0].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    if not first:
        raise LocalRead(f"{name}: expected a password in the first line, got nothing")
    if _UNSENDABLE.search(first):
        raise LocalRead(f"{name}: a password cannot contain a CR or NUL")
    return Secret(first)


def _netrc_entry(
    host: str, user: str | None, options: CredentialOptions, clear_text_ok: bool
) -> tuple[NetrcEntry | None, list[str]]:
    """Find the first netrc entry for the host and, if given, the user.

    Returns no entry and a note if there is an entry that may not be used. Errors: `LocalRead` if the file of
    `--netrc-file` cannot be used.
    """
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
        return None, [f"netrc not used: {error.message}"] if allowed else []
    for entry in entries:
        if entry.machine.lower() == host.lower() and entry.login and user in (None, entry.login):
            if allowed:
                return entry, []
            clear_text = "in clear text; a URL with its scheme, or --tls off, allows it"
            why = "with --insecure" if options.insecure else clear_text
            return None, [f"{path}: not used {why}"]
    return None, []


@contextmanager
def _standard_input() -> Iterator[int]:
    """Yield the descriptor of standard input, which stays open. An error while reading becomes `LocalRead`."""
    try:
        yield 0
    except OSError as error:
        raise read_error("standard input", error) from error
