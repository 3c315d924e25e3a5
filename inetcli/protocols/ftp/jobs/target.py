"""A target of FTP, and what the tasks of one command share: its options, its credentials, and the servers it meets."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.task import Row, TargetRun, Task
from inetcli.errors import MalformedTarget, Usage
from inetcli.net.credentials import CredentialOptions, Scheme, parse_login_target, resolve_login
from inetcli.net.trust import TlsMode
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeer, FtpPeers
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.protocols.ftp.server_state import ANONYMOUS, ServerKey
from inetcli.protocols.ftp.tree import has_glob
from inetcli.wire.target import Target, decode_path

STDIO = "-"
SCHEMES: Mapping[str, Scheme] = {
    "ftp": Scheme(21, TlsMode.OFF),
    "ftpes": Scheme(21, TlsMode.EXPLICIT),
    "ftps": Scheme(990, TlsMode.IMPLICIT),
}
_TYPE = re.compile(r";type=(.)$", re.IGNORECASE)
_ENCODED = re.compile(r"((?:%[0-9A-Fa-f]{2})+)")


@dataclass(frozen=True, slots=True)
class FtpTarget:
    """A parsed target. `path` is decoded; `pattern`: its last component is one; `text`: it asks for TYPE A."""

    where: Target
    path: str
    pattern: bool
    text: bool

    @property
    def folder(self) -> str:
        """The path as that of a folder: without its final slashes."""
        return self.path.rstrip("/") if self.path.strip("/") else self.path


class FtpContext:
    """What the tasks of one command share."""

    def __init__(self, options: Options, ftp_options: FtpOptions, peers: FtpPeers) -> None:
        self.options = options
        self.tls = TlsMode(ftp_options.tls) if ftp_options.tls else None
        self._ftp_options = ftp_options
        self._peers = peers
        self._credentials: CredentialOptions = options.credentials()

    def parse(self, text: str, *, patterns: bool = False) -> FtpTarget:
        """Parse a target. `MalformedTarget`."""
        where = parse_login_target(text, SCHEMES, self.tls)
        raw, as_text = _split_type(where)
        pattern = patterns and has_glob(raw.rpartition("/")[2])
        path = _ENCODED.sub(_literal(where.text), raw) if pattern else decode_path(raw, where.text)
        return FtpTarget(where, path, pattern, as_text)

    def peer(self, run: TargetRun, target: FtpTarget) -> FtpPeer:
        """The server of a target, with its login. Errors: those of `resolve_login`."""
        where = target.where
        encoding = self._ftp_options.encoding
        login = resolve_login(run.session, where, SCHEMES, self.tls, self._credentials, encoding=encoding)
        key = ServerKey(
            host=where.host,
            port=where.port,
            tls=login.tls,
            credentials=login.credentials or ANONYMOUS,
            active=self._ftp_options.active,
            trust_pasv_address=self._ftp_options.trust_pasv_address,
            encoding=encoding,
        )
        return self._peers[key]


class FtpTask(Task):
    """A task on one target of FTP. `path` is the one that JSON tells of."""

    def __init__(self, context: FtpContext, target: FtpTarget) -> None:
        self.context = context
        self.target = target
        self.path = target.path
        self.peer: FtpPeer | None = None
        """The server, once it is known."""

    def ftp(self, run: TargetRun) -> Ftp:
        """The dealings of a try with the target's server."""
        if self.peer is None:
            self.peer = self.context.peer(run, self.target)
        return Ftp(run.session, self.peer)

    def known_fields(self) -> Row:
        return {"path": self.path}

    def forbid_text(self, *, verify: bool, resume: bool) -> None:
        """Check that nothing is asked of text (`;type=a`) which only bytes can give. `Usage`."""
        if self.target.text and verify:
            raise Usage("--verify hash: the hash of a file is not that of its text in another form (;type=a)")
        if self.target.text and resume:
            raise Usage("--resume: a text has other bytes here than there (;type=a), and no place to go on from")


def _split_type(where: Target) -> tuple[str, bool]:
    """The path without `;type=...` (RFC 1738 section 3.2.2), and whether that asks for text."""
    raw = where.path or ""
    match = _TYPE.search(raw)
    if match is None:
        return raw, False
    if match[1].lower() not in "ai":
        raise MalformedTarget(f"{where.text}: {match[0]}: expected ;type=a or ;type=i (a listing: inetcli ftp ls)")
    return raw[: match.start()], match[1].lower() == "a"


def _literal(shown: str) -> Callable[[re.Match[str]], str]:
    """Percent-encoded characters stand for themselves in a pattern, also a star."""
    return lambda match: re.sub(r"([*?\[])", r"[\1]", decode_path(match[1], shown))
