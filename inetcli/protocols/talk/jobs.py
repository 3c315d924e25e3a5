"""`talk tcp` and `talk udp`: send lines and print each reply as it arrives."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from inetcli.cli.inputs import STDIN, input_lines
from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.net.stream import SocketStream
from inetcli.net.trust import TlsMode
from inetcli.payload import Payload, open_payload
from inetcli.protocols.talk.client import connect, talk, talk_datagrams, talk_stream
from inetcli.protocols.talk.model import LineExchange
from inetcli.protocols.talk.view import exchange_to_json, format_exchange
from inetcli.protocols.talk.wire import CRLF, LF, MAX_LINE
from inetcli.wire.target import CLEAR_URL_PORTS, TLS_URL_PORTS, parse_host_target

SCHEMES: Mapping[str, int | None] = {"time": None}
PASTED_TCP: Mapping[str, int] = {**CLEAR_URL_PORTS, **TLS_URL_PORTS}
PASTED_UDP: Mapping[str, int] = {"dns": 53}
"""URL schemes of other programs that need no port, with their ports."""
TLS_SCHEMES = frozenset({"rediss", "ssl", "tls", *TLS_URL_PORTS})
"""URL schemes for which `talk tcp` uses TLS, as with `--tls`."""


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """The options of `talk tcp`."""

    tls: bool = False
    crlf: bool = False
    stream: bool = False


def run_tcp(options: Options, target: str, path: str, settings: TcpOptions) -> int:
    """Run `talk tcp` with the lines of a file ("-" = standard input) and return the exit code."""
    return run_targets(
        options, [target], lambda text: TalkTcp(text, path, settings), jobs=1, reads_stdin=_reads_stdin(path)
    )


def run_udp(options: Options, target: str, path: str) -> int:
    """Run `talk udp` with the lines of a file ("-" = standard input) and return the exit code."""
    return run_targets(options, [target], lambda text: TalkUdp(text, path), jobs=1, reads_stdin=_reads_stdin(path))


class Talk(Task):
    """A conversation in lock-step."""

    pasted: ClassVar[Mapping[str, int]]

    def __init__(self, text: str, path: str) -> None:
        self.target = parse_host_target(text, SCHEMES, "time", pasted=self.pasted)
        self.path = path

    def emit(self, run: TargetRun, exchanges: Iterable[LineExchange]) -> TargetResult:
        """Print each exchange when it is complete."""
        # The input is consumed, and lines may have been sent: a retry would not send the same.
        run.session.attempt.forbid_retry("lines have been sent")
        for exchange in exchanges:
            if run.json:
                run.emit_row(exchange_to_json(exchange))
            else:
                run.emit_line(format_exchange(exchange))
        return TargetResult()


class TalkTcp(Talk):
    """A conversation over TCP."""

    pasted = PASTED_TCP

    def __init__(self, text: str, path: str, settings: TcpOptions) -> None:
        super().__init__(text, path)
        self._settings = settings
        self._tls = TlsMode.IMPLICIT if settings.tls or self.target.scheme in TLS_SCHEMES else TlsMode.OFF

    def attempt(self, run: TargetRun) -> TargetResult:
        if self._settings.stream:
            with open_payload(self.path) as payload, self._connected(run) as stream:
                return self._send_stream(run, stream, payload)
        lines = input_lines(run.session, self.path, MAX_LINE)
        with self._connected(run) as stream:
            return self.emit(run, talk(stream, lines, CRLF if self._settings.crlf else LF))

    @contextmanager
    def _connected(self, run: TargetRun) -> Iterator[SocketStream]:
        stream = connect(run.session, self.target.host, self.target.port, self._tls)
        try:
            yield stream
        finally:
            stream.close()

    def _send_stream(self, run: TargetRun, stream: SocketStream, payload: Payload) -> TargetResult:
        """Send everything at once, and print the bytes of the peer as they arrive."""
        run.session.attempt.forbid_retry("data has been sent")

        def write(data: bytes) -> None:
            run.payload.write(data)
            run.output.flush()

        talk_stream(stream, payload, write)
        return TargetResult()


class TalkUdp(Talk):
    """A conversation over UDP."""

    pasted = PASTED_UDP

    def attempt(self, run: TargetRun) -> TargetResult:
        lines = input_lines(run.session, self.path, MAX_LINE)
        return self.emit(run, talk_datagrams(run.session, self.target.host, self.target.port, lines))


def _reads_stdin(path: str) -> str | None:
    return "FILE -" if path == STDIN else None
