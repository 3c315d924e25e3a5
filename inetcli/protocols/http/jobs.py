"""`http raw`: the bytes of a response, and its findings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.errors import Expectation, InetError
from inetcli.net.credentials import CredentialOptions, clear_text_note, resolve_credentials
from inetcli.net.trust import TlsMode
from inetcli.protocols.http.client import Conversation, connect
from inetcli.protocols.http.errors import status_error
from inetcli.protocols.http.model import Request, Response
from inetcli.protocols.http.view import exchange_to_json, format_finding
from inetcli.protocols.http.wire import encode_target
from inetcli.wire.target import bracket_host, parse_target

SCHEMES: Mapping[str, int | None] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class RawOptions:
    """The options of `http raw`."""

    head: bool = False
    body: bool = False
    no_fail: bool = False
    expect_status: int | None = None


def run_raw(options: Options, targets: Sequence[str], settings: RawOptions) -> int:
    """Run `http raw` and return the exit code."""
    credentials = options.credentials(netrc=False)
    jobs = None if options.json else 1
    return run_targets(options, targets, lambda text: RawGet(text, settings, credentials), jobs=jobs)


class RawGet(Task):
    """One GET request and all its responses."""

    def __init__(self, text: str, settings: RawOptions, credentials: CredentialOptions) -> None:
        self._settings = settings
        self._credentials = credentials
        self._target = parse_target(text, SCHEMES, "http")
        self._path = encode_target(self._target.path, self._target.text)

    def attempt(self, run: TargetRun) -> TargetResult:
        target, settings = self._target, self._settings
        user = resolve_credentials(run.session, target, self._credentials, clear_text_ok=False)
        tls = TlsMode.IMPLICIT if target.scheme == "https" else TlsMode.OFF
        stream = connect(run.session, target.host, target.port, tls)
        try:
            if tls is TlsMode.OFF and (note := clear_text_note(user, stream.peer.host)):
                run.session.note(note)
            write = None if run.json else run.payload.write
            conversation = Conversation(
                stream,
                raw=None if settings.head or settings.body else write,
                head=write if settings.head else None,
                body=write if settings.body else None,
            )
            host = bracket_host(target.host) + ("" if target.port == SCHEMES[target.scheme] else f":{target.port}")
            request = Request(
                host, self._path, user=user.user if user else None, password=user.password if user else None
            )
            return self._send(run, conversation, request)
        finally:
            stream.close()

    def _send(self, run: TargetRun, conversation: Conversation, request: Request) -> TargetResult:
        error: InetError | None
        try:
            error = self._status_error(conversation.send(request))
        except InetError as failure:
            if not conversation.exchange.received_bytes:
                raise  # nothing has been printed yet: a retry is possible
            error = failure  # the bytes that were received are a result, with this failure
        run.session.trace.freeze_timing()
        exchange = conversation.exchange
        return TargetResult(
            record=exchange_to_json(exchange),
            status_lines=[format_finding(finding) for finding in exchange.findings],
            error=error,
        )

    def _status_error(self, response: Response) -> InetError | None:
        """Return the error for the status, by `--expect-status` and `--no-fail`; None = success."""
        status, expected = response.head.status, self._settings.expect_status
        if expected is not None:
            return None if status == expected else Expectation(f"expected status {expected}, got {status}")
        return None if self._settings.no_fail else status_error(status, response.head.reason)
