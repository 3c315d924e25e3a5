"""Questions over datagrams, with a toy protocol and a server that follows a script."""

import contextlib
import secrets
import select
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from inetcli.errors import TimedOut, Unreachable
from inetcli.net.datagram import Datagrams
from inetcli.net.deadline import Deadline
from inetcli.net.exchange import Codec, ExchangeResult, exchange
from inetcli.net.resolve import Address
from inetcli.net.trace import Trace
from inetcli.net.wait import Cancel, Cancelled, WaitLimits

LONG_S = 20.0

# A toy protocol: the key in two bytes, then the question; a reply turns the question into capitals.
CODEC: Codec[str] = Codec(
    encode=lambda question, key: key.to_bytes(2) + question.encode(),
    key_of=lambda data: int.from_bytes(data[:2]) if len(data) > 2 else None,
    fits=lambda data, key, question: data == key.to_bytes(2) + question.upper().encode(),
)

Script = Callable[[int, bytes], list[bytes]]
"""The replies of a server to its n-th datagram, counted from 0."""


class Server:
    """A server on a thread that replies to datagrams as a script says, until it gets an empty one."""

    def __init__(self, script: Script) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20
        )  # room for a whole window, so that the kernel drops nothing
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(LONG_S)
        self.got: list[bytes] = []
        self._script = script
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            data, self.client = self.sock.recvfrom(1000)
            if not data:
                return
            self.got.append(data)
            for reply in self._script(len(self.got) - 1, data):
                self.sock.sendto(reply, self.client)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.sock.getsockname())
        self._thread.join(LONG_S)
        self.sock.close()


def answer(data: bytes) -> bytes:
    return data[:2] + data[2:].upper()


TRY_S = 0.01
"""The limit of a try in tests in which tries expire. The clock stands still until the server advances it."""


@pytest.fixture
def ask(
    cancel: Cancel, clock, sockets: contextlib.ExitStack
) -> Callable[..., tuple[Server, Iterator[ExchangeResult[str]]]]:
    """Starts a server, and asks it the questions."""

    def start(script: Script, *questions: str, deadline: Deadline | None = None, tries=3, timeout_s=TRY_S, **options):
        server = Server(script)
        sockets.callback(server.close)
        limits = WaitLimits(deadline or Deadline(clock), LONG_S, cancel)
        peer = sockets.enter_context(Datagrams(Address(socket.AF_INET, server.sock.getsockname()), limits, Trace()))
        return server, exchange(peer, questions, CODEC, tries=tries, timeout_s=timeout_s, **options)

    return start


def outcomes(replies: Iterator[ExchangeResult[str]]) -> list[tuple[str, str, int]]:
    """Return question, reply and number of tries of each result, sorted by question."""
    return sorted((reply.question, reply.data[2:].decode(), reply.tries) for reply in replies)


def test_one_question_gets_its_answer(ask, clock) -> None:
    def script(n: int, data: bytes) -> list[bytes]:
        clock.advance(0.25)
        return [answer(data)]

    server, replies = ask(script, "a", timeout_s=0.5)
    (reply,) = replies
    assert (reply.question, reply.data[2:], reply.error, reply.rtt_s, reply.tries) == ("a", b"A", None, 0.25, 1)
    assert len(server.got) == 1


def test_every_question_has_exactly_one_outcome(ask) -> None:
    questions = [f"q{n:04d}" for n in range(2000)]
    _, replies = ask(lambda n, data: [answer(data)], *questions)
    assert outcomes(replies) == [(question, question.upper(), 1) for question in questions]


def test_without_questions_nothing_is_sent(ask) -> None:
    server, replies = ask(lambda n, data: [])
    assert list(replies) == []
    assert server.got == []


def test_answers_out_of_order_find_their_questions(ask) -> None:
    held: list[bytes] = []

    def script(n: int, data: bytes) -> list[bytes]:
        held.append(answer(data))
        return held[::-1] if n == 2 else []

    _, replies = ask(script, "a", "b", "c")
    assert [(reply.question, reply.data[2:]) for reply in replies] == [("c", b"C"), ("b", b"B"), ("a", b"A")]


def test_equal_questions_have_results_of_their_own(ask) -> None:
    _, replies = ask(lambda n, data: [answer(data)], "same", "same", "same")
    assert outcomes(replies) == [("same", "SAME", 1)] * 3


def test_a_lost_question_is_asked_again(ask, clock) -> None:
    def script(n: int, data: bytes) -> list[bytes]:
        if n != 1:
            return [answer(data)]
        clock.advance(TRY_S)
        return []

    server, replies = ask(script, "a", "b", "c", window=1)
    assert outcomes(replies) == [("a", "A", 1), ("b", "B", 2), ("c", "C", 1)]
    assert [data[2:] for data in server.got] == [b"a", b"b", b"b", b"c"]


def test_each_try_has_a_key_of_its_own_that_is_not_in_flight(ask, clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(n: int, data: bytes) -> list[bytes]:
        if n == 1:
            clock.advance(TRY_S)
        return [answer(got) for got in server.got[2:]] if n == 3 else []

    keys = iter([7, 7, 8, 9, 9, 10])
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(keys))
    server, replies = ask(script, "a", "b")
    assert outcomes(replies) == [("a", "A", 2), ("b", "B", 2)]
    assert server.got == [b"\0\x07a", b"\0\x08b", b"\0\x09a", b"\0\x0ab"]


