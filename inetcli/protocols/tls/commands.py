"""`inetcli tls hello`."""

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.option_types import Size
from inetcli.cli.options import Options, ProtocolCommand, shared_options

MAX_REPLY = 1 << 24
REPLY_BYTES = 1 << 16


@click.group("tls", cls=ProtocolGroup)
def tls() -> None:
    """Do TLS handshakes and check certificates.

    \b
    Example:
      inetcli tls hello example.org
    """


@tls.command("hello", cls=ProtocolCommand)
@click.argument("targets", metavar="HOST[:PORT]...", nargs=-1)
@click.option("--send", metavar="TEXT", help=r"Send TEXT (\r \n \t \0 \\ \xNN; an LF is added) and print the reply.")
@click.option(
    "--reply-bytes",
    metavar="N",
    type=Size(maximum=MAX_REPLY),
    default=REPLY_BYTES,
    help="Print at most N bytes of the reply.",
)
@click.option("--servername", metavar="NAME", help="Server name to send (SNI) and check, instead of HOST.")
@click.option("--alpn", metavar="LIST", help="Protocols to offer, such as h2,http/1.1.")
@shared_options(tls=True)
def hello(
    options: Options,
    targets: tuple[str, ...],
    send: str | None,
    reply_bytes: int,
    servername: str | None,
    alpn: str | None,
) -> int:
    """Do one handshake; print the verdict, the chain and the reply.

    \b
    Examples:
      inetcli tls hello example.org
      inetcli tls hello --send 'GET / HTTP/1.0\\r\\n\\r\\n' example.org
      inetcli tls hello --json -i hosts.txt
    """
    from inetcli.protocols.tls.jobs import HelloOptions, run_hello

    settings = HelloOptions.from_text(send=send, reply_bytes=reply_bytes, server_name=servername, alpn=alpn)
    return run_hello(options, targets, settings)
