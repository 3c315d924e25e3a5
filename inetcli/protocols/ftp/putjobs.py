"""What `inetcli ftp put` does: one file, standard input, or all that is below a folder."""

import os
from collections.abc import Iterator
from dataclasses import replace

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Job, claim_stdin, run_targets
from inetcli.errors import MalformedTarget
from inetcli.payload import open_payload
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeers, ftp_peers
from inetcli.protocols.ftp.download import Watcher
from inetcli.protocols.ftp.jobs import STDIO, FtpTarget, TransferSummary, Work, check_text
from inetcli.protocols.ftp.model import FtpOptions
from inetcli.protocols.ftp.tree import join, local_files
from inetcli.protocols.ftp.upload import UploadOptions
from inetcli.protocols.ftp.view import format_upload, upload_to_json


def put(options: Options, source: str, target: str, way: FtpOptions, manner: UploadOptions, *, recursive: bool) -> int:
    """`ftp put`: the exit code."""
    with ftp_peers(1) as servers:
        work = _Put(options, way, servers, source, manner)
        return run_targets(options, [target], work.tree if recursive else work.file, jobs=1)


class _Put(Work):
    def __init__(
        self, options: Options, way: FtpOptions, servers: FtpPeers, source: str, manner: UploadOptions
    ) -> None:
        super().__init__(options, way, servers)
        self._source = source
        self._manner = manner

    def file(self, job: Job) -> Answer:
        target = self.target(job)
        path = target.path
        if not path or path.endswith("/"):
            if self._source == STDIO:
                raise MalformedTarget(f"{target.where.text}: a name is needed for what comes from standard input")
            path += os.path.basename(self._source)
        if self._source == STDIO and job.kept is None:
            claim_stdin("FILE -")
            job.kept = True
        return self._send(job, target, self._source, path)

    def tree(self, job: Job) -> Answer:
        """Everything below a local folder: the folders are made as they come, each file is a part of the target."""
        target = self.target(job)
        inside = local_files(self._source)
        ftp = Ftp(job.session, target.server)
        root = target.path.rstrip("/") or target.path
        if root.strip("/"):
            ftp.make_folder(root, parents=True)

        def files() -> Iterator[tuple[str, ...]]:
            for names, is_folder in inside:
                if is_folder:
                    ftp.make_folder(join(root, "/".join(names)), parents=True)
                else:
                    yield names

        parts = job.each(
            files(),
            "/".join,
            lambda part, names: self._send(
                part, target, os.path.join(self._source, *names), join(root, "/".join(names))
            ),
            jobs=1,
        )
        count = TransferSummary()
        for part in parts:
            count.add(part)
        remarks = [count.show()] if job.on_terminal else []
        return Answer(record={"path": root, **count.record()}, remarks=remarks, error=count.error())

    def _send(self, job: Job, target: FtpTarget, source: str, path: str) -> Answer:
        job.record["path"] = path
        check_text(target, verify=self._manner.verify, resume=self._manner.resume)
        manner = replace(self._manner, text=target.text)
        with open_payload(source) as payload:
            watcher = Watcher(job.progress.expect, job.progress.advance)
            done = Ftp(job.session, target.server).put(payload, path, manner, watcher)
        remarks = [format_upload(done)] if job.on_terminal else []
        return Answer(record=upload_to_json(done), remarks=remarks)