def test_silence_is_a_timeout_of_that_question_only_after_all_tries(ask, clock) -> None:
    def script(n: int, data: bytes) -> list[bytes]:
        if data[2:] != b"b":
            return [answer(data)]
        clock.advance(TRY_S)
        return []

    server, replies = ask(script, "a", "b", "c", window=1)
    results = {reply.question: reply for reply in replies}
    assert results["a"].error is results["c"].error is None
    assert isinstance(results["b"].error, TimedOut)
    assert results["b"].error.message.startswith("timed out: no reply from 127.0.0.1:")
    assert (results["b"].tries, results["b"].data) == (3, b"")
    assert [data[2:] for data in server.got] == [b"a", b"b", b"b", b"b", b"c"]


def test_a_late_answer_to_an_earlier_try_is_ignored(ask, clock) -> None:
    def script(n: int, data: bytes) -> list[bytes]:
        if n == 0:
            clock.advance(TRY_S)
            return []
        return [answer(got) for got in server.got]

    server, replies = ask(script, "a")
    (reply,) = replies
    assert (reply.data, reply.tries) == (answer(server.got[1]), 2)


def test_a_duplicate_is_ignored(ask) -> None:
    _, replies = ask(lambda n, data: [answer(data)] * 3, "a", "b", window=1)
    assert outcomes(replies) == [("a", "A", 1), ("b", "B", 1)]


@pytest.mark.parametrize(
    "forged",
    [
        lambda data: b"",
        lambda data: b"\0",
        lambda data: bytes([data[0] ^ 1]) + answer(data)[1:],
        lambda data: data[:2] + b"ANOTHER",
        lambda data: answer(data) + b"!",
    ],
    ids=["empty", "short", "another key", "another question", "surplus"],
)
def test_a_forged_datagram_does_not_end_the_wait(ask, forged: Callable[[bytes], bytes]) -> None:
    server, replies = ask(lambda n, data: [forged(data), answer(data)], "a")
    assert outcomes(replies) == [("a", "A", 1)]
    assert len(server.got) == 1


def test_at_most_window_questions_are_in_flight(ask) -> None:
    held: list[bytes] = []
    waiting: list[int] = []

    def script(n: int, data: bytes) -> list[bytes]:
        """Hold the replies until there are three questions, then check that no fourth has arrived."""
        if not data[2:].startswith(b"q"):
            return []  # a late datagram for an earlier user of this port, which must not be counted
        held.append(answer(data))
        if len(held) < 3:
            return []
        more, _, _ = select.select([server.sock], [], [], 0.01)
        waiting.append(len(held) + len(more))
        replies = list(held)
        held.clear()
        return replies

    questions = [f"q{n}" for n in range(9)]
    server, replies = ask(script, *questions, window=3)
    assert [question for question, _, _ in outcomes(replies)] == questions
    # Later counts may differ, because a reply already makes room for the next question.
    assert waiting[0] == 3


def test_questions_are_read_when_the_window_has_room(cancel: Cancel, sockets: contextlib.ExitStack) -> None:
    taken: list[str] = []

    def questions() -> Iterator[str]:
        for question in "abcdef":
            taken.append(question)
            yield question

    server = Server(lambda n, data: [answer(data)])
    sockets.callback(server.close)
    address = Address(socket.AF_INET, server.sock.getsockname())
    peer = sockets.enter_context(Datagrams(address, WaitLimits(Deadline(), LONG_S, cancel), Trace()))
    replies = exchange(peer, questions(), CODEC, tries=1, timeout_s=LONG_S, window=2)
    next(replies)
    assert taken == ["a", "b"]
    assert len(list(replies)) == 5


def test_a_closed_port_ends_every_question_in_flight(limits: WaitLimits, sockets: contextlib.ExitStack) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address = Address(socket.AF_INET, gone.getsockname())
    peer = sockets.enter_context(Datagrams(address, limits, Trace()))
    replies = list(exchange(peer, "abc", CODEC, tries=3, timeout_s=LONG_S))
    assert sorted(reply.question for reply in replies) == ["a", "b", "c"]
    assert all(isinstance(reply.error, Unreachable) and reply.tries == 1 for reply in replies)


def test_the_deadline_of_the_session_ends_the_exchange(ask, clock) -> None:
    def script(n: int, data: bytes) -> list[bytes]:
        if n == 0:
            return [answer(data)]
        clock.advance(1)
        return []

    deadline = Deadline(clock).within(0.05, "over (--max-time)")
    _, replies = ask(script, "a", "b", deadline=deadline, timeout_s=LONG_S, window=1)
    assert next(replies).question == "a"
    with pytest.raises(TimedOut, match="--max-time"):
        next(replies)


def test_a_flood_of_forged_datagrams_delays_no_time_limit(ask) -> None:
    over = threading.Event()

    def script(n: int, data: bytes) -> list[bytes]:
        while not over.is_set():
            server.sock.sendto(b"forged", server.client)
        return []

    server, replies = ask(script, "a", deadline=Deadline(), tries=1, timeout_s=0.1)
    (reply,) = replies
    over.set()
    assert isinstance(reply.error, TimedOut)


def test_cancel_ends_the_exchange(ask, cancel: Cancel) -> None:
    _, replies = ask(lambda n, data: [], "a")
    cancel.set()
    with pytest.raises(Cancelled):
        next(replies)
