"""`ftp ls`: the listing of folders."""

from collections.abc import Sequence

from inetcli.cli.options import Options
from inetcli.cli.task import Row, TargetResult, TargetRun
from inetcli.protocols.ftp.jobs.target import FtpContext, FtpTarget, FtpTask, run_ftp_targets
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.protocols.ftp.view import entry_to_json, format_entry


def run_ls(options: Options, targets: Sequence[str], ftp_options: FtpOptions, *, long: bool) -> int:
    """Run `ftp ls` and return the exit code."""
    return run_ftp_targets(
        options, targets, ftp_options, lambda context, target: ListFolder(context, target, long=long)
    )


class ListFolder(FtpTask):
    """The listing of one folder."""

    def __init__(self, context: FtpContext, target: FtpTarget, *, long: bool) -> None:
        super().__init__(context, target)
        self._long = long

    def attempt(self, run: TargetRun) -> TargetResult:
        entries = self.ftp(run).list(self.target.folder).entries
        return TargetResult(
            lines=(format_entry(entry, long=self._long) for entry in entries),
            rows=(entry_to_json(entry) for entry in entries),
        )

    def known_fields(self) -> Row:
        return {}
