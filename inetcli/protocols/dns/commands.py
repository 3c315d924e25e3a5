"""`inetcli dns lookup`."""

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.options import Options, ProtocolCommand, shared_options

TIMEOUT_S = 3
"""Per try: a resolver answers within a second or not at all."""

JOBS = 256


@click.group("dns", cls=ProtocolGroup)
def dns() -> None:
    """Ask name servers.

    \b
    Example:
      inetcli dns lookup example.org MX
    """


@dns.command("lookup", cls=ProtocolCommand)
@click.argument("words", metavar="NAME... [TYPE...] [@SERVER...]", nargs=-1)
@click.option("--short", is_flag=True, help="Print only the data of the records.")
@click.option("--tcp", is_flag=True, help="Ask over TCP from the start.")
@shared_options(jobs=JOBS, timeout=TIMEOUT_S)
def lookup(options: Options, words: tuple[str, ...], short: bool, tcp: bool) -> int:
    """Look names up over UDP, and over TCP when the reply was cut.

    \b
    Examples:
      inetcli dns lookup example.org
      inetcli dns lookup example.org MX @192.0.2.53
      inetcli dns lookup 192.0.2.1 PTR

    Names, types and servers come in any order. Without a type A and AAAA are asked, and count together. Without a
    server those of /etc/resolv.conf are asked.
    """
    from inetcli.protocols.dns.jobs import LookupOptions, run_lookup

    return run_lookup(options, words, LookupOptions(short, tcp))
