"""The contract of every fault of the news server: what a socket sees of it, and what nntplib makes of some."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.newsreader import LIMIT_S, Reader, nntplib, reading

from mockservers import NntpServer, faults
from mockservers.families import kinds_of
from mockservers.faultkinds import BadFault
from mockservers.log import Kind
from mockservers.nntp import oddnews

Check = Callable[[NntpServer], None]
SHORT_S = 0.1
ARTICLE = "From: a@b.invalid\r\nNewsgroups: misc.empty\r\nSubject: x\r\n\r\nbody\r\n"


@dataclass(frozen=True)
class Contract:
    """A fault as text, what is seen of it, and what kind of server shows it."""

    text: str
    check: Check
    options: dict[str, Any] = field(default_factory=dict)


# The greeting, and what kind of server it is


def busy(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.greeting.startswith("400 ")
        assert peer.the_end()


def no_permission(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.greeting.startswith("502 ")
        assert peer.the_end()


def no_posting(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.greeting.startswith("201 ")
        assert peer.say("MODE READER").startswith("201 ")
        assert peer.say("POST").startswith("440 ")
        assert "POST" not in peer.block("CAPABILITIES")


def transit(server: NntpServer) -> None:
    with reading(server) as peer:
        before = peer.block("CAPABILITIES")
        assert {"MODE-READER", "IHAVE"} <= set(before)
        assert {"READER", "POST", "OVER"} & set(before) == set()
        for command in ("GROUP misc.test", "ARTICLE 1", "LIST OVERVIEW.FMT", "DATE", "POST", "BODY"):
            assert peer.say(command) == "401 MODE-READER"
        assert len(peer.block("LIST ACTIVE")) == 4
        assert peer.say("MODE READER").startswith("200 ")
        after = peer.block("CAPABILITIES")
        assert "READER" in after
        assert "MODE-READER" not in after
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"


def without(server: NntpServer) -> None:
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        assert peer.say("OVER 1-") == "500 What?"
        assert peer.say("XOVER 1-") == "500 What?"
        assert "OVER" not in peer.block("CAPABILITIES")
        assert not [row for row in peer.block("HELP") if "OVER [" in row]
        assert peer.say("HEAD 1").startswith("221 ")


def version(server: NntpServer) -> None:
    with reading(server) as peer:
        rows = peer.block("CAPABILITIES")
        assert rows[1] == "VERSION 1"
        assert "READER" in rows


# Who may ask, and for how long


def login_required(server: NntpServer) -> None:
    with reading(server) as peer:
        for command in ("CAPABILITIES", "MODE READER", "GROUP misc.test", "DATE"):
            assert peer.say(command).startswith("480 ")
        assert peer.say("AUTHINFO USER user").startswith("381 ")
        assert peer.say("AUTHINFO PASS password").startswith("281 ")
        assert peer.say("GROUP misc.test").startswith("211 ")
    with reading(server) as peer:
        assert peer.say("QUIT").startswith("205 ")


def login_required_later(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test").startswith("211 ")
        assert peer.say("STAT 1").startswith("223 ")
        assert peer.say("GROUP misc.empty").startswith("480 ")
        assert peer.say("STAT 2") == "223 2 <2.misc.test@example.test> status"  # a refusal changes nothing


def login_lost(server: NntpServer) -> None:
    with reading(server) as peer:
        for again in (False, True):
            peer.say("AUTHINFO USER user")
            assert peer.say("AUTHINFO PASS password").startswith("281 ")
            assert peer.say("GROUP private.test").startswith("211 " if again else "480 ")
        assert peer.say("STAT 1").startswith("223 ")


def tls_required(server: NntpServer) -> None:
    with socket.create_connection((server.host, server.port), LIMIT_S) as sock:
        plain = Reader(sock)
        assert plain.say("GROUP misc.test").startswith("483 ")
        assert plain.say("AUTHINFO USER user").startswith("483 ")
        assert "STARTTLS" in plain.block("CAPABILITIES")
        assert plain.say("STARTTLS").startswith("382 ")
        plain.close()
        context = ssl.create_default_context(cafile=server.ca_file)
        with context.wrap_socket(sock, server_hostname="localhost") as secure, secure.makefile("rwb") as stream:
            stream.write(b"GROUP misc.test\r\n")
            stream.flush()
            assert stream.readline().startswith(b"211 ")


def closing(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test").startswith("211 ")
        assert peer.say("STAT 1").startswith("223 ")
        assert peer.say("ARTICLE 1").startswith("400 ")
        assert peer.the_end()


# Groups that are not what they seem


def empty(status: str) -> Check:
    def check(server: NntpServer) -> None:
        with reading(server) as peer:
            assert peer.say("GROUP misc.test") == status
            assert peer.say("STAT").startswith("420 ")
            assert peer.say("STAT 5").startswith("423 ")
            assert peer.say("OVER 1-").startswith("423 ")
            assert peer.block("XOVER 1-") == ["224 No articles in 1-"]
            assert peer.block("LISTGROUP") == [status]

    return check


def holes(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 3 1 5 misc.test"
        assert [peer.say(f"STAT {number}")[:3] for number in (5, 4, 3)] == ["423", "423", "223"]
        assert peer.block("LISTGROUP")[1:] == ["1", "2", "3"]
        assert peer.block("XOVER 4-5") == ["224 No articles in 4-5"]


def phantom(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"
        assert [peer.say(f"STAT {number}")[:3] for number in range(1, 6)] == ["423"] * 5
        assert peer.say("STAT").startswith("420 ")
        assert peer.say("OVER 1-").startswith("423 ")


def lowered(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"
        assert peer.say("GROUP misc.test") == "211 3 1 3 misc.test"
        assert peer.say("STAT 5").startswith("423 ")
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"
        assert peer.say("STAT 5").startswith("223 ")


def overcount(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 12 1 5 misc.test"
        assert len(peer.block("LISTGROUP")) == 6


def wrong_group(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test.other"


# Articles that are not there, or are others


def vanished(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"
        assert peer.say("STAT 5").startswith("223 ")
        assert peer.say("ARTICLE 5").startswith("423 ")
        assert peer.say("STAT 5").startswith("423 ")
        assert peer.say("STAT <5.misc.test@example.test>").startswith("430 ")
        assert peer.say("GROUP misc.test") == "211 4 1 5 misc.test"


def missing(server: NntpServer) -> None:
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        assert peer.say("ARTICLE 5").startswith("420 ")
        assert peer.say("STAT 5").startswith("223 ")


def wrong_article(server: NntpServer) -> None:
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        rows = peer.block("ARTICLE 5")
        assert rows[0] == "220 1 <1.misc.test@example.test> article"
        assert "Subject: slots and pickling" in rows
        assert peer.block("ARTICLE <4.misc.test@example.test>")[0] == "220 0 <1.misc.test@example.test> article"


def odd_article(kind: str) -> Check:
    def check(server: NntpServer) -> None:
        raw = oddnews.odd_article(kind)
        name = "5.misc.test@no-message-id.invalid" if kind == "no_message_id" else f"{kind}.odd.test@example.test"
        seen = whole(server, "ARTICLE 5").partition(b"\r\n")
        assert seen[0] == f"220 5 <{name}> article".encode()
        end = b"" if raw.endswith(b"\r\n") else b"\r\n"
        assert seen[2] == raw_stuffed(raw) + end + b".\r\n"

    return check


def raw_stuffed(raw: bytes) -> bytes:
    return b"\r\n".join(b"." + row if row.startswith(b".") else row for row in raw.split(b"\r\n"))


# The overview


def last_row(server: NntpServer) -> list[str]:
    """The last row's fields; the others are good."""
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        rows = peer.block("OVER 1-5")[1:]
        assert peer.say("STAT 5").startswith("223 ")
    assert [row.split("\t")[0] for row in rows[:4]] == ["1", "2", "3", "4"]
    assert {row.count("\t") for row in rows[:4]} == {8}
    return "\r\n".join(rows[4:]).split("\t")


