"""`ftp get`: the download of one file, of the files that match a pattern, or of a folder with its contents."""

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
    """Run `ftp get` and return the exit code."""
    one_stream = settings.output == STDIO or settings.recursive
    with ftp_peers(options.jobs) as peers:
        context = GetContext(options, ftp_options, peers, settings)
        return run_targets(options, targets, context.make_task, jobs=1 if one_stream else None)


class GetContext(FtpContext):
    """The shared state of the downloads of one command, including the local names that are in use."""

    def __init__(self, options: Options, ftp_options: FtpOptions, peers: FtpPeers, settings: GetOptions) -> None:
        super().__init__(options, ftp_options, peers)
        self.settings = settings
        self._claimed: dict[str, FtpTask] = {}

    def make_task(self, text: str) -> Task:
        """Make the task of a target. `MalformedTarget`, `Usage`."""
        target = self.parse(text, allow_patterns=True)
        if target.is_pattern or self.settings.recursive:
            if self.settings.output is not None:
                raise Usage("-o names one file and cannot be combined with -r or a pattern")
            return GetTree(self, target)
        if not target.path or target.path.endswith("/"):
            raise MalformedTarget(f"{target.location.text}: expected the path of a file: host/path")
        names = (self.settings.output or safe_name(base_name(target.path)),)
        return GetFile(self, target, target.path, LocalPath(names, self.settings.directory))

    def claim(self, path: LocalPath, task: FtpTask) -> None:
        """Reserve a local path for one task. `FileExists` if another task of this command has reserved it."""
        if self._claimed.setdefault(os.path.realpath(path.path), task) is not task:
            raise FileExists(f"{path.path}: another file of this command uses the same local name")


class GetFile(FtpTask):
    """The download of one file. The local file, with the bytes received so far, is kept over all attempts."""

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
        self._options = replace(settings, text=target.is_text)

    def attempt(self, run: TargetRun) -> TargetResult:
        ftp = self.ftp(run)
        if self._entry is not None and self._is_up_to_date(ftp, self._entry):
            return TargetResult(record=download_to_json(Download(self.path, size=self._entry.size, skipped=True)))
        try:
            local = self._open(run, ftp.peer.key)
            result = ftp.get(self._remote, local, self._options, run.progress)
        except FileExists:
            if not self._context.settings.skip_existing:
                raise
            result = Download(self.path, skipped=True)
        return _result(result, run)

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
            identity = _remote_identity(key, self._remote)
            self._local = open_local(self._local_path, self._options, identity, run.session, listed)
        return self._local

    def _is_up_to_date(self, ftp: Ftp, listed: Entry) -> bool:
        """Return whether the local file has the size and the modification time of the listed file."""
        try:
            local_stat = os.lstat(self._local_path.path)
        except OSError:
            return False
        if not stat.S_ISREG(local_stat.st_mode) or listed.size != local_stat.st_size or listed.modified is None:
            return False
        if listed.resolution > 1:  # The time of LIST is not precise enough.
            exact = ftp.modified(self._remote)
            if exact is not None:
                return int(exact.timestamp()) == int(local_stat.st_mtime)
        return int(listed.modified.timestamp()) // listed.resolution == int(local_stat.st_mtime) // listed.resolution


class GetTree(FtpTask):
    """The download of many files: those that match a pattern, or those below a folder. Each file is a part."""

    def __init__(self, context: GetContext, target: FtpTarget) -> None:
        super().__init__(context, target)
        self._context = context
        self.path = context.settings.directory or "."

    def attempt(self, run: TargetRun) -> TargetResult:
        settings, folder = self._context.settings, self.target.folder
        ftp = self.ftp(run)
        walk = Walk(ftp.list, ftp.is_folder, settings.limits)
        if self.target.is_pattern:
            files = walk.files_matching(folder, recursive=settings.recursive)
        else:
            files = walk.files_below(folder)
        return TargetResult(
            record={"path": self.path},
            parts=Parts(
                items=_parts(files),
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


def _result(download: Download, run: TargetRun) -> TargetResult:
    status_lines = [format_download(download)] if run.on_terminal else []
    return TargetResult(record=download_to_json(download), status_lines=status_lines)


def _parts(files: Iterator[RemoteFile | Skipped]) -> Iterator[RemoteFile | SkippedPart]:
    for item in files:
        if isinstance(item, Skipped):
            yield SkippedPart(item.path, item.reason, item.unsafe, item.error)
        else:
            yield item


def _remote_identity(key: ServerKey, path: str) -> Mapping[str, object]:
    """Return the identity of a remote file, which is stored with a part file."""
    return {"host": key.host, "port": key.port, "user": key.credentials.user, "path": path}
