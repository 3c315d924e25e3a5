"""`inetcli ftp get`."""

import click

from inetcli.cli.options import Command, Options, shared_options, usage

STDOUT = "-"


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

    from inetcli.cli.targets import run_targets
    from inetcli.protocols.ftp.jobs import getting

    work = getting(
        options,
        output=output,
        directory=directory,
        force=force,
        skip_existing=skip_existing,
        sha256=sha256,
        tls=tls,
    )
    return run_targets(options, targets, work, jobs=1 if output == STDOUT else None)
