"""`ftp ls`: the listing of folders."""

from collections.abc import Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import Row, TargetResult, TargetRun
from inetcli.protocols.ftp.connect import ftp_peers
from inetcli.protocols.ftp.jobs.target import FtpContext, FtpTarget, FtpTask
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.protocols.ftp.view import entry_to_json, format_entry


@dataclass(frozen=True, slots=True)
class LsOptions:
    """The options of `ftp ls`."""

    long: bool = False


def run_ls(options: Options, targets: Sequence[str], ftp_options: FtpOptions, settings: LsOptions) -> int:
    """Run `ftp ls` and return the exit code."""
    with ftp_peers(options.jobs) as peers:
        context = FtpContext(options, ftp_options, peers)
        return run_targets(options, targets, lambda text: ListFolder(context, context.parse(text), settings))


class ListFolder(FtpTask):
    """The listing of one folder."""

    def __init__(self, context: FtpContext, target: FtpTarget, settings: LsOptions) -> None:
        super().__init__(context, target)
        self._settings = settings

    def attempt(self, run: TargetRun) -> TargetResult:
        entries = self.ftp(run).list(self.target.folder).entries
        return TargetResult(
            lines=(format_entry(entry, long=self._settings.long) for entry in entries),
            rows=(entry_to_json(entry) for entry in entries),
        )

    def known_fields(self) -> Row:
        return {}
