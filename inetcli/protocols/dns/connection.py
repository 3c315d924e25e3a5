"""Questions over TCP (RFC 7766 section 6.2.1.1): all at once on one connection, the replies in any order.

    client: query query query       server: reply reply reply

A server may close whenever it likes, and some do so after the first reply. Each question that is left then has a
connection of its own.
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
class Framed:
    """What became of a question: the message that fits it, or the error. `rtt_s` from the sending of all, in seconds;
    `tries` counts connections."""

    question: Question
    data: bytes
    error: InetError | None
    rtt_s: float
    tries: int


def ask_over_tcp(
    session: Session, host: str, port: int, questions: Sequence[Question], *, edns: bool = True
) -> Iterator[Framed]:
    """Each question once, in the order of the replies. Raises `TimedOut` when the target's time is up."""
    left = dict.fromkeys(questions, 0)
    alone = False
    while left:
        batch = list(left)[:1] if alone else list(left)
        for question in batch:
            left[question] += 1
        try:
            for question, data, rtt_s in _converse(session, host, port, batch, edns=edns):
                yield Framed(question, data, None, rtt_s, left.pop(question))
        except InetError as error:
            if session.deadline.passed:
                raise
            if isinstance(error, _CLOSED) and len(batch) > 1:
                alone = True
                continue
            for question, tries in left.items():
                yield Framed(question, b"", error, 0.0, max(1, tries))
            return


def _converse(
    session: Session, host: str, port: int, questions: Sequence[Question], *, edns: bool
) -> Iterator[tuple[Question, bytes, float]]:
    """One connection: the questions, and the messages that answer them."""
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
                raise ProtocolViolation(f"DNS: {stream.peer} sent a reply to a question that was not asked")
            yield waiting.pop(answered), data, clock.monotonic() - asked
    finally:
        stream.close()
