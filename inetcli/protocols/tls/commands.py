"""`inetcli tls hello`."""

import click

from inetcli.cli.options import Options, ProtocolCommand, shared_options

MAX_REPLY = 1 << 24


@click.group("tls", no_args_is_help=True)
def tls() -> None:
    """Shake hands and judge certificates."""


@tls.command("hello", cls=ProtocolCommand)
@click.argument("targets", metavar="HOST[:PORT]...", nargs=-1)
@click.option("--send", metavar="TEXT", help=r"Send TEXT (\r \n \t \0 \\ \xNN; an LF is added) and print the reply.")
@click.option(
    "--reply-bytes", metavar="N", type=click.IntRange(1, MAX_REPLY), default=65536, help="Of it at most N bytes."
)
@click.option("--servername", metavar="NAME", help="Send and check this name instead of HOST.")
@click.option("--alpn", metavar="LIST", help="Protocols to offer, as in h2,http/1.1.")
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
