"""`inetcli ftp get`."""

import click

from inetcli.cli.options import Command, Options, shared_options, usage
from inetcli.cli.targets import Answer, Job, run_targets
from inetcli.errors import FileExists, MalformedTarget
from inetcli.files import safe_name
from inetcli.net.credentials import find_credentials
from inetcli.protocols.ftp.client import Source, Wish, download
from inetcli.protocols.ftp.control import ANONYMOUS
from inetcli.protocols.ftp.model import Download, Security
from inetcli.protocols.ftp.view import download_record, show_download
from inetcli.wire.target import Target, decode_path, parse_target

STDOUT = "-"
SCHEMES: dict[str, int | None] = {"ftp": 21, "ftpes": 21, "ftps": 990}
_SECURITY = {"ftp": Security.OFF, "ftpes": Security.EXPLICIT, "ftps": Security.IMPLICIT}
_DEFAULTS = {None: "ftp", "off": "ftp", "explicit": "ftpes", "implicit": "ftps"}


@click.group("ftp", no_args_is_help=True)
def ftp() -> None:
    """Get files from FTP servers."""


@ftp.command("get", cls=Command)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("-o", "--output", metavar="FILE|-", help="Save under this name; - is standard output.")
@click.option("-P", "--directory", metavar="DIR", help="Save into this folder; it is made when it is not there.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--skip-existing", is_flag=True, help="Leave a file that is there, and call it done.")
@click.option("--sha256", is_flag=True, help="Tell the SHA-256 of what came (with --json).")
@click.option("--tls", type=click.Choice(["off", "explicit", "implicit"]), help="TLS; the scheme says it, too.")
@shared_options(tls=True, credentials=True)
def get(
    options: Options,
    targets: tuple[str, ...],
    output: str | None,
    directory: str | None,
    force: bool,
    skip_existing: bool,
    sha256: bool,
    tls: str | None,
) -> int:
    """Get files: each is checked against its announced size before it takes its name.

    \b
    Examples:
      inetcli ftp get ftp.example.net/pub/nightly.iso
      inetcli ftp get -P mirror ftpes://ftp.example.net/a.txt ftpes://ftp.example.net/b.txt
      inetcli ftp get -o - ftp.example.net/pub/log.gz | zcat
    """
    if output is not None and (len(targets) != 1 or options.input is not None):
        raise usage("-o names one file: it takes one target.")
    if output is not None and directory is not None:
        raise usage("-o and -P exclude each other.")
    if output == STDOUT and options.json:
        raise usage("--json and -o - both want standard output.")

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

    return run_targets(options, targets, work, jobs=1 if output == STDOUT else None)


def _remote_path(where: Target) -> str:
    """The path as the server takes it: relative to the login's folder, absolute with a slash in front (RFC 1738)."""
    path = decode_path(where.path or "", where.text)
    if not path or path.endswith("/"):
        raise MalformedTarget(f"{where.text}: a file's path is needed: host/path")
    return path


def _source(job: Job, where: Target, path: str, options: Options, tls: str | None) -> Source:
    security = Security(tls) if tls else _SECURITY[where.scheme]
    said = "://" in where.text or tls is not None
    who, notes = find_credentials(
        where.host,
        url_user=where.user,
        url_password=where.password,
        options=options.credentials(),
        clear_text_ok=security is not Security.OFF or said,
    )
    for note in notes:
        job.session.note(note)
    return Source(where.host, where.port, path, security, who or ANONYMOUS)


def _answer(job: Job, done: Download) -> Answer:
    remarks = [show_download(done)] if job.on_terminal else []
    return Answer(record=download_record(done), remarks=remarks, tls=done.tls)
