"""Asking name servers:

    client: query (UDP)      server: reply; with TC when it did not fit
    client: query (TCP)      server: the whole reply

The servers are asked in turn, one try each, round after round; a reply counts unless it says that this server cannot
help (SERVFAIL, REFUSED, NOTIMP) and there is another. A server that stumbles over EDNS (FORMERR, NOTIMP) is asked again
without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from inetcli.errors import InetError, ProtocolViolation, TimedOut
from inetcli.net.exchange import Codec, Reply, exchange
from inetcli.net.session import Session
from inetcli.protocols.dns.model import Answer, Question, Transport, rcode_name
from inetcli.protocols.dns.wire import (
    answers_question,
    encode_framed,
    encode_query,
    message_id,
    parse_framed,
    parse_message,
)

TRIES = 3
PORT = 53

_STUMBLED = ("FORMERR", "NOTIMP")
_NO_HELP = ("SERVFAIL", "REFUSED", "NOTIMP")


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that got no usable reply."""

    question: Question
    error: InetError
    tries: int


Result = Answer | Failure


class Resolver:
    """Asks a list of servers, host and port each, for one session."""

    def __init__(
        self, session: Session, servers: Sequence[tuple[str, int]], *, tries: int = TRIES, tcp: bool = False
    ) -> None:
        self._session = session
        self._servers = servers
        self._tries = tries
        self._tcp = tcp

    def ask(self, questions: Sequence[Question]) -> list[Result]:
        """Each question's answer or failure, in their order. Raises only what ends them all: `TimedOut` when the
        target's time is up, `Cancelled`."""
        results: dict[Question, Result] = {}
        tries = dict.fromkeys(questions, 0)
        open_questions = list(questions)
        for _ in range(self._tries):
            for index, (host, port) in enumerate(self._servers if open_questions else ()):
                for result in self._ask_server(host, port, open_questions, tries):
                    results[result.question] = result
                last = index == len(self._servers) - 1
                open_questions = [question for question in open_questions if _goes_on(results[question], last=last)]
                if not open_questions:
                    break
        return [self._in_words(results[question]) for question in questions]

    def _in_words(self, result: Result) -> Result:
        """A failure by silence with what was tried."""
        if not (isinstance(result, Failure) and isinstance(result.error, TimedOut)):
            return result
        times = "1 try" if result.tries == 1 else f"{result.tries} tries"
        limit = f"in {times} of {self._session.limits.silence_s:g} s (--timeout)"
        return replace(result, error=TimedOut(f"{result.error.message} {limit}"))

    def _ask_server(
        self, host: str, port: int, questions: Sequence[Question], tries: dict[Question, int]
    ) -> list[Result]:
        """One try at one server, for all questions at once."""
        name = self._name(host, port)
        results: list[Result] = []
        if self._tcp:
            for question in questions:
                tries[question] += 1
                results.append(self._over_tcp(host, port, question, tries[question]))
            return results
        try:
            replies = self._session.until_there(lambda: self._over_udp(host, port, questions))
        except InetError as error:
            if self._session.deadline.passed:
                raise
            return [Failure(question, error, tries[question] + 1) for question in questions]
        for reply in replies:
            question = reply.question
            tries[question] += 1
            results.append(self._judge(reply, host, port, name, tries))
        return results

    def _over_udp(
        self, host: str, port: int, questions: Sequence[Question], *, edns: bool = True
    ) -> list[Reply[Question]]:
        codec: Codec[Question] = Codec(
            encode=lambda question, key: encode_query(question, key, edns=edns),
            key_of=message_id,
            fits=answers_question,
        )
        with self._session.datagrams(host, port) as peer:
            silence = self._session.limits.silence_s
            replies = list(exchange(peer, questions, codec, tries=1, timeout_s=silence))
        for reply in replies:
            if reply.error and reply.error.exit_code == _UNREACHABLE and self._session.limits.wait_s:
                raise reply.error
        return replies

    def _judge(self, reply: Reply[Question], host: str, port: int, name: str, tries: dict[Question, int]) -> Result:
        question = reply.question
        if reply.error:
            return Failure(question, reply.error, tries[question])
        try:
            message = parse_message(reply.data)
            if rcode_name(message.rcode) in _STUMBLED and not message.edns:
                (again,) = self._over_udp(host, port, [question], edns=False)
                tries[question] += 1
                if again.error:
                    return Failure(question, again.error, tries[question])
                self._session.note(f"{name} does not take EDNS: asked without")
                reply, message = again, parse_message(again.data)
        except ProtocolViolation as error:
            return Failure(question, error, tries[question])
        if message.truncated:
            result = self._over_tcp(host, port, question, tries[question] + 1)
            return replace(result, truncated=True) if isinstance(result, Answer) else result
        return Answer(question, message, name, Transport.UDP, reply.rtt_s, tries[question])

    def _over_tcp(self, host: str, port: int, question: Question, tries: int) -> Result:
        clock = self._session.network.clock
        try:
            stream = self._session.connect(host, port)
            try:
                key = _random_key()
                asked = clock.monotonic()
                stream.send(encode_framed(encode_query(question, key)))
                data = stream.read(parse_framed)
                rtt = clock.monotonic() - asked
            finally:
                stream.close()
            if not answers_question(data, key, question):
                raise ProtocolViolation(f"DNS: the reply from {self._name(host, port)} is to another question")
            message = parse_message(data)
        except InetError as error:
            return Failure(question, error, tries)
        return Answer(question, message, self._name(host, port), Transport.TCP, rtt, tries)

    @staticmethod
    def _name(host: str, port: int) -> str:
        return host if port == PORT else f"{f'[{host}]' if ':' in host else host}:{port}"


def _goes_on(result: Result, *, last: bool) -> bool:
    """Whether a question is asked again: it got no reply, or one that another server may better."""
    if isinstance(result, Failure):
        return result.error.transient
    return not last and rcode_name(result.message.rcode) in _NO_HELP


def _random_key() -> int:
    import secrets

    return secrets.randbelow(1 << 16)


_UNREACHABLE = 7
