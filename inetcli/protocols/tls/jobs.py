"""What `inetcli tls hello` does with one target: one handshake, its verdict, the reply."""

from inetcli.cli.targets import Answer, Job, Work
from inetcli.errors import MalformedTarget, Usage
from inetcli.protocols.tls.client import say_hello
from inetcli.protocols.tls.view import format_hello, hello_to_json
from inetcli.protocols.tls.wire import encode_alpn, encode_text
from inetcli.wire.target import CLEAR_URL_PORTS, TLS_URL_PORTS, parse_host_port, parse_host_target

PORT = 443
SCHEMES: dict[str, int | None] = {"tls": PORT}
PASTED: dict[str, int | None] = {**TLS_URL_PORTS, "tcp": None, **dict.fromkeys(CLEAR_URL_PORTS)}
"""URLs of other programs. The port of one that begins in clear text must be given: its own one speaks no TLS."""


def saying_hello(*, send: str | None, reply_bytes: int, servername: str | None, alpn: str | None) -> Work:
    """The work on each target of `tls hello`; the arguments are its options. `Usage` when one makes no sense."""
    text = None if send is None else encode_text(send)
    protocols = encode_alpn(alpn)
    name = None if servername is None else _server_name(servername)

    def work(job: Job) -> Answer:
        where = parse_host_target(job.text, SCHEMES, "tls", pasted=PASTED)
        greeting, problem = say_hello(
            job.session,
            where.host,
            where.port,
            server_name=name or where.host,
            alpn=protocols,
            send=text,
            reply_limit=reply_bytes,
        )
        return Answer(format_hello(greeting), record=hello_to_json(greeting), error=problem)

    return work


def _server_name(text: str) -> str:
    """The name or address of `--servername`. `Usage` when it is none, before anything is sent."""
    try:
        return parse_host_port(text, PORT)[0]
    except MalformedTarget as error:
        raise Usage(f"--servername: expected a host name or an address, got {text!r}") from error
