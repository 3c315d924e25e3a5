"""`inetcli nntp latest`."""

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.options import Options, ProtocolCommand, shared_options
from inetcli.defaults import LINES

FILTERS = ("chun", "none")


@click.group("nntp", cls=ProtocolGroup)
def nntp() -> None:
    """Read Usenet articles.

    \b
    Example:
      inetcli nntp latest nntps://news.example.org/comp.lang.python
    """


@nntp.command("latest", cls=ProtocolCommand)
@click.argument("targets", metavar="HOST/GROUP...", nargs=-1)
@click.option("--lines", metavar="N", type=click.IntRange(0), default=LINES, help="Print at most N meaningful lines.")
@click.option(
    "--filter",
    "chosen",
    type=click.Choice(FILTERS),
    default=FILTERS[0],
    help="Omit quoted lines (chun), or nothing (none).",
)
@click.option(
    "--tls", type=click.Choice(["off", "starttls", "implicit"]), help="TLS mode (default: from the URL scheme)."
)
@shared_options(tls=True, credentials=True)
def latest(options: Options, targets: tuple[str, ...], lines: int, chosen: str, tls: str | None) -> int:
    """Print the newest article of each group.

    \b
    Examples:
      inetcli nntp latest nntps://news.example.org/comp.lang.python
      inetcli nntp latest --lines 40 news.example.org/misc.test

    Prints the head and the first meaningful lines.
    """
    from inetcli.protocols.nntp.jobs import LatestOptions, run_latest
    from inetcli.protocols.nntp.model import Filter

    return run_latest(options, targets, LatestOptions(lines, Filter(chosen), tls))
