"""What `inetcli ftp get` does with one target: find out what is meant, download it, tell about it."""

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Job, Work
from inetcli.errors import FileExists, MalformedTarget
from inetcli.files import safe_name
from inetcli.protocols.ftp.client import Source, Wish, download
from inetcli.protocols.ftp.control import ANONYMOUS
from inetcli.protocols.ftp.model import Download, Security
from inetcli.protocols.ftp.view import download_record, show_download
from inetcli.wire.target import Target, decode_path, parse_target

STDOUT = "-"
SCHEMES: dict[str, int | None] = {"ftp": 21, "ftpes": 21, "ftps": 990}
_SECURITY = {"ftp": Security.OFF, "ftpes": Security.EXPLICIT, "ftps": Security.IMPLICIT}
_DEFAULTS = {None: "ftp", "off": "ftp", "explicit": "ftpes", "implicit": "ftps"}


def getting(
    options: Options,
    *,
    output: str | None,
    directory: str | None,
    force: bool,
    skip_existing: bool,
    sha256: bool,
    tls: str | None,
) -> Work:
    """The work on each target of `ftp get`; the arguments are its options."""

    def work(job: Job) -> Answer:
        where = parse_target(job.text, SCHEMES, _DEFAULTS[tls])
        path = _remote_path(where)
        wish = Wish(output or safe_name(path.rpartition("/")[2]), directory, force, sha256)
        source = _source(job, where, path, options, tls)
        job.record["path"] = wish.path
        try:
            done = download(
                job.session,
                source,
                wish,
                stdout=job.stdout_descriptor() if output == STDOUT else None,
                progress=job.progress.advance,
                expect=job.progress.expect,
            )
        except FileExists:
            if not skip_existing:
                raise
            done = Download(wish.path, 0, None, None, 0.0, None, "none", skipped=True)
        return _answer(job, done)

    return work


def _remote_path(where: Target) -> str:
    """The path as the server takes it: relative to the login's folder, absolute with a slash in front (RFC 1738)."""
    path = decode_path(where.path or "", where.text)
    if not path or path.endswith("/"):
        raise MalformedTarget(f"{where.text}: a file's path is needed: host/path")
    return path


def _source(job: Job, where: Target, path: str, options: Options, tls: str | None) -> Source:
    security = Security(tls) if tls else _SECURITY[where.scheme]
    said = "://" in where.text or tls is not None
    who = job.credentials(where, options.credentials(), clear_text_ok=security is not Security.OFF or said)
    return Source(where.host, where.port, path, security, who or ANONYMOUS)


def _answer(job: Job, done: Download) -> Answer:
    remarks = [show_download(done)] if job.on_terminal else []
    return Answer(record=download_record(done), remarks=remarks, tls=done.tls)
