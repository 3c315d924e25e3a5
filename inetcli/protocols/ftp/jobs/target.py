"""The parsed target of FTP, and the shared state of the tasks of one command: options, credentials and servers."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import Row, TargetRun, Task
from inetcli.errors import MalformedTarget, Usage
from inetcli.net.credentials import CredentialOptions, Scheme, parse_login_target, resolve_login
from inetcli.net.trust import TlsMode
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeer, FtpPeers, ftp_peers
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
    """A parsed target. `path` is decoded; `is_pattern`: its last component is a pattern; `is_text`: TYPE A."""

    location: Target
    path: str
    is_pattern: bool
    is_text: bool

    @property
    def folder(self) -> str:
        """The path as the path of a folder: without its final slashes."""
        return self.path.rstrip("/") if self.path.strip("/") else self.path


class FtpContext:
    """The shared state of the tasks of one command."""

    def __init__(self, options: Options, ftp_options: FtpOptions, peers: FtpPeers) -> None:
        self.options = options
        self.tls = TlsMode(ftp_options.tls) if ftp_options.tls else None
        self._ftp_options = ftp_options
        self._peers = peers
        self._credentials: CredentialOptions = options.credentials()

    def parse(self, text: str, *, allow_patterns: bool = False) -> FtpTarget:
        """Parse a target. `MalformedTarget`."""
        location = parse_login_target(text, SCHEMES, self.tls)
        raw, as_text = _split_type(location)
        is_pattern = allow_patterns and has_glob(raw.rpartition("/")[2])
        path = _ENCODED.sub(_literal(location.text), raw) if is_pattern else decode_path(raw, location.text)
        return FtpTarget(location, path, is_pattern, as_text)

    def peer(self, run: TargetRun, target: FtpTarget) -> FtpPeer:
        """Return the server of a target, with its login. Errors: those of `resolve_login`."""
        location = target.location
        encoding = self._ftp_options.encoding
        login = resolve_login(run.session, location, SCHEMES, self.tls, self._credentials, encoding=encoding)
        key = ServerKey(
            host=location.host,
            port=location.port,
            tls=login.tls,
            credentials=login.credentials or ANONYMOUS,
            active=self._ftp_options.active,
            trust_pasv_address=self._ftp_options.trust_pasv_address,
            encoding=encoding,
        )
        return self._peers[key]


class FtpTask(Task):
    """A task on one FTP target. `path` is the path in JSON."""

    def __init__(self, context: FtpContext, target: FtpTarget) -> None:
        self.context = context
        self.target = target
        self.path = target.path
        self.peer: FtpPeer | None = None
        """The server; None = the login is not resolved yet."""

    def ftp(self, run: TargetRun) -> Ftp:
        """Return the client for the operations of one attempt."""
        if self.peer is None:
            self.peer = self.context.peer(run, self.target)
        return Ftp(run.session, self.peer)

    def known_fields(self) -> Row:
        return {"path": self.path}

    def forbid_text(self, *, verify: bool, resume: bool) -> None:
        """Check that no option that needs the exact bytes is combined with text (`;type=a`). Errors: `Usage`."""
        if self.target.is_text and verify:
            raise Usage("--verify hash cannot be combined with ;type=a: the server hashes the original file")
        if self.target.is_text and resume:
            raise Usage("--resume cannot be combined with ;type=a: converted text has other byte positions")


def run_ftp_targets(
    options: Options,
    targets: Sequence[str],
    ftp_options: FtpOptions,
    make_task: Callable[[FtpContext, FtpTarget], FtpTask],
    *,
    jobs: int | None = None,
) -> int:
    """Run a command over its targets, with a task for each, and return the exit code. `jobs`: as in `run_targets`."""
    with ftp_peers(jobs or options.jobs) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: make_task(context, context.parse(text)), jobs=jobs)


def _split_type(location: Target) -> tuple[str, bool]:
    """Split `;type=...` (RFC 1738 section 3.2.2) from the path; return the path, and whether text is requested."""
    raw = location.path or ""
    match = _TYPE.search(raw)
    if match is None:
        return raw, False
    if match[1].lower() not in "ai":
        raise MalformedTarget(f"{location.text}: {match[0]}: expected ;type=a or ;type=i (a listing: inetcli ftp ls)")
    return raw[: match.start()], match[1].lower() == "a"


def _literal(shown: str) -> Callable[[re.Match[str]], str]:
    """Return a replacement for percent-encoded characters in a pattern: they match themselves, also a star."""
    return lambda match: re.sub(r"([*?\[])", r"[\1]", decode_path(match[1], shown))
