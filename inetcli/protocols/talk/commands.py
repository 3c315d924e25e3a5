"""`inetcli talk tcp` and `inetcli talk udp`."""

import sys

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.option_types import FileName
from inetcli.cli.options import Options, ProtocolCommand, shared_options, usage


@click.group("talk", cls=ProtocolGroup)
def talk() -> None:
    """Send lines over TCP or UDP, print the replies.

    \b
    Example:
      echo hello | inetcli talk tcp 127.0.0.1:7 -
    """


@talk.command("tcp", cls=ProtocolCommand)
@click.argument("target", metavar="HOST:PORT")
@click.argument("file", metavar="[FILE|-]", type=FileName(), required=False)
@click.option("--tls", is_flag=True, help="Put TLS around the conversation.")
@click.option("--crlf", is_flag=True, help="End our lines with CRLF instead of LF.")
@click.option("--stream", is_flag=True, help="Send everything at once, and print the bytes that come.")
@shared_options(tls=True, many=False)
def tcp(options: Options, target: str, file: str | None, tls: bool, crlf: bool, stream: bool) -> int:
    """Send each line over TCP and print its reply.

    \b
    Examples:
      echo hello | inetcli talk tcp 127.0.0.1:7
      inetcli talk tcp --tls localhost:7007 lines.txt
      inetcli talk tcp --stream 127.0.0.1:9000 < in.bin > out.bin

    At the end of the lines the connection is half-closed, and what still comes is printed.
    """
    if stream and options.json:
        raise usage("--json and --stream both want standard output.")
    if stream and crlf:
        raise usage("--stream sends the bytes as they are: --crlf is for lines.")
    path = _input(file)

    from inetcli.protocols.talk.jobs import TcpOptions, run_tcp

    return run_tcp(options, target, path, TcpOptions(tls, crlf, stream))


@talk.command("udp", cls=ProtocolCommand)
@click.argument("target", metavar="HOST:PORT")
@click.argument("file", metavar="[FILE|-]", type=FileName(), required=False)
@shared_options(many=False)
def udp(options: Options, target: str, file: str | None) -> int:
    """Send each line as a datagram and print the reply.

    \b
    Example:
      echo hello | inetcli talk udp 127.0.0.1:7
    """
    path = _input(file)

    from inetcli.protocols.talk.jobs import run_udp

    return run_udp(options, target, path)


def _input(file: str | None) -> str:
    """Return FILE, or "-" for standard input: `talk` reads it without being asked to."""
    if file is not None:
        return file
    if sys.stdin is None:
        raise usage("No lines to send: standard input is closed, and no FILE is given.")
    return "-"
