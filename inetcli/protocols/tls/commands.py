"""`inetcli tls hello`."""

import click

from inetcli.cli.options import Command, Options, shared_options
from inetcli.cli.targets import Answer, Job, run_targets
from inetcli.wire.target import parse_host_port, parse_target

PORT = 443
SCHEMES: dict[str, int | None] = {"tls": PORT}
MAX_REPLY = 1 << 24


@click.group("tls", no_args_is_help=True)
def tls() -> None:
    """Shake hands and judge certificates."""


@tls.command("hello", cls=Command)
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
    from inetcli.protocols.tls.client import say_hello
    from inetcli.protocols.tls.view import hello_record, show_hello
    from inetcli.protocols.tls.wire import encode_alpn, encode_text

    text = None if send is None else encode_text(send)
    protocols = encode_alpn(alpn)
    name = None if servername is None else parse_host_port(servername, PORT)[0]

    def work(job: Job) -> Answer:
        where = parse_target(job.text, SCHEMES, "tls")
        greeting, problem = say_hello(
            job.session,
            where.host,
            where.port,
            server_name=name or where.host,
            alpn=protocols,
            send=text,
            reply_limit=reply_bytes,
        )
        return Answer(
            show_hello(greeting),
            record=hello_record(greeting),
            error=problem,
            tls=greeting.facts.summary(),
        )

    return run_targets(options, targets, work)
