"""`ftp mv`, `rm`, `mkdir`, `rmdir` and `pwd`: one thing done to the path of each target."""

from collections.abc import Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun
from inetcli.errors import MalformedTarget
from inetcli.protocols.ftp.connect import ftp_peers
from inetcli.protocols.ftp.directories import remove_all
from inetcli.protocols.ftp.directory import base_name
from inetcli.protocols.ftp.jobs.target import FtpContext, FtpTarget, FtpTask
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.wire.target import decode_path


@dataclass(frozen=True, slots=True)
class RmOptions:
    """The options of `ftp rm`."""

    recursive: bool = False


@dataclass(frozen=True, slots=True)
class MkdirOptions:
    """The options of `ftp mkdir`."""

    parents: bool = False


def run_mv(options: Options, target: str, new_path: str, ftp_options: FtpOptions) -> int:
    """Run `ftp mv`: the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, [target], lambda text: Move(context, context.parse(text), new_path), jobs=1)


def run_rm(options: Options, targets: Sequence[str], ftp_options: FtpOptions, settings: RmOptions) -> int:
    """Run `ftp rm`: the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: Remove(context, context.parse(text), settings), jobs=1)


def run_mkdir(options: Options, targets: Sequence[str], ftp_options: FtpOptions, settings: MkdirOptions) -> int:
    """Run `ftp mkdir`: the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: MakeFolder(context, context.parse(text), settings), jobs=1)


def run_rmdir(options: Options, targets: Sequence[str], ftp_options: FtpOptions) -> int:
    """Run `ftp rmdir`: the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: RemoveFolder(context, context.parse(text)), jobs=1)


def run_pwd(options: Options, targets: Sequence[str], ftp_options: FtpOptions) -> int:
    """Run `ftp pwd`: the exit code."""
    with ftp_peers(options.jobs) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: WorkingFolder(context, context.parse(text)))


class PathTask(FtpTask):
    """A task that changes what is at the target's path, which must be there."""

    def __init__(self, context: FtpContext, target: FtpTarget) -> None:
        super().__init__(context, target)
        if not target.path.strip("/"):
            raise MalformedTarget(f"{target.where.text}: a path is needed: host/path")

    def result(self) -> TargetResult:
        """The result of a try that went well."""
        return TargetResult(record={"path": self.path})


class Move(PathTask):
    """The renaming of a file or folder. JSON's `path` is the new one."""

    def __init__(self, context: FtpContext, target: FtpTarget, new_path: str) -> None:
        super().__init__(context, target)
        self._new_path = decode_path(new_path, new_path)
        if not self._new_path:
            raise MalformedTarget("NEWPATH is empty")
        if self._new_path.endswith("/"):
            self._new_path += base_name(target.path)

    def attempt(self, run: TargetRun) -> TargetResult:
        self.ftp(run).move(self.target.path, self._new_path)
        return TargetResult(record={"path": self._new_path})


class Remove(PathTask):
    """The removal of a file, or of a folder with all that is in it."""

    def __init__(self, context: FtpContext, target: FtpTarget, settings: RmOptions) -> None:
        super().__init__(context, target)
        self._settings = settings

    def attempt(self, run: TargetRun) -> TargetResult:
        ftp = self.ftp(run)
        if self._settings.recursive:
            remove_all(ftp, self.path.rstrip("/"))
        else:
            ftp.remove(self.path)
        return self.result()


class MakeFolder(PathTask):
    """The making of a folder."""

    def __init__(self, context: FtpContext, target: FtpTarget, settings: MkdirOptions) -> None:
        super().__init__(context, target)
        self._settings = settings

    def attempt(self, run: TargetRun) -> TargetResult:
        self.ftp(run).make_folder(self.path.rstrip("/"), parents=self._settings.parents)
        return self.result()


class RemoveFolder(PathTask):
    """The removal of an empty folder."""

    def attempt(self, run: TargetRun) -> TargetResult:
        self.ftp(run).remove_folder(self.path.rstrip("/"))
        return self.result()


class WorkingFolder(FtpTask):
    """The question for the folder that a login begins in."""

    def attempt(self, run: TargetRun) -> TargetResult:
        path = self.ftp(run).working_folder()
        return TargetResult(lines=[path], record={"path": path})
