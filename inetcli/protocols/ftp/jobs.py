"""What the commands of `inetcli ftp` do with a target: find out what is meant, do it, tell about it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Finished, Job, run_targets
from inetcli.errors import InetError, MalformedTarget, Usage
from inetcli.net.credentials import Scheme, parse_login_target, resolve_login
from inetcli.net.trust import TlsMode
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeer, FtpPeers, ftp_peers
from inetcli.protocols.ftp.directory import base_name
from inetcli.protocols.ftp.globs import has_glob
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.protocols.ftp.removal import remove_all
from inetcli.protocols.ftp.server_state import ANONYMOUS, ServerKey
from inetcli.protocols.ftp.view import (
    entry_to_json,
    format_entry,
)
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
    """A target, understood: the server, and the path there. `pattern`: the path's last component is one."""

    where: Target
    path: str
    pattern: bool
    text: bool
    server: FtpPeer


class Work:
    """What all commands share: their options, and the servers they meet."""

    def __init__(self, options: Options, way: FtpOptions, servers: FtpPeers) -> None:
        self.options = options
        self.way = way
        self.servers = servers
        self._credentials = options.credentials()

    def target(self, job: Job, *, patterns: bool = False) -> FtpTarget:
        """Understand a target. `MalformedTarget`."""
        mode = TlsMode(self.way.tls) if self.way.tls else None
        where = parse_login_target(job.text, SCHEMES, mode)
        raw, text = _split_type(where)
        pattern = patterns and has_glob(raw.rpartition("/")[2])
        path = _ENCODED.sub(_literal(where.text), raw) if pattern else decode_path(raw, where.text)
        login = resolve_login(job.session, where, SCHEMES, mode, self._credentials)
        key = ServerKey(
            host=where.host,
            port=where.port,
            tls=login.tls,
            credentials=login.credentials or ANONYMOUS,
            active=self.way.active,
            trust_pasv_address=self.way.trust_pasv_address,
            encoding=self.way.encoding,
        )
        return FtpTarget(where, path, pattern, text, self.servers[key])


def ls(options: Options, targets: Sequence[str], way: FtpOptions, *, long: bool) -> int:
    """`ftp ls`: the exit code."""
    with ftp_peers(options.jobs) as servers:
        work = Work(options, way, servers)

        def listing(job: Job) -> Answer:
            target = work.target(job)
            entries = Ftp(job.session, target.server).list(_folder(target.path)).entries
            return Answer(
                lines=[format_entry(entry, long=long) for entry in entries],
                rows=[entry_to_json(entry) for entry in entries],
            )

        return run_targets(options, targets, listing)


def pwd(options: Options, targets: Sequence[str], way: FtpOptions) -> int:
    """`ftp pwd`: the exit code."""

    def working(ftp: Ftp, _target: FtpTarget) -> str:
        return ftp.working_folder()

    return _on_paths(options, targets, way, working, needs_path=False, jobs=None, shows=True)


def rm(options: Options, targets: Sequence[str], way: FtpOptions, *, recursive: bool) -> int:
    """`ftp rm`: the exit code."""

    def remove(ftp: Ftp, target: FtpTarget) -> str:
        if recursive:
            remove_all(ftp, target.path.rstrip("/"))
        else:
            ftp.remove(target.path)
        return target.path

    return _on_paths(options, targets, way, remove)


def mkdir(options: Options, targets: Sequence[str], way: FtpOptions, *, parents: bool) -> int:
    """`ftp mkdir`: the exit code."""

    def make(ftp: Ftp, target: FtpTarget) -> str:
        ftp.make_folder(target.path.rstrip("/"), parents=parents)
        return target.path

    return _on_paths(options, targets, way, make)


def rmdir(options: Options, targets: Sequence[str], way: FtpOptions) -> int:
    """`ftp rmdir`: the exit code."""

    def remove(ftp: Ftp, target: FtpTarget) -> str:
        ftp.remove_folder(target.path.rstrip("/"))
        return target.path

    return _on_paths(options, targets, way, remove)


def mv(options: Options, target: str, to: str, way: FtpOptions) -> int:
    """`ftp mv`: the exit code."""

    def move(ftp: Ftp, target: FtpTarget) -> str:
        new = decode_path(to, to)
        if not new:
            raise MalformedTarget("NEWPATH is empty")
        if new.endswith("/"):
            new += base_name(target.path)
        ftp.move(target.path, new)
        return new

    return _on_paths(options, [target], way, move)


class TransferSummary:
    """What became of the many files of one target."""

    def __init__(self) -> None:
        self._files = self._bytes = self._skipped = self._failed = 0
        self._first: InetError | None = None

    def add(self, part: Finished) -> None:
        record = part.answer.record or {}
        size = record.get("bytes")
        if part.error:
            self._failed += 1
            self._first = self._first or part.error
        elif record.get("skipped"):
            self._skipped += 1
        else:
            self._files += 1
            self._bytes += size if isinstance(size, int) else 0

    def record(self) -> Mapping[str, object]:
        return {"files": self._files, "bytes": self._bytes, "skipped": self._skipped, "failed": self._failed}

    def show(self) -> str:
        return f"{self._files} files, {self._bytes} bytes; {self._skipped} were there, {self._failed} failed"

    def error(self) -> InetError | None:
        """The error of the whole: that of the first file which failed."""
        if self._first is None:
            return None
        total = self._files + self._skipped + self._failed
        error = type(self._first)(
            f"{self._failed} of {total} files failed, the first: {self._first.message}",
            reply_code=self._first.reply_code,
            reply=self._first.reply,
        )
        error.transient = False  # each had its tries
        return error


def _on_paths(
    options: Options,
    targets: Sequence[str],
    way: FtpOptions,
    act: Callable[[Ftp, FtpTarget], str],
    *,
    needs_path: bool = True,
    jobs: int | None = 1,
    shows: bool = False,
) -> int:
    """Do something to each target's path; `act` returns the path to tell."""
    with ftp_peers(options.jobs) as servers:
        work = Work(options, way, servers)

        def do(job: Job) -> Answer:
            target = work.target(job)
            job.record["path"] = target.path
            if needs_path and not target.path.strip("/"):
                raise MalformedTarget(f"{target.where.text}: a path is needed: host/path")
            path = act(Ftp(job.session, target.server), target)
            return Answer(lines=[path] if shows else [], record={"path": path})

        return run_targets(options, targets, do, jobs=jobs)


def check_text(target: FtpTarget, *, verify: bool, resume: bool) -> None:
    """That nothing is asked of text (`;type=a`) which only bytes can give. `Usage`."""
    if target.text and verify:
        raise Usage("--verify hash: the hash of a file is not that of its text in another form (;type=a)")
    if target.text and resume:
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
    """What is percent-encoded stands for itself in a pattern, also a star."""
    return lambda match: re.sub(r"([*?\[])", r"[\1]", decode_path(match[1], shown))


def _folder(path: str) -> str:
    return path.rstrip("/") if path.strip("/") else path
