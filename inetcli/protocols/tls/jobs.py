"""`tls hello`: one handshake, its verdict, the reply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.errors import MalformedTarget, Usage
from inetcli.protocols.tls.client import say_hello
from inetcli.protocols.tls.view import format_hello, hello_to_json
from inetcli.protocols.tls.wire import encode_alpn, encode_text
from inetcli.wire.target import TLS_URL_PORTS, parse_host_port, parse_host_target

PORT = 443
SCHEMES: Mapping[str, int | None] = {"tls": PORT}


@dataclass(frozen=True, slots=True)
class HelloOptions:
    """The options of `tls hello`. `server_name` is sent and checked; None = the target's host."""

    send: bytes | None
    reply_bytes: int
    server_name: str | None
    alpn: Sequence[str]

    @classmethod
    def from_text(
        cls, *, send: str | None, reply_bytes: int, server_name: str | None, alpn: str | None
    ) -> "HelloOptions":
        """Parse the options of the command line. `Usage` for an invalid value."""
        text = None if send is None else encode_text(send)
        name = None if server_name is None else _server_name(server_name)
        return cls(text, reply_bytes, name, encode_alpn(alpn))


def run_hello(options: Options, targets: Sequence[str], settings: HelloOptions) -> int:
    """Run `tls hello` and return the exit code."""
    return run_targets(options, targets, lambda text: SayHello(text, settings))


class SayHello(Task):
    """One handshake with a server."""

    def __init__(self, text: str, settings: HelloOptions) -> None:
        self._settings = settings
        self._target = parse_host_target(
            text, SCHEMES, "tls", pasted=TLS_URL_PORTS
        )  # the ports of clear-text schemes do not speak TLS

    def attempt(self, run: TargetRun) -> TargetResult:
        target, settings = self._target, self._settings
        hello, problem = say_hello(
            run.session,
            target.host,
            target.port,
            server_name=settings.server_name or target.host,
            alpn=settings.alpn,
            send=settings.send,
            reply_limit=settings.reply_bytes,
        )
        return TargetResult(lines=format_hello(hello), record=hello_to_json(hello), error=problem)


def _server_name(text: str) -> str:
    """Parse the name or address of `--servername`. `Usage` if it is neither, before anything is sent."""
    try:
        return parse_host_port(text, PORT)[0]
    except MalformedTarget as error:
        raise Usage(f"--servername: expected a host name or an address, got {text!r}") from error
