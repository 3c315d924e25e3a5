"""`inetcli ftp`: get, put, ls, mv, rm, mkdir, rmdir, pwd."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.option_types import FileName, FolderName, Size
from inetcli.cli.options import Options, ProtocolCommand, shared_options, usage_error
from inetcli.defaults import MAX_DEPTH, MAX_FILES

if TYPE_CHECKING:
    from inetcli.protocols.ftp.model import FtpOptions

STDIO = "-"


@click.group("ftp", cls=ProtocolGroup)
def ftp() -> None:
    """Transfer, list and manage files on FTP servers.

    \b
    Examples:
      inetcli ftp get ftp.example.net/pub/nightly.iso
      inetcli ftp put report.pdf ftpes://ftp.example.net/incoming/
    """


def with_ftp_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that all FTP commands have; the command receives them as `ftp_options`."""

    @click.option(
        "--tls", type=click.Choice(["off", "explicit", "implicit"]), help="TLS mode (default: from the URL scheme)."
    )
    @click.option("--active", is_flag=True, help="Let the server connect to us for data (EPRT, PORT).")
    @click.option(
        "--trust-pasv-address", is_flag=True, help="Connect to the address in the PASV reply instead of the server's."
    )
    @click.option(
        "--encoding",
        type=Encoding(),
        metavar="NAME",
        help="Character set of file names if the server does not use UTF-8.",
    )
    @functools.wraps(function)
    def call(
        *args: Any, tls: str | None, active: bool, trust_pasv_address: bool, encoding: str | None, **arguments: Any
    ) -> Any:
        from inetcli.protocols.ftp.model import FtpOptions

        return function(*args, ftp_options=FtpOptions(tls, active, trust_pasv_address, encoding), **arguments)

    return call


class Encoding(click.ParamType[str]):
    """The parameter type for a character set that Python supports."""

    name = "encoding"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        import codecs

        try:
            return codecs.lookup(str(value)).name
        except (LookupError, ValueError):
            self.fail(f"expected a character set such as latin-1, got {value!r}", param, ctx)


