"""`talk tcp` and `talk udp`: lines out, replies in, each shown when its turn is over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from inetcli.cli.inputs import STDIN, input_lines
from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.net.stream import SocketStream
from inetcli.net.trust import TlsMode
from inetcli.payload import open_payload
from inetcli.protocols.talk.client import connect, talk, talk_datagrams, talk_stream
from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.view import format_turn, turn_to_json
from inetcli.protocols.talk.wire import CRLF, LF, MAX_LINE
from inetcli.wire.target import CLEAR_URL_PORTS, TLS_URL_PORTS, parse_host_target

SCHEMES: Mapping[str, int | None] = {"time": None}
PASTED_TCP: Mapping[str, int | None] = {"tcp": None, "tls": None, **CLEAR_URL_PORTS, **TLS_URL_PORTS}
PASTED_UDP: Mapping[str, int | None] = {"udp": None, "dns": 53}
"""URLs of other programs, whose host and port are clear."""


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """The options of `talk tcp`."""

    tls: bool = False
    crlf: bool = False
    stream: bool = False


def run_tcp(options: Options, target: str, path: str, settings: TcpOptions) -> int:
    """Run `talk tcp` with the lines of a file, "-" = standard input: the exit code."""
    return run_targets(
        options, [target], lambda text: TalkTcp(text, path, settings), jobs=1, reads_stdin=_reads_stdin(path)
    )


def run_udp(options: Options, target: str, path: str) -> int:
    """Run `talk udp`, likewise: the exit code."""
    return run_targets(options, [target], lambda text: TalkUdp(text, path), jobs=1, reads_stdin=_reads_stdin(path))


class Talk(Task):
    """A conversation in lock-step."""

    pasted: ClassVar[Mapping[str, int | None]]

    def __init__(self, text: str, path: str) -> None:
        self.where = parse_host_target(text, SCHEMES, "time", pasted=self.pasted)
        self.path = path

    def emit(self, run: TargetRun, turns: Iterable[Turn]) -> TargetResult:
        """Print each turn when it is over."""
        # The lines are read, and some go out: a second time is not the same.
        run.session.attempt.forbid_retry("lines have been sent")
        for turn in turns:
            if run.json:
                run.emit_row(turn_to_json(turn))
            else:
                run.emit_line(format_turn(turn))
        return TargetResult()


class TalkTcp(Talk):
    """A conversation over TCP."""

    pasted = PASTED_TCP

    def __init__(self, text: str, path: str, settings: TcpOptions) -> None:
        super().__init__(text, path)
        self._settings = settings

    def attempt(self, run: TargetRun) -> TargetResult:
        lines = input_lines(run.session, self.path, MAX_LINE)
        tls = TlsMode.IMPLICIT if self._settings.tls else TlsMode.OFF
        stream = connect(run.session, self.where.host, self.where.port, tls)
        try:
            if self._settings.stream:
                return self._stream(run, stream)
            return self.emit(run, talk(stream, lines, CRLF if self._settings.crlf else LF))
        finally:
            stream.close()

    def _stream(self, run: TargetRun, stream: SocketStream) -> TargetResult:
        """Send everything at once, and print the bytes of the peer as they come."""
        run.session.attempt.forbid_retry("data has been sent")

        def write(data: bytes) -> None:
            run.payload.write(data)
            run.output.flush()

        with open_payload(self.path) as payload:
            talk_stream(stream, payload, write)
        return TargetResult()


class TalkUdp(Talk):
    """A conversation over UDP."""

    pasted = PASTED_UDP

    def attempt(self, run: TargetRun) -> TargetResult:
        lines = input_lines(run.session, self.path, MAX_LINE)
        return self.emit(run, talk_datagrams(run.session, self.where.host, self.where.port, lines))


def _reads_stdin(path: str) -> str | None:
    return "FILE -" if path == STDIN else None
