"""`inetcli http raw`."""

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.options import Options, ProtocolCommand, shared_options, usage_error


@click.group("http", cls=ProtocolGroup)
def http() -> None:
    """Show HTTP/1.1 responses byte by byte.

    \b
    Example:
      inetcli http raw http://127.0.0.1:8080/api
    """


@http.command("raw", cls=ProtocolCommand)
@click.argument("targets", metavar="TARGET...", nargs=-1)
@click.option("--head", is_flag=True, help="Print only the heads, also those of interim responses.")
@click.option("--body", is_flag=True, help="Print only the content, without chunk framing.")
@click.option("--no-fail", is_flag=True, help="Exit with 0 also for a status of 400 or more.")
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
    """GET each target and print the exact bytes of the response.

    \b
    Examples:
      inetcli http raw http://127.0.0.1:8080/api
      inetcli http raw --body https://example.org/ > page.html
      inetcli http raw --json --expect-status 204 http://127.0.0.1:8080/health

    The output includes the heads and the chunk framing.
    """
    if head and body:
        raise usage_error("--head and --body cannot be used together.")

    from inetcli.protocols.http.jobs import RawOptions, run_raw

    return run_raw(options, targets, RawOptions(head, body, no_fail, expect_status))