@ftp.command("get", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("-o", "--output", type=FileName(), metavar="FILE|-", help="Save as this file; - means standard output.")
@click.option(
    "-P", "--directory", type=FolderName(), metavar="DIR", help="Save into this folder, which is made if it is missing."
)
@click.option("-r", "--recursive", is_flag=True, help="Download whole folders; skip files that are up to date.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--skip-existing", is_flag=True, help="Skip a file that exists already, without an error.")
@click.option("--resume", is_flag=True, help="Keep a partial file after a failure and continue it the next time.")
@click.option("--sha256", is_flag=True, help="Add the SHA-256 of the file to the JSON output.")
@click.option("--verify", type=click.Choice(["hash"]), metavar="hash", help="Compare with the server's hash (HASH).")
@click.option("--max-size", type=Size(), metavar="N", help="Reject a file larger than N bytes.")
@click.option("--limit-rate", type=Size(), metavar="N", help="Receive at most N bytes/s for each file.")
@click.option(
    "--max-depth",
    type=click.IntRange(0, 1000),
    default=MAX_DEPTH,
    metavar="N",
    help="With -r, descend at most N folders.",
)
@click.option(
    "--max-files",
    type=click.IntRange(1),
    default=MAX_FILES,
    metavar="N",
    help="With -r, stop after N files and folders.",
)
@with_ftp_options
@shared_options(tls=True, credentials=True)
def get(
    options: Options,
    targets: tuple[str, ...],
    *,
    ftp_options: "FtpOptions",
    output: str | None,
    directory: str | None,
    recursive: bool,
    force: bool,
    skip_existing: bool,
    resume: bool,
    sha256: bool,
    verify: str | None,
    max_size: int | None,
    limit_rate: int | None,
    max_depth: int,
    max_files: int,
) -> int:
    """Download files, each checked against its announced size.

    \b
    Examples:
      inetcli ftp get ftp.example.net/pub/nightly.iso
      inetcli ftp get -o - ftp.example.net/pub/log.gz | zcat
      inetcli ftp get --resume --retries 5 ftpes://ftp.example.net/pub/nightly.iso
      inetcli ftp get -r -P mirror ftp.example.net/pub

    A file gets its name after its size was checked, and keeps its modification time. A pattern in the last component
    (*.iso) selects all matching files.
    """
    if output not in (None, STDIO) and (len(targets) != 1 or options.input is not None):
        raise usage_error("-o FILE can only be used with one target.")
    if output is not None and directory is not None:
        raise usage_error("-o and -P exclude each other.")
    if output is not None and recursive:
        raise usage_error("-o and -r exclude each other: use -P DIR with -r.")
    if output == STDIO and options.json:
        raise usage_error("--json and -o - exclude each other: both write to standard output.")
    if output == STDIO and resume:
        raise usage_error("--resume and -o - exclude each other: standard output cannot be resumed.")

    from inetcli.protocols.ftp.jobs.get import GetOptions, run_get
    from inetcli.protocols.ftp.model import DownloadOptions
    from inetcli.protocols.ftp.tree import WalkLimits

    download = DownloadOptions(
        force=force, resume=resume, sha256=sha256, verify=verify is not None, max_size=max_size, rate=limit_rate
    )
    limits = WalkLimits(max_depth, max_files)
    settings = GetOptions(download, output, directory, skip_existing, recursive, limits)
    return run_get(options, targets, ftp_options, settings)


@ftp.command("put", cls=ProtocolCommand)
@click.argument("source", metavar="FILE|-", type=FileName())
@click.argument("target", metavar="TARGET")
@click.option("-r", "--recursive", is_flag=True, help="Upload FILE, a folder, with its contents but without links.")
@click.option("--append", is_flag=True, help="Append to the remote file.")
@click.option("--resume", is_flag=True, help="Keep a partial upload after a failure and continue it the next time.")
@click.option("--direct", is_flag=True, help="Upload under the final name, without a temporary name.")
@click.option("--mkdirs", is_flag=True, help="Make missing folders of the path.")
@click.option("--verify", type=click.Choice(["hash"]), metavar="hash", help="Compare with the server's hash (HASH).")
@click.option("--limit-rate", type=Size(), metavar="N", help="Send at most N bytes/s for each file.")
@with_ftp_options
@shared_options(tls=True, credentials=True, many_targets=False)
def put(
    options: Options,
    source: str,
    target: str,
    *,
    ftp_options: "FtpOptions",
    recursive: bool,
    append: bool,
    resume: bool,
    direct: bool,
    mkdirs: bool,
    verify: str | None,
    limit_rate: int | None,
) -> int:
    """Upload a file or standard input.

    \b
    Examples:
      inetcli ftp put report.pdf ftpes://ftp.example.net/incoming/
      pg_dump db | inetcli ftp put - ftpes://ftp.example.net/backup/db.sql
      inetcli ftp put -r site ftpes://ftp.example.net/htdocs

    The remote file gets its name after a complete upload, and replaces an existing file of that name. A TARGET that
    ends with a slash is a folder: the file keeps its name there.
    """
    if sum((append, resume, direct)) > 1:
        raise usage_error("--append, --resume and --direct exclude each other.")
    if append and verify:
        raise usage_error("--verify hash and --append exclude each other: the server hashes the whole file.")
    if recursive and (append or source == STDIO):
        raise usage_error("-r uploads a folder and cannot be combined with --append or standard input.")
    if resume and source == STDIO:
        raise usage_error("--resume cannot be used with standard input.")

    from inetcli.protocols.ftp.jobs.put import PutOptions, run_put
    from inetcli.protocols.ftp.model import UploadOptions

    upload = UploadOptions(append, resume, direct, mkdirs, verify is not None, rate=limit_rate)
    return run_put(options, source, target, ftp_options, PutOptions(upload, recursive))


@ftp.command("ls", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("-l", "long", is_flag=True, help="Print type, size, modification time and name, separated by TAB.")
@with_ftp_options
@shared_options(tls=True, credentials=True)
def ls(options: Options, targets: tuple[str, ...], *, ftp_options: "FtpOptions", long: bool) -> int:
    """List folders, one name per line.

    \b
    Examples:
      inetcli ftp ls ftp.example.net/pub
      inetcli ftp ls -l ftp.example.net/pub | sort -t$'\\t' -k3
      inetcli ftp ls --json ftp.example.net/pub | jq -r 'select(.type=="file").name'

    The output has the same format for all servers (MLSD, LIST, NLST).
    """
    from inetcli.protocols.ftp.jobs.ls import run_ls

    return run_ls(options, targets, ftp_options, long=long)


@ftp.command("mv", cls=ProtocolCommand)
@click.argument("target", metavar="TARGET")
@click.argument("newpath", metavar="NEWPATH")
@with_ftp_options
@shared_options(tls=True, credentials=True, many_targets=False)
def mv(options: Options, target: str, newpath: str, *, ftp_options: "FtpOptions") -> int:
    """Move or rename a file or folder on the server.

    \b
    Example:
      inetcli ftp mv ftpes://ftp.example.net/incoming/a.part incoming/a

    NEWPATH is a path on the same server, percent-encoded as in a target.
    """
    from inetcli.protocols.ftp.jobs.paths import run_mv

    return run_mv(options, target, newpath, ftp_options)


@ftp.command("rm", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("-r", "--recursive", is_flag=True, help="Remove folders with their contents.")
@with_ftp_options
@shared_options(tls=True, credentials=True, parallel=False)
def rm(options: Options, targets: tuple[str, ...], *, ftp_options: "FtpOptions", recursive: bool) -> int:
    """Remove files on the server.

    \b
    Example:
      inetcli ftp rm ftpes://ftp.example.net/incoming/old.iso

    Links are removed, not followed.
    """
    from inetcli.protocols.ftp.jobs.paths import run_rm

    return run_rm(options, targets, ftp_options, recursive=recursive)


@ftp.command("mkdir", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("-p", "--parents", is_flag=True, help="Make missing parent folders; no error if the folder exists.")
@with_ftp_options
@shared_options(tls=True, credentials=True, parallel=False)
def mkdir(options: Options, targets: tuple[str, ...], *, ftp_options: "FtpOptions", parents: bool) -> int:
    """Make folders on the server.

    \b
    Example:
      inetcli ftp mkdir -p ftpes://ftp.example.net/backup/2026/11
    """
    from inetcli.protocols.ftp.jobs.paths import run_mkdir

    return run_mkdir(options, targets, ftp_options, parents=parents)


@ftp.command("rmdir", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@with_ftp_options
@shared_options(tls=True, credentials=True, parallel=False)
def rmdir(options: Options, targets: tuple[str, ...], *, ftp_options: "FtpOptions") -> int:
    """Remove empty folders on the server.

    \b
    Example:
      inetcli ftp rmdir ftpes://ftp.example.net/backup/2025
    """
    from inetcli.protocols.ftp.jobs.paths import run_rmdir

    return run_rmdir(options, targets, ftp_options)


@ftp.command("pwd", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@with_ftp_options
@shared_options(tls=True, credentials=True)
def pwd(options: Options, targets: tuple[str, ...], *, ftp_options: "FtpOptions") -> int:
    """Print the folder in which a login begins.

    \b
    Example:
      inetcli ftp pwd ftpes://ftp.example.net
    """
    from inetcli.protocols.ftp.jobs.paths import run_pwd

    return run_pwd(options, targets, ftp_options)
