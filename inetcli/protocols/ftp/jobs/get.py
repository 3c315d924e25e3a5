"""`ftp get`: one file, what a pattern matches, or what is below a folder."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import Parts, SkippedPart, TargetResult, TargetRun, Task
from inetcli.destination import safe_name
from inetcli.errors import FileExists, MalformedTarget, Usage
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeers, ftp_peers
from inetcli.protocols.ftp.directory import base_name
from inetcli.protocols.ftp.jobs.target import STDIO, FtpContext, FtpTarget, FtpTask
from inetcli.protocols.ftp.local_file import LocalFile, LocalPath, open_local
from inetcli.protocols.ftp.model import Download, DownloadOptions, Entry, FtpOptions
from inetcli.protocols.ftp.server_state import ServerKey
from inetcli.protocols.ftp.tree import RemoteFile, Skipped, Walk, WalkLimits
from inetcli.protocols.ftp.view import download_to_json, format_download


@dataclass(frozen=True, slots=True)
class GetOptions:
    """The options of `ftp get`."""

    download: DownloadOptions = field(default_factory=DownloadOptions)
    output: str | None = None
    directory: str | None = None
    skip_existing: bool = False
    recursive: bool = False
    limits: WalkLimits = field(default_factory=WalkLimits)


def run_get(options: Options, targets: Sequence[str], ftp_options: FtpOptions, settings: GetOptions) -> int:
    """Run `ftp get`: the exit code."""
    one_stream = settings.output == STDIO or settings.recursive
    with ftp_peers(options.jobs) as peers:
        context = GetContext(options, ftp_options, peers, settings)
        return run_targets(options, targets, context.make_task, jobs=1 if one_stream else None)


class GetContext(FtpContext):
    """What the downloads of one command share: also the local names that are taken."""

    def __init__(self, options: Options, ftp_options: FtpOptions, peers: FtpPeers, settings: GetOptions) -> None:
        super().__init__(options, ftp_options, peers)
        self.settings = settings
        self._claimed: dict[str, FtpTask] = {}

    def make_task(self, text: str) -> Task:
        """The task of a target. `MalformedTarget`, `Usage`."""
        target = self.parse(text, patterns=True)
        if target.pattern or self.settings.recursive:
            if self.settings.output is not None:
                raise Usage("-o names one file: not with -r, and not with a pattern")
            return GetTree(self, target)
        if not target.path or target.path.endswith("/"):
            raise MalformedTarget(f"{target.where.text}: a file's path is needed: host/path")
        names = (self.settings.output or safe_name(base_name(target.path)),)
        return GetFile(self, target, target.path, LocalPath(names, self.settings.directory))

    def claim(self, path: LocalPath, task: FtpTask) -> None:
        """Claim a local name for one remote file. `FileExists` when another one of this command has it."""
        if self._claimed.setdefault(os.path.realpath(path.path), task) is not task:
            raise FileExists(f"{path.path}: another file of this command has that name")


class GetFile(FtpTask):
    """The download of one file. The local file, with what came of it, outlives a failed try."""

    def __init__(
        self,
        context: GetContext,
        target: FtpTarget,
        remote: str,
        local_path: LocalPath,
        entry: Entry | None = None,
    ) -> None:
        super().__init__(context, target)
        self._context = context
        self._remote = remote
        self._local_path = local_path
        self._entry = entry
        self._local: LocalFile | None = None
        self.path = local_path.path if context.settings.output != STDIO else STDIO
        settings = context.settings.download
        self.forbid_text(verify=settings.verify, resume=settings.resume)
        self._options = replace(settings, text=target.text)

    def attempt(self, run: TargetRun) -> TargetResult:
        ftp = self.ftp(run)
        if self._entry is not None and self._is_up_to_date(ftp, self._entry):
            return TargetResult(record=download_to_json(Download(self.path, size=self._entry.size, skipped=True)))
        try:
            local = self._open(run, ftp.peer.key)
            done = ftp.get(self._remote, local, self._options, run.progress)
        except FileExists:
            if not self._context.settings.skip_existing:
                raise
            done = Download(self.path, skipped=True)
        return _result(done, run)

    def close(self) -> None:
        if self._local is not None:
            self._local.destination.close()

    def _open(self, run: TargetRun, key: ServerKey) -> LocalFile:
        if self._local is None:
            if self._context.settings.output == STDIO:
                self._local_path = replace(self._local_path, descriptor=run.stdout_descriptor())
            else:
                self._context.claim(self._local_path, self)
            listed = self._entry.modified if self._entry else None
            self._local = open_local(self._local_path, self._options, _whose(key, self._remote), run.session, listed)
        return self._local

    def _is_up_to_date(self, ftp: Ftp, listed: Entry) -> bool:
        """Whether the file that is here has the size and the time of the one that was listed."""
        try:
            here = os.lstat(self._local_path.path)
        except OSError:
            return False
        if not stat.S_ISREG(here.st_mode) or listed.size != here.st_size or listed.modified is None:
            return False
        if listed.resolution > 1:  # LIST is not exact enough
            exact = ftp.modified(self._remote)
            if exact is not None:
                return int(exact.timestamp()) == int(here.st_mtime)
        return int(listed.modified.timestamp()) // listed.resolution == int(here.st_mtime) // listed.resolution


class GetTree(FtpTask):
    """The download of many files: what a pattern matches, or what is below a folder. Each file is a part."""

    def __init__(self, context: GetContext, target: FtpTarget) -> None:
        super().__init__(context, target)
        self._context = context
        self.path = context.settings.directory or "."

    def attempt(self, run: TargetRun) -> TargetResult:
        settings, folder = self._context.settings, self.target.folder
        ftp = self.ftp(run)
        walk = Walk(ftp.list, ftp.is_folder, settings.limits)
        found = walk.matching(folder, recursive=settings.recursive) if self.target.pattern else walk.below(folder)
        return TargetResult(
            record={"path": self.path},
            parts=Parts(
                items=_parts(found),
                name=lambda file: "/".join(file.names),
                make_task=self._make_part,
                jobs=self._context.options.jobs,
            ),
        )

    def known_fields(self) -> Mapping[str, object]:
        return {}

    def _make_part(self, file: RemoteFile) -> GetFile:
        part = GetFile(self._context, self.target, file.path, LocalPath(file.names, self.path), file.entry)
        part.peer = self.peer
        return part


def _result(done: Download, run: TargetRun) -> TargetResult:
    return TargetResult(record=download_to_json(done), status_lines=[format_download(done)] if run.on_terminal else [])


def _parts(found: Iterator[RemoteFile | Skipped]) -> Iterator[RemoteFile | SkippedPart]:
    for item in found:
        if isinstance(item, Skipped):
            yield SkippedPart(item.path, item.why, item.unsafe, item.error)
        else:
            yield item


def _whose(key: ServerKey, path: str) -> Mapping[str, object]:
    """Which remote file the first bytes of a local one are of."""
    return {"host": key.host, "port": key.port, "user": key.credentials.user, "path": path}
