"""What `inetcli ftp get` does with a target: one file, what a pattern matches, or what is below a folder."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Job, run_targets
from inetcli.destination import safe_name
from inetcli.errors import FileExists, Incomplete, InetError, MalformedTarget, Usage
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeers, ftp_peers
from inetcli.protocols.ftp.directory import base_name
from inetcli.protocols.ftp.download import DownloadOptions, LocalFile, LocalPath, Watcher, open_local
from inetcli.protocols.ftp.jobs import STDIO, FtpTarget, TransferSummary, Work, check_text
from inetcli.protocols.ftp.model import Download, FtpOptions
from inetcli.protocols.ftp.tree import RemoteFile, Skipped, Walk, WalkLimits
from inetcli.protocols.ftp.view import download_to_json, format_download


@dataclass(frozen=True, slots=True)
class GetOptions:
    """The options of `ftp get`."""

    wish: DownloadOptions
    output: str | None = None
    directory: str | None = None
    skip_existing: bool = False
    recursive: bool = False
    limits: WalkLimits = field(default_factory=WalkLimits)


def get(options: Options, targets: Sequence[str], way: FtpOptions, getting: GetOptions) -> int:
    """`ftp get`: the exit code."""
    one_stream = getting.output == STDIO or getting.recursive
    with ftp_peers(options.jobs) as servers:
        work = _Get(options, way, servers, getting)
        return run_targets(options, targets, work.work, jobs=1 if one_stream else None)


class _Get(Work):
    def __init__(self, options: Options, way: FtpOptions, servers: FtpPeers, getting: GetOptions) -> None:
        super().__init__(options, way, servers)
        self._getting = getting
        self._claimed: dict[str, Job] = {}

    def work(self, job: Job) -> Answer:
        getting = self._getting
        target = self.target(job, patterns=True)
        if target.pattern or getting.recursive:
            if getting.output is not None:
                raise Usage("-o names one file: not with -r, and not with a pattern")
            return self._many(job, target)
        if not target.path or target.path.endswith("/"):
            raise MalformedTarget(f"{target.where.text}: a file's path is needed: host/path")
        names = (getting.output or safe_name(base_name(target.path)),)
        descriptor = job.stdout_descriptor() if getting.output == STDIO else None
        place = LocalPath(names, getting.directory, descriptor)
        return self._one(job, target, target.path, place)

    def _one(self, job: Job, target: FtpTarget, path: str, place: LocalPath, listed: datetime | None = None) -> Answer:
        job.record["path"] = place.path
        wish = self._wish(target)
        try:
            if job.kept is None:
                self._claim(place, job)
                job.kept = local = open_local(place, wish, _whose(target, path), job.session, listed)
                job.lasting.enter_context(local.destination)
            assert isinstance(job.kept, LocalFile)
            watcher = Watcher(job.progress.expect, job.progress.advance)
            done = Ftp(job.session, target.server).get(path, place, job.kept, wish, watcher)
        except FileExists:
            if not self._getting.skip_existing:
                raise
            done = Download(place.path, skipped=True)
        remarks = [format_download(done)] if job.on_terminal else []
        return Answer(record=download_to_json(done), remarks=remarks)

    def _claim(self, place: LocalPath, job: Job) -> None:
        """A local name is for one remote file: `FileExists` when another one of this command has it."""
        if place.descriptor is None and self._claimed.setdefault(os.path.realpath(place.path), job) is not job:
            raise FileExists(f"{place.path}: another file of this command has that name")

    def _wish(self, target: FtpTarget) -> DownloadOptions:
        wish = self._getting.wish
        check_text(target, verify=wish.verify, resume=wish.resume)
        return replace(wish, text=target.text)

    # Many files

    def _many(self, job: Job, target: FtpTarget) -> Answer:
        """What a pattern matches, or what is below a folder: each file is a part of the target."""
        getting = self._getting
        ftp = Ftp(job.session, target.server)
        walk = Walk(ftp.list, ftp.is_folder, getting.limits)
        folder = target.path.rstrip("/") if target.path.strip("/") else target.path
        found = walk.matching(folder, recursive=getting.recursive) if target.pattern else walk.below(folder)
        passed: list[Skipped] = []
        parts = job.each(
            _keep_files(found, passed, job),
            lambda file: "/".join(file.names),
            lambda part, file: self._part(part, target, file),
            jobs=self.options.jobs,
        )
        count = TransferSummary()
        for part in parts:
            count.add(part)
        record = {"path": getting.directory or ".", **count.record()}
        error = count.error() or _left_out(passed)
        remarks = [count.show()] if job.on_terminal else []
        return Answer(record=record, remarks=remarks, error=error)

    def _part(self, job: Job, target: FtpTarget, file: RemoteFile) -> Answer:
        place = LocalPath(file.names, self._getting.directory or ".")
        job.record["path"] = place.path
        if self._is_here(job, target, file, place):
            return Answer(record=download_to_json(Download(place.path, size=file.entry.size, skipped=True)))
        return self._one(job, target, file.path, place, file.entry.modified)

    def _is_here(self, job: Job, target: FtpTarget, file: RemoteFile, place: LocalPath) -> bool:
        """Whether the file that is here has the size and the time of the remote one."""
        try:
            here = os.lstat(place.path)
        except OSError:
            return False
        remote = file.entry
        if not stat.S_ISREG(here.st_mode) or remote.size != here.st_size or remote.modified is None:
            return False
        if remote.resolution > 1:  # LIST is not exact enough
            exact = Ftp(job.session, target.server).modified(file.path)
            if exact is not None:
                return int(exact.timestamp()) == int(here.st_mtime)
        return int(remote.modified.timestamp()) // remote.resolution == int(here.st_mtime) // remote.resolution


def _keep_files(found: Iterator[RemoteFile | Skipped], passed: list[Skipped], job: Job) -> Iterator[RemoteFile]:
    for item in found:
        if isinstance(item, Skipped):
            passed.append(item)
            job.session.note(f"{item.path}: passed over: {item.why}")
        else:
            yield item


def _left_out(passed: list[Skipped]) -> InetError | None:
    """The error of a whole of which each file that was found is here: what could not be listed, or cannot be named."""
    for item in passed:
        if item.error:
            return item.error
    count = sum(item.unsafe for item in passed)
    return Incomplete(f"{count} listed names cannot be names of files here") if count else None


def _whose(target: FtpTarget, path: str) -> Mapping[str, object]:
    key = target.server.key
    return {"host": key.host, "port": key.port, "user": key.credentials.user, "path": path}