def short_row(server: NntpServer) -> None:
    assert last_row(server)[-1] == "<1.misc.test@example.test>"
    assert len(last_row(server)) == 6


def tab_in_subject(server: NntpServer) -> None:
    assert last_row(server)[:3] == ["5", "Re: slots and pickling", "after the TAB"]
    assert len(last_row(server)) == 10


def newline_in_subject(server: NntpServer) -> None:
    row = last_row(server)
    assert row[:2] == ["5", "Re: slots and pickling\r\nafter the CRLF"]


def raw_subject(server: NntpServer) -> None:
    assert last_row(server)[1].encode("utf-8", "surrogateescape") == b"Gr\xfc\xdfe"


def bad_number(server: NntpServer) -> None:
    assert last_row(server)[0] == "number"


def metadata_names(server: NntpServer) -> None:
    with reading(server) as peer:
        rows = peer.block("LIST OVERVIEW.FMT")[1:]
        assert rows == ["Subject:", "From:", "Date:", "Message-ID:", "References:", ":bytes", ":lines", "Xref:full"]


# How replies are written


def honest(command: str) -> bytes:
    with NntpServer() as server:
        return whole(server, command)


def whole(server: NntpServer, command: str) -> bytes:
    """All that comes for this command in misc.test, up to the end."""
    with socket.create_connection((server.host, server.port), LIMIT_S) as sock, sock.makefile("rwb") as stream:
        stream.readline()
        stream.write(b"GROUP misc.test\r\n")
        stream.flush()
        stream.readline()
        stream.write(command.encode() + b"\r\n")
        stream.flush()
        sock.shutdown(socket.SHUT_WR)
        return stream.read()


