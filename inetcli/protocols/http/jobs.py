"""What `inetcli http raw` does with one target: ask, hand on what comes, judge it."""

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Job, Work
from inetcli.errors import Expectation, HttpStatus, InetError
from inetcli.net.credentials import clear_text_note, resolve_credentials
from inetcli.net.trust import TlsMode
from inetcli.protocols.http.client import Conversation, connect
from inetcli.protocols.http.model import Request, Response
from inetcli.protocols.http.view import exchange_to_json, format_finding
from inetcli.protocols.http.wire import encode_target
from inetcli.wire.target import bracketed, parse_target

SCHEMES: dict[str, int | None] = {"http": 80, "https": 443}


def getting_raw(options: Options, *, head: bool, body: bool, no_fail: bool, expect_status: int | None) -> Work:
    """The work on each target of `http raw`; the arguments are its options."""

    credentials = options.credentials(netrc=False)

    def work(job: Job) -> Answer:
        where = parse_target(job.text, SCHEMES, "http")
        path = encode_target(where.path, where.text)
        who = resolve_credentials(job.session, where, credentials, clear_text_ok=False)
        stream = connect(
            job.session, where.host, where.port, TlsMode.IMPLICIT if where.scheme == "https" else TlsMode.OFF
        )
        try:
            if where.scheme == "http" and (note := clear_text_note(who, stream.peer.host)):
                job.session.note(note)
            write = None if job.json else job.payload.write
            conversation = Conversation(
                stream,
                raw=None if head or body else write,
                head=write if head else None,
                body=write if body else None,
            )
            host = bracketed(where.host) + ("" if where.port == SCHEMES[where.scheme] else f":{where.port}")
            request = Request(host, path, user=who.user if who else None, password=who.password if who else None)
            return _ask(job, conversation, request, no_fail=no_fail, expect_status=expect_status)
        finally:
            stream.close()

    return work


def _ask(job: Job, conversation: Conversation, request: Request, *, no_fail: bool, expect_status: int | None) -> Answer:
    error: InetError | None
    try:
        response = conversation.ask(request)
        error = _judge(response, no_fail=no_fail, expect_status=expect_status)
    except InetError as failure:
        if failure.transient and not conversation.exchange.received_bytes:
            raise  # nothing was printed yet: it may be tried again
        error = failure
    job.session.trace.freeze_timing()
    exchange = conversation.exchange
    return Answer(
        record=exchange_to_json(exchange),
        remarks=[format_finding(finding) for finding in exchange.findings],
        error=error,
    )


def _judge(response: Response, *, no_fail: bool, expect_status: int | None) -> InetError | None:
    status = response.head.status
    if expect_status is not None:
        return None if status == expect_status else Expectation(f"expected status {expect_status}, got {status}")
    if status >= 400 and not no_fail:
        return HttpStatus(f"status {status} {response.head.reason}".rstrip())
    return None
