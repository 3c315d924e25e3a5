"""`ftp mv`, `rm`, `mkdir`, `rmdir` and `pwd`: one operation on the path of each target."""

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
    """Run `ftp mv` and return the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, [target], lambda text: Move(context, context.parse(text), new_path), jobs=1)


def run_rm(options: Options, targets: Sequence[str], ftp_options: FtpOptions, settings: RmOptions) -> int:
    """Run `ftp rm` and return the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: Remove(context, context.parse(text), settings), jobs=1)


def run_mkdir(options: Options, targets: Sequence[str], ftp_options: FtpOptions, settings: MkdirOptions) -> int:
    """Run `ftp mkdir` and return the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: MakeFolder(context, context.parse(text), settings), jobs=1)


def run_rmdir(options: Options, targets: Sequence[str], ftp_options: FtpOptions) -> int:
    """Run `ftp rmdir` and return the exit code."""
    with ftp_peers(1) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: RemoveFolder(context, context.parse(text)), jobs=1)


def run_pwd(options: Options, targets: Sequence[str], ftp_options: FtpOptions) -> int:
    """Run `ftp pwd` and return the exit code."""
    with ftp_peers(options.jobs) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: WorkingFolder(context, context.parse(text)))


class PathTask(FtpTask):
    """A task that changes the file or folder at the target's path. The path must not be empty."""

    def __init__(self, context: FtpContext, target: FtpTarget) -> None:
        super().__init__(context, target)
        if not target.path.strip("/"):
            raise MalformedTarget(f"{target.location.text}: expected a path: host/path")

    def result(self) -> TargetResult:
        """Return the result of a successful attempt."""
        return TargetResult(record={"path": self.path})


class Move(PathTask):
    """The renaming of a file or folder. `path` in JSON is the new path."""

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
    """The removal of a file, or of a folder with its contents."""

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
    """The creation of a folder."""

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
    """The request for the login folder."""

    def attempt(self, run: TargetRun) -> TargetResult:
        path = self.ftp(run).working_folder()
        return TargetResult(lines=[path], record={"path": path})