def no_terminator(server: NntpServer) -> None:
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        expected = honest("ARTICLE 5").removesuffix(b".\r\n")
        peer.stream.write(b"ARTICLE 5\r\n")
        peer.stream.flush()
        assert peer.stream.read(len(expected)) == expected
        assert peer.silence(SHORT_S)
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        assert peer.say("ARTICLE 5", "DATE").startswith("220 ")


def undoubled_dot(server: NntpServer) -> None:
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        assert peer.block("BODY 4") == ["222 4 <4.misc.test@example.test> body"]
        # The rest of the article is what comes next, and its own end.
        assert [peer.say("DATE"), peer.line(), peer.line(), peer.line()] == ["..two dots", ".one dot", "the end", "."]
        assert peer.line().startswith("111 ")


def bare_lf(server: NntpServer) -> None:
    assert whole(server, "ARTICLE 4") == honest("ARTICLE 4").replace(b"\r\n", b"\n")


def split_crlf(server: NntpServer) -> None:
    seen = honest("ARTICLE 4")
    assert whole(server, "ARTICLE 4") == seen
    pieces = [event.data for event in server.log.events(Kind.TO_CLIENT)][2:]
    assert b"".join(pieces) == seen
    assert len(pieces) == seen.count(b"\r\n") + 1
    assert all(piece.endswith(b"\r") for piece in pieces[:-1])
    assert all(piece.startswith(b"\n") for piece in pieces[1:])


def split_status(server: NntpServer) -> None:
    seen = honest("ARTICLE 4")
    with reading(server) as peer:
        peer.say("GROUP misc.test")
        peer.stream.write(b"ARTICLE 4\r\n")
        peer.stream.flush()
        # What one read gets is the status line alone: the block is a pause behind it.
        first = peer.sock.recv(65536)
        assert first == seen.partition(b"\r\n")[0] + b"\r\n"
        assert peer.stream.read(len(seen) - len(first)) == seen[len(first) :]


