"""`ftp put`: the upload of one file, of standard input, or of a folder with its contents."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import Parts, TargetResult, TargetRun, Task
from inetcli.errors import MalformedTarget
from inetcli.payload import open_payload
from inetcli.protocols.ftp.connect import FtpPeers, ftp_peers
from inetcli.protocols.ftp.jobs.target import STDIO, FtpContext, FtpTarget, FtpTask
from inetcli.protocols.ftp.model import FtpOptions, UploadOptions
from inetcli.protocols.ftp.tree import join, local_files
from inetcli.protocols.ftp.view import format_upload, upload_to_json


@dataclass(frozen=True, slots=True)
class PutOptions:
    """The options of `ftp put`."""

    upload: UploadOptions = field(default_factory=UploadOptions)
    recursive: bool = False


def run_put(options: Options, source: str, target: str, ftp_options: FtpOptions, settings: PutOptions) -> int:
    """Run `ftp put` and return the exit code."""
    reads_stdin = "FILE -" if source == STDIO else None
    with ftp_peers(1) as peers:
        context = PutContext(options, ftp_options, peers, settings.upload)
        make_task = PutTree if settings.recursive else PutFile
        return run_targets(
            options,
            [target],
            lambda text: make_task(context, context.parse(text), source),
            jobs=1,
            reads_stdin=reads_stdin,
        )


class PutContext(FtpContext):
    """The shared state of the uploads of one command."""

    def __init__(self, options: Options, ftp_options: FtpOptions, peers: FtpPeers, upload: UploadOptions) -> None:
        super().__init__(options, ftp_options, peers)
        self.upload = upload


class PutFile(FtpTask):
    """The upload of one file. `path`: the remote path; None = the path of the target."""

    def __init__(self, context: PutContext, target: FtpTarget, source: str, path: str | None = None) -> None:
        super().__init__(context, target)
        self._source = source
        self.path = _remote_path(target, source) if path is None else path
        self.forbid_text(verify=context.upload.verify, resume=context.upload.resume)
        self._options = replace(context.upload, text=target.is_text)

    def attempt(self, run: TargetRun) -> TargetResult:
        ftp = self.ftp(run)
        with open_payload(self._source) as payload:
            result = ftp.put(payload, self.path, self._options, run.progress)
        status_lines = [format_upload(result)] if run.on_terminal else []
        return TargetResult(record=upload_to_json(result), status_lines=status_lines)


class PutTree(FtpTask):
    """The upload of a local folder with its contents. Folders are made on the way; each file is a part."""

    def __init__(self, context: PutContext, target: FtpTarget, source: str) -> None:
        super().__init__(context, target)
        self._context = context
        self._source = source
        self.path = target.path.rstrip("/") or target.path

    def attempt(self, run: TargetRun) -> TargetResult:
        ftp = self.ftp(run)
        entries = local_files(self._source)
        if self.path.strip("/"):
            ftp.make_folder(self.path, parents=True)

        def files() -> Iterator[tuple[str, ...]]:
            for names, is_folder in entries:
                if is_folder:
                    ftp.make_folder(join(self.path, "/".join(names)), parents=True)
                else:
                    yield names

        return TargetResult(
            record={"path": self.path}, parts=Parts(items=files(), name="/".join, make_task=self._make_part)
        )

    def _make_part(self, names: tuple[str, ...]) -> Task:
        source, path = os.path.join(self._source, *names), join(self.path, "/".join(names))
        part = PutFile(self._context, self.target, source, path)
        part.peer = self.peer
        return part


def _remote_path(target: FtpTarget, source: str) -> str:
    """Return the remote path of a file; a target that ends with a slash is a folder for the file."""
    if target.path and not target.path.endswith("/"):
        return target.path
    if source == STDIO:
        raise MalformedTarget(f"{target.location.text}: expected a file name for standard input: host/path")
    return target.path + os.path.basename(source)
