"""`inetcli talk tcp` and `inetcli talk udp`."""

import sys
from collections.abc import Iterable

import click

from inetcli.cli.options import Command, Options, shared_options, usage
from inetcli.cli.targets import Answer, Job, input_lines, run_targets
from inetcli.protocols.talk.client import connect, talk_datagrams
from inetcli.protocols.talk.client import talk as talk_over
from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.view import show_turn, turn_row
from inetcli.protocols.talk.wire import CRLF, LF, MAX_LINE
from inetcli.wire.target import Target, parse_target

SCHEMES: dict[str, int | None] = {"time": None}


@click.group("talk", no_args_is_help=True)
def talk() -> None:
    """Send lines over TCP or UDP, print the replies."""


@talk.command("tcp", cls=Command)
@click.argument("target", metavar="HOST:PORT")
@click.argument("file", metavar="[FILE|-]", required=False)
@click.option("--tls", is_flag=True, help="Put TLS around the conversation.")
@click.option("--crlf", is_flag=True, help="End our lines with CRLF instead of LF.")
@shared_options(tls=True, many=False)
def tcp(options: Options, target: str, file: str | None, tls: bool, crlf: bool) -> int:
    """Send each line over TCP and print its reply; at the end half-close, and print what is left.

    \b
    Examples:
      echo hello | inetcli talk tcp 127.0.0.1:7 -
      inetcli talk tcp --tls localhost:7007 lines.txt
    """

    path = _input(file)

    def work(job: Job) -> Answer:
        where = _parse(job.text)
        lines = input_lines(job, path, MAX_LINE)
        stream = connect(job.session, where.host, where.port, tls=tls)
        try:
            return _answer(job, talk_over(stream, lines, CRLF if crlf else LF))
        finally:
            stream.close()

    return run_targets(options, [target], work, jobs=1)


@talk.command("udp", cls=Command)
@click.argument("target", metavar="HOST:PORT")
@click.argument("file", metavar="[FILE|-]", required=False)
@shared_options(many=False)
def udp(options: Options, target: str, file: str | None) -> int:
    """Send each line as a datagram and print the datagram that comes back.

    \b
    Example:
      echo hello | inetcli talk udp 127.0.0.1:7 -
    """

    path = _input(file)

    def work(job: Job) -> Answer:
        where = _parse(job.text)
        lines = input_lines(job, path, MAX_LINE)
        return _answer(job, talk_datagrams(job.session, where.host, where.port, lines))

    return run_targets(options, [target], work, jobs=1)


def _parse(text: str) -> Target:
    return parse_target(text, SCHEMES, "time")


def _input(file: str | None) -> str:
    """FILE, or the terminal when both ends are one: nothing else is read unasked."""
    if file is not None:
        return file
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty():
        return "-"
    raise usage("No lines to send: name a FILE, or - for standard input.")


def _answer(job: Job, turns: Iterable[Turn]) -> Answer:
    """Each turn is shown when it is over."""
    job.session.trace.committed = (
        True  # the lines have been read, and some have gone out: a second time is not the same
    )
    for turn in turns:
        if job.json:
            job.say_row(turn_row(turn))
        else:
            job.say(show_turn(turn))
    return Answer()