def pipeline_lost(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test", "STAT 5", "STAT 4") == "211 5 1 5 misc.test"
        assert peer.say("DATE").startswith("111 ")


# Articles that come in, and TLS


def post_refused(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.post(ARTICLE).startswith("441 ")
        assert peer.say("GROUP misc.empty") == "211 0 1 0 misc.empty"


def post_unanswered(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.post(ARTICLE) == ""
        assert peer.the_end()
    with reading(server) as peer:
        assert peer.say("GROUP misc.empty") == "211 1 1 1 misc.empty"


def injected_reply(server: NntpServer) -> None:
    with socket.create_connection((server.host, server.port), LIMIT_S) as sock:
        plain = Reader(sock)
        assert plain.say("STARTTLS").startswith("382 ")
        assert plain.line() == "211 9 1 9 misc.injected"
        plain.close()
        context = ssl.create_default_context(cafile=server.ca_file)
        with context.wrap_socket(sock, server_hostname="localhost") as secure, secure.makefile("rwb") as stream:
            stream.write(b"GROUP misc.test\r\n")
            stream.flush()
            assert stream.readline() == b"211 5 1 5 misc.test\r\n"
    # The bytes are in one packet with the 382.
    assert any(event.data.startswith(b"382") and b"misc.injected" in event.data for event in server.log.events())


def reply(server: NntpServer) -> None:
    with reading(server) as peer:
        assert peer.say("GROUP misc.test") == "411 no"
        assert peer.say("STAT").startswith("412 ")


STARTTLS = {"tls": "starttls"}

CONTRACTS: dict[str, list[Contract]] = {
    "busy": [Contract("connect:busy", busy)],
    "no_permission": [Contract("connect:no_permission", no_permission)],
    "no_posting": [Contract("connect:no_posting", no_posting)],
    "transit": [Contract("connect:transit", transit)],
    "without": [Contract("connect:without(OVER xover)", without)],
    "version": [Contract("CAPABILITIES:version(1)", version)],
    "login_required": [
        Contract("*:login_required", login_required),
        Contract("GROUP+1:login_required", login_required_later),
    ],
    "login_lost": [Contract("GROUP:login_lostx1", login_lost)],
    "tls_required": [Contract("*:tls_required", tls_required, STARTTLS)],
    "closing": [Contract("*+2:closing", closing)],
    "empty": [
        Contract("GROUP:empty", empty("211 0 6 5 misc.test")),
        Contract("GROUP:empty(b)", empty("211 0 0 0 misc.test")),
        Contract("GROUP:empty(c)", empty("211 0 1 5 misc.test")),
    ],
    "holes": [Contract("GROUP:holes(2)", holes)],
    "phantom": [Contract("GROUP:phantom", phantom)],
    "lowered": [Contract("GROUP+1:lowered(2)x1", lowered)],
    "overcount": [Contract("GROUP:overcount(7)", overcount)],
    "wrong_group": [Contract("GROUP:wrong_group", wrong_group)],
    "vanished": [Contract("ARTICLE:vanished", vanished)],
    "missing": [Contract("ARTICLE:missing(420)", missing)],
    "wrong_article": [Contract("ARTICLE:wrong_article", wrong_article)],
    "odd_article": [Contract(f"ARTICLE:odd_article({kind})", odd_article(kind)) for kind in oddnews.odd_articles()],
    "short_row": [Contract("OVER:short_row(3)", short_row)],
    "tab_in_subject": [Contract("OVER:tab_in_subject", tab_in_subject)],
    "newline_in_subject": [Contract("OVER:newline_in_subject", newline_in_subject)],
    "raw_subject": [Contract("OVER:raw_subject", raw_subject)],
    "bad_number": [Contract("OVER:bad_number", bad_number)],
    "metadata_names": [Contract("LIST OVERVIEW.FMT:metadata_names", metadata_names)],
    "no_terminator": [Contract("ARTICLE:no_terminator", no_terminator)],
    "undoubled_dot": [Contract("BODY:undoubled_dot", undoubled_dot)],
    "bare_lf": [Contract("ARTICLE:bare_lf", bare_lf)],
    "split_crlf": [Contract("ARTICLE:split_crlf", split_crlf)],
    "split_status": [Contract("ARTICLE:split_status(0.3)", split_status)],
    "pipeline_lost": [Contract("GROUP:pipeline_lost", pipeline_lost)],
    "post_refused": [Contract("POST:post_refused", post_refused)],
    "post_unanswered": [Contract("POST:post_unanswered", post_unanswered)],
    "injected_reply": [Contract("STARTTLS:injected_reply", injected_reply, STARTTLS)],
    "reply": [Contract("GROUP:reply(411 no)", reply)],
}


@pytest.mark.parametrize(
    "contract",
    [contract for contracts in CONTRACTS.values() for contract in contracts],
    ids=lambda contract: contract.text,
)
def test_what_a_socket_sees(contract: Contract) -> None:
    with NntpServer(faults=[contract.text], **contract.options) as server:
        assert len(server.problems()) == 1
        contract.check(server)
        assert server.problems() == []


def test_every_fault_has_its_contract() -> None:
    assert {kind.name for _, kind in kinds_of(("nntp",))} == set(CONTRACTS)
    for name, contracts in CONTRACTS.items():
        assert all(f":{name}" in contract.text for contract in contracts)
    assert {f":{name}" for name in CONTRACTS} - {
        f":{text.rpartition(':')[2].partition('(')[0]}" for text in faults("nntp")
    } == set()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GROUP:empty(d)", "expected form as a, b or c, got d"),
        ("ARTICLE:odd_article(even)", "expected kind as dots, dot_first, .*, got even"),
        ("ARTICLE:missing(404)", "expected code as 420, 423 or 430, got 404"),
        ("GROUP:transits", "near ones: transit"),
    ],
)
def test_faults_that_cannot_be_are_refused(text: str, why: str) -> None:
    with pytest.raises(BadFault, match=why):
        NntpServer(faults=[text])


@pytest.mark.parametrize(
    "text", ["ARTICLE:undoubled_dot", "STARTTLS:injected_reply", "GROUP:pipeline_lost", "OVER:raw_subject"]
)
def test_a_fault_that_had_nothing_to_act_on_has_not_fired(text: str) -> None:
    with NntpServer(faults=[text]) as server, reading(server) as peer:
        peer.say("GROUP misc.test")
        peer.block("ARTICLE 1")
        peer.say("STARTTLS")
        peer.block("XOVER 1-5")
        assert len(server.problems()) == 1


def test_a_fault_of_connect_is_for_the_whole_conversation() -> None:
    with NntpServer(faults=["connect:bare_lf"]) as server:
        seen = whole(server, "ARTICLE 4")
        assert b"\r" not in seen
        assert server.log.events(Kind.TO_CLIENT)[0].data.endswith(b")\n")


# What nntplib makes of them: where it says nothing, that is its fault, and the gauntlet's to tell.


def group(client: Any) -> Any:
    return client.group("misc.test")[1:4]


def latest(client: Any) -> Any:
    _, _, _, high, _ = client.group("misc.test")
    return len(client.article(high)[1].lines)


def subjects(client: Any) -> Any:
    client.group("misc.test")
    return [row["subject"] for _, row in client.over((1, 5))[1]]


NNTPLIB: list[tuple[str, Callable[[Any], Any], object]] = [
    ("connect:busy", group, "NNTPTemporaryError: 400"),
    ("connect:no_permission", group, "NNTPPermanentError: 502"),
    ("connect:reply(502 go away)", group, "NNTPPermanentError: 502 go away"),
    ("connect:no_posting", lambda client: client.post(ARTICLE.encode()), "NNTPTemporaryError: 440"),
    ("connect:transit", group, "NNTPTemporaryError: 401 MODE-READER"),
    ("CAPABILITIES:reply(500 what)", group, (5, 1, 5)),
    ("CAPABILITIES:reply(480 log in)", group, (5, 1, 5)),
    ("CAPABILITIES:closing", group, "EOFError: "),
    ("CAPABILITIES:version(1)", lambda client: client.nntp_version, 1),
    ("connect:without(OVER)", lambda client: len(subjects(client)), 5),
    ("connect:without(OVER XOVER)", subjects, "NNTPPermanentError: 500"),
    ("GROUP:login_required", group, "NNTPTemporaryError: 480"),
    ("GROUP:tls_required", group, "NNTPTemporaryError: 483"),
    ("GROUP:closing", group, "NNTPTemporaryError: 400"),
    ("GROUP:empty(a)", group, (0, 6, 5)),
    ("GROUP:empty(b)", group, (0, 0, 0)),
    ("GROUP:empty(c)", group, (0, 1, 5)),
    ("GROUP:holes", latest, "NNTPTemporaryError: 423"),
    ("GROUP:phantom", latest, "NNTPTemporaryError: 423"),
    ("GROUP:lowered", group, (4, 1, 4)),
    ("GROUP:overcount", group, (15, 1, 5)),
    ("ARTICLE:vanished", latest, "NNTPTemporaryError: 423"),
    ("ARTICLE:missing(430)", latest, "NNTPTemporaryError: 430"),
    ("ARTICLE:wrong_article", lambda client: (client.group("misc.test"), client.article(5)[1].number)[1], 1),
    ("OVER:short_row(3)", lambda client: len(subjects(client)), 5),
    ("OVER:raw_subject", lambda client: subjects(client)[4], "Gr\udcfc\udcdfe"),
    ("OVER:bad_number", subjects, "ValueError: invalid literal for int() with base 10: 'number'"),
    ("OVER:newline_in_subject", subjects, "ValueError: invalid literal for int() with base 10: 'after the CRLF'"),
    ("LIST:metadata_names", lambda client: len(subjects(client)), 5),
    ("ARTICLE:undoubled_dot", lambda client: (client.group("misc.test"), len(client.body(4)[1].lines))[1], 4),
    ("BODY:undoubled_dot", lambda client: (client.group("misc.test"), len(client.body(4)[1].lines))[1], 0),
    ("ARTICLE:bare_lf", latest, 22),
    ("ARTICLE:split_crlf", latest, 22),
    ("ARTICLE:split_status", latest, 22),
    ("ARTICLE:slice(1)", latest, 22),
    ("ARTICLE:fin@300", latest, "EOFError: "),
    ("ARTICLE:rst@300", latest, "ConnectionResetError: [Errno 104]"),
    ("POST:post_refused", lambda client: client.post(ARTICLE.encode()), "NNTPTemporaryError: 441"),
    ("POST:post_unanswered", lambda client: client.post(ARTICLE.encode()), "EOFError: "),
]


@pytest.mark.parametrize(("text", "ask", "outcome"), NNTPLIB, ids=[text for text, *_ in NNTPLIB])
def test_what_nntplib_sees(text: str, ask: Callable[[Any], Any], outcome: object) -> None:
    with NntpServer(faults=[text]) as server:
        try:
            client = nntplib().NNTP(server.host, server.port, timeout=LIMIT_S)
        except Exception as error:  # noqa: BLE001 - whatever it makes of it is what is looked at
            seen: object = f"{type(error).__name__}: {error}"
        else:
            try:
                seen = ask(client)
            except Exception as error:  # noqa: BLE001 - likewise
                seen = f"{type(error).__name__}: {error}"
            finally:
                client.file.close()
                client.sock.close()
    if isinstance(outcome, str) and isinstance(seen, str) and ": " in outcome:
        seen = seen[: len(outcome)]
    assert seen == outcome
