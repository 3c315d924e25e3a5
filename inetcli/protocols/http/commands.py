"""`inetcli http raw`."""

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.options import Options, ProtocolCommand, shared_options, usage


@click.group("http", cls=ProtocolGroup)
def http() -> None:
    """See HTTP/1.1 byte by byte.

    \b
    Example:
      inetcli http raw http://127.0.0.1:8080/api
    """


@http.command("raw", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("--head", is_flag=True, help="Print the heads alone, also those of interim responses.")
@click.option("--body", is_flag=True, help="Print the content alone, without chunk framing.")
@click.option("--no-fail", is_flag=True, help="Exit with 0 for a status of 400 or more, too.")
@click.option("--expect-status", metavar="N", type=click.IntRange(100, 999), help="Exit with 121 for any other status.")
@shared_options(tls=True, credentials=True, netrc=False)
def raw(
    options: Options,
    targets: tuple[str, ...],
    head: bool,
    body: bool,
    no_fail: bool,
    expect_status: int | None,
) -> int:
    """GET each target and print exactly the bytes that came.

    \b
    Examples:
      inetcli http raw http://127.0.0.1:8080/api
      inetcli http raw --body https://example.org/ > page.html
      inetcli http raw --json --expect-status 204 http://127.0.0.1:8080/health

    The heads and the framing of chunks are printed, too.
    """
    if head and body:
        raise usage("--head and --body exclude each other.")

    from inetcli.protocols.http.jobs import RawOptions, run_raw

    return run_raw(options, targets, RawOptions(head, body, no_fail, expect_status))
