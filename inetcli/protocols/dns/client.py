"""Queries to a list of name servers:

    client: query (UDP)      server: reply; truncated (TC) if it does not fit
    client: query (TCP)      server: the whole reply

The servers are queried in turn, one try each, in rounds. A reply is final unless it is SERVFAIL, REFUSED or NOTIMP and
another server is left. Datagrams get lost: a question without a reply over UDP gets three rounds. After other transient
failures (SERVFAIL, a refused or broken connection) there is one round. `--retries` adds to both. There is a pause
before each further round, unless all questions timed out. A server that rejects EDNS (FORMERR, NOTIMP) is queried again
without it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from inetcli.errors import InetError, ProtocolViolation, TimedOut
from inetcli.net.backoff import RETRY_S, pauses
from inetcli.net.exchange import Codec, ExchangeResult, exchange
from inetcli.net.session import Session
from inetcli.protocols.dns.connection import TcpReply, query_over_tcp
from inetcli.protocols.dns.errors import answer_error
from inetcli.protocols.dns.model import Answer, Question, Transport, rcode_name
from inetcli.protocols.dns.wire import answers_question, encode_query, message_id, parse_message
from inetcli.wire.target import bracket_host

TRIES = 3
"""Rounds for a question without a reply over UDP."""

PORT = 53

_EDNS_REJECTED = ("FORMERR", "NOTIMP")
_TRY_NEXT_SERVER = ("SERVFAIL", "REFUSED", "NOTIMP")


@dataclass(frozen=True, slots=True)
class QueryFailure:
    """A question without a usable reply. `silent`: no reply came over UDP; `truncated`: the reply over UDP was
    truncated, and TCP failed."""

    question: Question
    error: InetError
    tries: int
    silent: bool = False
    truncated: bool = False


Result = Answer | QueryFailure


class Resolver:
    """Queries a list of servers (host and port) for one session."""

    def __init__(
        self, session: Session, servers: Sequence[tuple[str, int]], *, retries: int = 0, tcp: bool = False
    ) -> None:
        self._session = session
        self._servers = servers
        self._retries = retries
        self._tcp = tcp

    def query(self, questions: Sequence[Question]) -> list[Result]:
        """Return the answer or failure of each question, in order. With `--wait`, repeat while all questions fail.
        Raises `Cancelled`."""
        results: list[Result] = []

        def attempt() -> None:
            results[:] = self._query_in_rounds(questions)
            if errors := _errors_if_all_failed(results, len(questions)):
                raise errors[0]

        try:
            self._session.wait_for_server(attempt)
        except InetError as error:
            if error not in _errors_if_all_failed(results, len(questions)):  # --max-time ended a pause
                results = [QueryFailure(result.question, error, result.tries) for result in results]
        return [self._with_attempt_count(result) for result in results]

    def _query_in_rounds(self, questions: Sequence[Question]) -> list[Result]:
        results: dict[Question, Result] = {}
        tries = dict.fromkeys(questions, 0)
        pending = list(questions)
        try:
            for number, pause in enumerate(pauses(*RETRY_S)):
                for index, (host, port) in enumerate(self._servers):
                    for result in self._query_server(host, port, pending, tries):
                        results[result.question] = result
                    last = index == len(self._servers) - 1
                    pending = [
                        question for question in pending if self._needs_retry(results[question], number, last=last)
                    ]
                    if not pending:
                        return [results[question] for question in questions]
                self._pause_before_round(pause, [results[question] for question in pending])
        except InetError as error:  # --max-time
            results |= {question: QueryFailure(question, error, tries[question]) for question in pending}
        return [results[question] for question in questions]

    def _needs_retry(self, result: Result, number: int, *, last: bool) -> bool:
        """Whether a question is sent again: without a reply, or after one that another server or a later try may
        improve.

        `number` is the number of the round, from 0; `last` = no server is left in this round.
        """
        if isinstance(result, QueryFailure):
            rounds = self._retries + (TRIES if result.silent else 1)
            return result.error.transient and (not last or number + 1 < rounds)
        rcode = rcode_name(result.message.rcode)
        return rcode in _TRY_NEXT_SERVER if not last else rcode == "SERVFAIL" and number < self._retries

    def _pause_before_round(self, seconds: float, results: Sequence[Result]) -> None:
        """Pause before the next round, and note the last error. No pause if all questions timed out."""
        if all(isinstance(result, QueryFailure) and result.silent for result in results):
            return
        errors = [result.error if isinstance(result, QueryFailure) else answer_error(result) for result in results]
        last = next(error for error in errors if error)
        self._session.pause(seconds, last)
        self._session.note(f"retried after: {last.message}")

    def _with_attempt_count(self, result: Result) -> Result:
        """Add the number of tries to the message of a timeout."""
        if not (isinstance(result, QueryFailure) and result.silent):
            return result
        times = "1 try" if result.tries == 1 else f"{result.tries} tries"
        limit = f"in {times} of {self._session.timeouts.silence_s:g} s (--timeout)"
        return replace(result, error=TimedOut(f"{result.error.message} {limit}"))

    def _query_server(
        self, host: str, port: int, questions: Sequence[Question], tries: dict[Question, int], *, edns: bool = True
    ) -> list[Result]:
        """Query one server once for all questions at the same time; add to `tries`."""
        query = self._query_over_tcp if self._tcp else self._query_over_udp
        results = {result.question: result for result in query(host, port, questions, tries, edns=edns)}
        truncated_questions = [
            question for question, result in results.items() if isinstance(result, Answer) and _is_truncated(result)
        ]
        for result in self._query_over_tcp(host, port, truncated_questions, tries, edns=edns):
            results[result.question] = replace(result, truncated=True)
        rejected = [question for question, result in results.items() if edns and _rejects_edns(result)]
        if rejected:
            again = self._query_server(host, port, rejected, tries, edns=False)
            if any(isinstance(result, Answer) for result in again):
                self._session.note(f"{_server_name(host, port)} does not support EDNS; retried without EDNS")
            results |= {result.question: result for result in again}
        return [results[question] for question in questions]

    def _query_over_udp(
        self, host: str, port: int, questions: Sequence[Question], tries: dict[Question, int], *, edns: bool
    ) -> list[Result]:
        codec: Codec[Question] = Codec(
            encode=lambda question, key: encode_query(question, key, edns=edns),
            key_of=message_id,
            fits=answers_question,
        )
        for question in questions:
            tries[question] += 1
        try:
            with self._session.datagrams(host, port) as peer:
                silence = self._session.timeouts.silence_s
                replies = list(exchange(peer, questions, codec, tries=1, timeout_s=silence))
        except InetError as error:
            if self._session.deadline.passed:
                raise
            return [QueryFailure(question, error, tries[question]) for question in questions]
        return [_to_result(reply, Transport.UDP, _server_name(host, port), tries[reply.question]) for reply in replies]

    def _query_over_tcp(
        self, host: str, port: int, questions: Sequence[Question], tries: dict[Question, int], *, edns: bool
    ) -> list[Result]:
        results = []
        for framed in query_over_tcp(self._session, host, port, questions, edns=edns):
            tries[framed.question] += framed.tries
            results.append(_to_result(framed, Transport.TCP, _server_name(host, port), tries[framed.question]))
        return results


def _to_result(reply: ExchangeResult[Question] | TcpReply, transport: Transport, server: str, tries: int) -> Result:
    """Parse a reply into an answer, or return the failure."""
    question = reply.question
    if reply.error:
        silent = transport is Transport.UDP and isinstance(reply.error, TimedOut)
        return QueryFailure(question, reply.error, tries, silent)
    try:
        return Answer(question, parse_message(reply.data), server, transport, reply.rtt_s, tries)
    except ProtocolViolation as error:
        return QueryFailure(question, error, tries)


def _is_truncated(answer: Answer) -> bool:
    return answer.transport is Transport.UDP and answer.message.truncated


def _rejects_edns(result: Result) -> bool:
    """Whether the server may have failed because of EDNS."""
    return isinstance(result, Answer) and rcode_name(result.message.rcode) in _EDNS_REJECTED and not result.message.edns


def _errors_if_all_failed(results: Iterable[Result], count: int) -> list[InetError]:
    """Return the errors if all `count` results are failures, else an empty list."""
    errors = [result.error for result in results if isinstance(result, QueryFailure)]
    return errors if len(errors) == count else []


def _server_name(host: str, port: int) -> str:
    return host if port == PORT else f"{bracket_host(host)}:{port}"
