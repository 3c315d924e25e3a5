"""Queries over TCP (RFC 7766 section 6.2.1.1): all at once on one connection, replies in any order.

    client: query query query       server: reply reply reply

A server may close at any time, and some do so after the first reply. Then each remaining question gets a connection of
its own.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inetcli.errors import EmptyReply, Incomplete, InetError, ProtocolViolation, ReceiveFailed, SendFailed
from inetcli.net.session import Session, no_greeting
from inetcli.protocols.dns.model import Question
from inetcli.protocols.dns.wire import answers_question, encode_framed, encode_query, message_id, parse_framed

_CLOSED = (EmptyReply, Incomplete, ReceiveFailed, SendFailed)

_KEYS = 1 << 16


@dataclass(frozen=True, slots=True)
class TcpReply:
    """The result of a question over TCP: the matching message, or the error. `rtt_s` counts from the sending of all
    queries, in seconds; `tries` counts connections."""

    question: Question
    data: bytes
    error: InetError | None
    rtt_s: float
    tries: int


def query_over_tcp(
    session: Session, host: str, port: int, questions: Sequence[Question], *, edns: bool = True
) -> Iterator[TcpReply]:
    """Send each question once; yield the results in the order of the replies. Raises `TimedOut` at the target's time
    limit."""
    pending = dict.fromkeys(questions, 0)
    one_per_connection = False
    while pending:
        batch = list(pending)[:1] if one_per_connection else list(pending)
        for question in batch:
            pending[question] += 1
        try:
            for question, data, rtt_s in _converse(session, host, port, batch, edns=edns):
                yield TcpReply(question, data, None, rtt_s, pending.pop(question))
        except InetError as error:
            if session.deadline.passed:
                raise
            if isinstance(error, _CLOSED) and len(batch) > 1:
                one_per_connection = True
                continue
            for question, tries in pending.items():
                yield TcpReply(question, b"", error, 0.0, max(1, tries))
            return


def _converse(
    session: Session, host: str, port: int, questions: Sequence[Question], *, edns: bool
) -> Iterator[tuple[Question, bytes, float]]:
    """Send the questions on one connection; yield each with its message."""
    clock = session.network.clock
    stream = session.open(host, port, greet=no_greeting, wait=False)
    try:
        waiting: dict[int, Question] = {}
        for question in questions:
            key = secrets.randbelow(_KEYS)
            while key in waiting:
                key = secrets.randbelow(_KEYS)
            waiting[key] = question
        asked = clock.monotonic()
        stream.send(
            b"".join(encode_framed(encode_query(question, key, edns=edns)) for key, question in waiting.items())
        )
        while waiting:
            data = stream.read(parse_framed)
            answered = message_id(data)
            if answered not in waiting or not answers_question(data, answered, waiting[answered]):
                raise ProtocolViolation(f"DNS: {stream.peer} sent a reply that matches no open question")
            yield waiting.pop(answered), data, clock.monotonic() - asked
    finally:
        stream.close()
