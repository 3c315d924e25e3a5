"""`inetcli dns lookup`."""

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.options import Options, ProtocolCommand, shared_options

TIMEOUT_S = 3
"""Seconds per try: a resolver usually replies within one second or never."""

JOBS = 256


@click.group("dns", cls=ProtocolGroup)
def dns() -> None:
    """Query name servers.

    \b
    Example:
      inetcli dns lookup example.org MX
    """


@dns.command("lookup", cls=ProtocolCommand)
@click.argument("arguments", metavar="NAME... [TYPE...] [@SERVER...]", nargs=-1)
@click.option("--short", is_flag=True, help="Print only the record data.")
@click.option("--tcp", is_flag=True, help="Use TCP instead of UDP.")
@shared_options(jobs=JOBS, timeout=TIMEOUT_S)
def lookup(options: Options, arguments: tuple[str, ...], short: bool, tcp: bool) -> int:
    """Look up names over UDP, and over TCP if the reply is truncated.

    \b
    Examples:
      inetcli dns lookup example.org
      inetcli dns lookup example.org MX @192.0.2.53
      inetcli dns lookup 192.0.2.1 PTR

    NAME, TYPE and @SERVER may stand in any order. The default types are A and AAAA; the look-up succeeds if one of
    them exists. The default servers are those of /etc/resolv.conf.
    """
    from inetcli.protocols.dns.jobs import LookupOptions, run_lookup

    return run_lookup(options, arguments, LookupOptions(short, tcp))
