"""Asking name servers:

    client: query (UDP)      server: reply; with TC when it did not fit
    client: query (TCP)      server: the whole reply

The servers are asked in turn, one try each, round after round; a reply counts unless it says that this server cannot
help (SERVFAIL, REFUSED, NOTIMP) and there is another. Datagrams get lost: a question that met with silence over UDP has
three rounds. What else may pass (SERVFAIL, a connection refused or broken) has one. `--retries` adds to both; there is
a pause before a round, unless silence was the pause. A server that stumbles over EDNS (FORMERR, NOTIMP) is asked again
without it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from inetcli.errors import InetError, ProtocolViolation, TimedOut
from inetcli.net.backoff import RETRY_S, pauses
from inetcli.net.exchange import Codec, ExchangeResult, exchange
from inetcli.net.session import Session
from inetcli.protocols.dns.connection import Framed, ask_over_tcp
from inetcli.protocols.dns.errors import answer_error
from inetcli.protocols.dns.model import Answer, Question, Transport, rcode_name
from inetcli.protocols.dns.wire import answers_question, encode_query, message_id, parse_message

TRIES = 3
"""Over UDP, for what met with silence."""

PORT = 53

_STUMBLED = ("FORMERR", "NOTIMP")
_NO_HELP = ("SERVFAIL", "REFUSED", "NOTIMP")


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that got no usable reply. `silent` = none came over UDP; `truncated` = one did, but was cut, and it
    was TCP that failed."""

    question: Question
    error: InetError
    tries: int
    silent: bool = False
    truncated: bool = False


Result = Answer | Failure


class Resolver:
    """Asks a list of servers, host and port each, for one session."""

    def __init__(
        self, session: Session, servers: Sequence[tuple[str, int]], *, retries: int = 0, tcp: bool = False
    ) -> None:
        self._session = session
        self._servers = servers
        self._retries = retries
        self._tcp = tcp

    def ask(self, questions: Sequence[Question]) -> list[Result]:
        """Each question's answer or failure, in their order. With `--wait` all of it again as long as every one of them
        fails. Raises `Cancelled`."""
        results: list[Result] = []

        def attempt() -> None:
            results[:] = self._ask_in_rounds(questions)
            if errors := _errors(results, len(questions)):
                raise errors[0]

        try:
            self._session.wait_for_server(attempt)
        except InetError as error:
            if error not in _errors(results, len(questions)):  # --max-time ended a pause
                results = [Failure(result.question, error, result.tries) for result in results]
        return [self._with_attempt_count(result) for result in results]

    def _ask_in_rounds(self, questions: Sequence[Question]) -> list[Result]:
        results: dict[Question, Result] = {}
        tries = dict.fromkeys(questions, 0)
        left = list(questions)
        try:
            for number, pause in enumerate(pauses(*RETRY_S)):
                for index, (host, port) in enumerate(self._servers):
                    for result in self._ask_server(host, port, left, tries):
                        results[result.question] = result
                    last = index == len(self._servers) - 1
                    left = [question for question in left if self._goes_on(results[question], number, last=last)]
                    if not left:
                        return [results[question] for question in questions]
                self._rest(pause, [results[question] for question in left])
        except InetError as error:  # --max-time
            results |= {question: Failure(question, error, tries[question]) for question in left}
        return [results[question] for question in questions]

    def _goes_on(self, result: Result, number: int, *, last: bool) -> bool:
        """Whether a question is asked again: it got no reply, or one that another server, or another time, may better.
        `number` is that of the round, from 0; `last` = no server is left in it."""
        if isinstance(result, Failure):
            rounds = self._retries + (TRIES if result.silent else 1)
            return result.error.transient and (not last or number + 1 < rounds)
        rcode = rcode_name(result.message.rcode)
        return rcode in _NO_HELP if not last else rcode == "SERVFAIL" and number < self._retries

    def _rest(self, seconds: float, results: Sequence[Result]) -> None:
        """The pause before another round."""
        if all(isinstance(result, Failure) and result.silent for result in results):
            return
        errors = [result.error if isinstance(result, Failure) else answer_error(result) for result in results]
        last = next(error for error in errors if error)
        self._session.pause(seconds, last)
        self._session.note(f"tried again after: {last.message}")

    def _with_attempt_count(self, result: Result) -> Result:
        """A failure by silence with what was tried."""
        if not (isinstance(result, Failure) and result.silent):
            return result
        times = "1 try" if result.tries == 1 else f"{result.tries} tries"
        limit = f"in {times} of {self._session.timeouts.silence_s:g} s (--timeout)"
        return replace(result, error=TimedOut(f"{result.error.message} {limit}"))

    def _ask_server(
        self, host: str, port: int, questions: Sequence[Question], tries: dict[Question, int], *, edns: bool = True
    ) -> list[Result]:
        """One try at one server, for all questions at once. `tries` counts what it took so far."""
        ask = self._over_tcp if self._tcp else self._over_udp
        results = {result.question: result for result in ask(host, port, questions, tries, edns=edns)}
        cut = [question for question, result in results.items() if isinstance(result, Answer) and _is_cut(result)]
        for result in self._over_tcp(host, port, cut, tries, edns=edns):
            results[result.question] = replace(result, truncated=True)
        stumbled = [question for question, result in results.items() if edns and _stumbled(result)]
        if stumbled:
            again = self._ask_server(host, port, stumbled, tries, edns=False)
            if any(isinstance(result, Answer) for result in again):
                self._session.note(f"{_name(host, port)} does not take EDNS: asked without")
            results |= {result.question: result for result in again}
        return [results[question] for question in questions]

    def _over_udp(
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
            return [Failure(question, error, tries[question]) for question in questions]
        return [_read(reply, Transport.UDP, _name(host, port), tries[reply.question]) for reply in replies]

    def _over_tcp(
        self, host: str, port: int, questions: Sequence[Question], tries: dict[Question, int], *, edns: bool
    ) -> list[Result]:
        results = []
        for framed in ask_over_tcp(self._session, host, port, questions, edns=edns):
            tries[framed.question] += framed.tries
            results.append(_read(framed, Transport.TCP, _name(host, port), tries[framed.question]))
        return results


def _read(reply: ExchangeResult[Question] | Framed, transport: Transport, server: str, tries: int) -> Result:
    """The answer that a message is, or the failure."""
    question = reply.question
    if reply.error:
        silent = transport is Transport.UDP and isinstance(reply.error, TimedOut)
        return Failure(question, reply.error, tries, silent)
    try:
        return Answer(question, parse_message(reply.data), server, transport, reply.rtt_s, tries)
    except ProtocolViolation as error:
        return Failure(question, error, tries)


def _is_cut(answer: Answer) -> bool:
    return answer.transport is Transport.UDP and answer.message.truncated


def _stumbled(result: Result) -> bool:
    """Whether EDNS may be why the server did not answer."""
    return isinstance(result, Answer) and rcode_name(result.message.rcode) in _STUMBLED and not result.message.edns


def _errors(results: Iterable[Result], count: int) -> list[InetError]:
    """The errors of results that are failures, all of them, and else none."""
    errors = [result.error for result in results if isinstance(result, Failure)]
    return errors if len(errors) == count else []


def _name(host: str, port: int) -> str:
    return host if port == PORT else f"{f'[{host}]' if ':' in host else host}:{port}"
