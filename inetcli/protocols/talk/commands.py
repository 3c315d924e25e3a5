"""`inetcli talk tcp` and `inetcli talk udp`."""

import sys

import click

from inetcli.cli.groups import ProtocolGroup
from inetcli.cli.option_types import FileName
from inetcli.cli.options import Options, ProtocolCommand, shared_options, usage_error


@click.group("talk", cls=ProtocolGroup)
def talk() -> None:
    """Send lines over TCP or UDP, print the replies.

    \b
    Example:
      echo hello | inetcli talk tcp 127.0.0.1:7
    """


@talk.command("tcp", cls=ProtocolCommand)
@click.argument("target", metavar="HOST:PORT")
@click.argument("file", metavar="[FILE|-]", type=FileName(), required=False)
@click.option("--tls", is_flag=True, help="Use TLS from the start; implied by a URL such as tls://HOST:PORT.")
@click.option("--crlf", is_flag=True, help="Send CRLF instead of LF at line ends.")
@click.option("--stream", is_flag=True, help="Send everything at once, and print the bytes that arrive.")
@shared_options(tls=True, many_targets=False)
def tcp(options: Options, target: str, file: str | None, tls: bool, crlf: bool, stream: bool) -> int:
    """Send each line over TCP and print its reply.

    \b
    Examples:
      echo hello | inetcli talk tcp 127.0.0.1:7
      inetcli talk tcp --tls localhost:7007 lines.txt
      inetcli talk tcp --stream 127.0.0.1:9000 < in.bin > out.bin

    After the last line the connection is half-closed; lines that the peer still sends are printed.
    """
    if stream and options.json:
        raise usage_error("--json and --stream cannot be used together.")
    if stream and crlf:
        raise usage_error("--stream and --crlf cannot be used together: --stream sends the bytes unchanged.")
    path = _input(file)

    from inetcli.protocols.talk.jobs import TcpOptions, run_tcp

    return run_tcp(options, target, path, TcpOptions(tls, crlf, stream))


@talk.command("udp", cls=ProtocolCommand)
@click.argument("target", metavar="HOST:PORT")
@click.argument("file", metavar="[FILE|-]", type=FileName(), required=False)
@shared_options(many_targets=False)
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
    """Return FILE, or `-` for standard input, which `talk` reads by default."""
    if file is not None:
        return file
    if sys.stdin is None:
        raise usage_error("No input: standard input is closed; give a FILE.")
    return "-"
