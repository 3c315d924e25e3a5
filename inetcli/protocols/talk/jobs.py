"""What `inetcli talk` does: lines out, replies in, each shown when its turn is over."""

from collections.abc import Iterable

from inetcli.cli.targets import Answer, Job, Work, claim_stdin, input_lines
from inetcli.net.trust import TlsMode
from inetcli.protocols.talk.client import connect, talk, talk_datagrams
from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.view import format_turn, turn_to_json
from inetcli.protocols.talk.wire import CRLF, LF, MAX_LINE
from inetcli.wire.target import CLEAR_URL_PORTS, TLS_URL_PORTS, parse_host_target

SCHEMES: dict[str, int | None] = {"time": None}
PASTED_TCP: dict[str, int | None] = {"tcp": None, "tls": None, **CLEAR_URL_PORTS, **TLS_URL_PORTS}
PASTED_UDP: dict[str, int | None] = {"udp": None, "dns": 53}
"""URLs of other programs, whose host and port are clear."""


def talking(path: str, *, tls: bool, crlf: bool) -> Work:
    """The work of `talk tcp` with the lines of a file, "-" = standard input."""
    _claim(path)

    def work(job: Job) -> Answer:
        where = parse_host_target(job.text, SCHEMES, "time", pasted=PASTED_TCP)
        lines = input_lines(job, path, MAX_LINE)
        stream = connect(job.session, where.host, where.port, TlsMode.IMPLICIT if tls else TlsMode.OFF)
        try:
            return _answer(job, talk(stream, lines, CRLF if crlf else LF))
        finally:
            stream.close()

    return work


def talking_datagrams(path: str) -> Work:
    """The work of `talk udp`, likewise."""
    _claim(path)

    def work(job: Job) -> Answer:
        where = parse_host_target(job.text, SCHEMES, "time", pasted=PASTED_UDP)
        lines = input_lines(job, path, MAX_LINE)
        return _answer(job, talk_datagrams(job.session, where.host, where.port, lines))

    return work


def _claim(path: str) -> None:
    if path == "-":
        claim_stdin("FILE -")


def _answer(job: Job, turns: Iterable[Turn]) -> Answer:
    # The lines have been read, and some have gone out: a second time is not the same.
    job.session.attempt.forbid_retry("lines have been sent")
    for turn in turns:
        if job.json:
            job.say_row(turn_to_json(turn))
        else:
            job.say(format_turn(turn))
    return Answer()
