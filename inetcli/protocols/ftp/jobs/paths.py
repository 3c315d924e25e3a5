"""`ftp mv`, `rm`, `mkdir`, `rmdir` and `pwd`: one operation on the path of each target."""

from collections.abc import Sequence

from inetcli.cli.options import Options
from inetcli.cli.task import TargetResult, TargetRun
from inetcli.errors import MalformedTarget
from inetcli.protocols.ftp.directories import remove_all
from inetcli.protocols.ftp.directory import base_name
from inetcli.protocols.ftp.jobs.target import FtpContext, FtpTarget, FtpTask, run_ftp_targets
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.wire.target import decode_path


def run_mv(options: Options, target: str, new_path: str, ftp_options: FtpOptions) -> int:
    """Run `ftp mv` and return the exit code."""
    return run_ftp_targets(options, [target], ftp_options, lambda context, old: Move(context, old, new_path), jobs=1)


def run_rm(options: Options, targets: Sequence[str], ftp_options: FtpOptions, *, recursive: bool) -> int:
    """Run `ftp rm` and return the exit code."""
    make_task = RemoveTree if recursive else Remove
    return run_ftp_targets(options, targets, ftp_options, make_task, jobs=1)


def run_mkdir(options: Options, targets: Sequence[str], ftp_options: FtpOptions, *, parents: bool) -> int:
    """Run `ftp mkdir` and return the exit code."""
    return run_ftp_targets(
        options, targets, ftp_options, lambda context, target: MakeFolder(context, target, parents=parents), jobs=1
    )


def run_rmdir(options: Options, targets: Sequence[str], ftp_options: FtpOptions) -> int:
    """Run `ftp rmdir` and return the exit code."""
    return run_ftp_targets(options, targets, ftp_options, RemoveFolder, jobs=1)


def run_pwd(options: Options, targets: Sequence[str], ftp_options: FtpOptions) -> int:
    """Run `ftp pwd` and return the exit code."""
    return run_ftp_targets(options, targets, ftp_options, WorkingFolder)


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
    """The removal of a file."""

    def attempt(self, run: TargetRun) -> TargetResult:
        self.ftp(run).remove(self.path)
        return self.result()


class RemoveTree(PathTask):
    """The removal of a folder with its contents, or of a file."""

    def attempt(self, run: TargetRun) -> TargetResult:
        remove_all(self.ftp(run), self.path.rstrip("/"))
        return self.result()


class MakeFolder(PathTask):
    """The creation of a folder; with `parents` also of the folders above it."""

    def __init__(self, context: FtpContext, target: FtpTarget, *, parents: bool) -> None:
        super().__init__(context, target)
        self._parents = parents

    def attempt(self, run: TargetRun) -> TargetResult:
        self.ftp(run).make_folder(self.path.rstrip("/"), parents=self._parents)
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
