"""The honest news server, seen through a raw socket: framing, order, posting, logging in, TLS and compression."""

import socket
import ssl
import zlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.newsreader import LIMIT_S, Reader, reading

from mockservers import NntpServer
from mockservers.content import article
from mockservers.log import Kind
from mockservers.nntp.commands import COMMANDS
from mockservers.nntp.lists import KEYWORDS

NOW = datetime(2026, 11, 22, 18, 4, 11, tzinfo=UTC)
HEADER = "From: a@b.invalid\r\nNewsgroups: {groups}\r\nSubject: x\r\n\r\n"


def test_commands_in_one_packet_are_answered_in_order_each_in_one_write() -> None:
    with NntpServer() as server:
        with reading(server) as peer:
            peer.stream.write(b"GROUP misc.test\r\nSTAT 2\nARTICLE 4\r\nBOGUS\r\nNEXT\r\nQUIT\r\n")
            peer.stream.flush()
            said = peer.stream.read().split(b"\r\n")
        writes = [event.data for event in server.log.events(Kind.TO_CLIENT)]
    assert said[:2] == [b"211 5 1 5 misc.test", b"223 2 <2.misc.test@example.test> status"]
    assert said[2] == b"220 4 <4.misc.test@example.test> article"
    assert said[-9:] == [
        *(b"..", b"...two dots", b"..one dot", b"the end", b".", b"500 What?"),
        *(b"223 5 <5.misc.test@example.test> Article retrieved; request text separately", b"205 Bye!", b""),
    ]
    assert len(writes) == 7


def test_too_long_a_command_is_refused_and_the_conversation_stays_in_step() -> None:
    with NntpServer() as server, reading(server) as peer:
        assert peer.say("GROUP " + "a" * 2000) == "501 Line too long"
        assert peer.say("a" * 2000) == "500 Line too long"
        assert peer.say("", "", "GROUP misc.test") == "211 5 1 5 misc.test"


@pytest.mark.parametrize(
    ("raw", "lines", "served"),
    [
        (b"Subject: x\r\n\r\nbody\r\n", 1, [b"Subject: x", b"", b"body"]),
        (b"Subject: x\r\n\r\nno end", 1, [b"Subject: x", b"", b"no end"]),
        (b"Subject: x\r\n\r\n", 0, [b"Subject: x", b""]),
        (b"Subject: x\r\n", 0, [b"Subject: x"]),
        (b"Subject: x\r\n\r\n.\r\n..\r\n", 2, [b"Subject: x", b"", b"..", b"..."]),
        (b"Subject: x\r\n\r\n\r\n\r\n", 2, [b"Subject: x", b"", b"", b""]),
        (b"", 0, []),
    ],
)
def test_articles_are_served_as_they_are(raw: bytes, lines: int, served: list[bytes]) -> None:
    with NntpServer({"g": [raw]}) as server, reading(server) as peer:
        peer.say("GROUP g")
        assert [row.encode() for row in peer.block("ARTICLE")[1:]] == served
        assert peer.block("HDR :lines 1") == [
            "225 Header or metadata information for :lines follows (from overview)",
            f"1 {lines}",
        ]
        assert peer.say("STAT") == "223 1 <1.g@no-message-id.invalid> status"
        assert peer.say("STAT <1.g@no-message-id.invalid>") == "223 0 <1.g@no-message-id.invalid> status"


def test_text_gets_crlf_and_a_list_is_counted_from_one() -> None:
    with (
        NntpServer({"g": ["Subject: a\n\nfirst\n", "Subject: b\r\n\r\nsecond\r\n"]}) as server,
        reading(server) as peer,
    ):
        assert peer.say("GROUP g") == "211 2 1 2 g"
        assert peer.block("XHDR subject 1-")[1:] == ["1 a", "2 b"]
        assert peer.block("BODY 2")[1:] == ["second"]


def test_a_directory_is_groups_and_articles(tmp_path: Path) -> None:
    for name, text in {
        "misc.a/7": "Subject: seven\n\n.dot\n",
        "misc.a/5": "Subject: five\n\n",
        "misc.a/zwei.txt": "Subject: two\n\n",
        "misc.a/eins.txt": "Subject: one\n\n",
        "misc.a/.hidden": "x",
        ".git/1": "x",
        "README": "x",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "misc.none").mkdir()
    with NntpServer(directory=tmp_path) as server, reading(server) as peer:
        assert [row.split()[0] for row in peer.block("LIST")[1:]] == ["misc.a", "misc.none"]
        assert peer.say("GROUP misc.none") == "211 0 1 0 misc.none"
        assert peer.say("GROUP misc.a") == "211 4 5 9 misc.a"
        assert peer.block("HDR Subject 1-")[1:] == ["5 five", "7 seven", "8 one", "9 two"]
        assert peer.block("BODY 7")[1:] == ["..dot"]
    with pytest.raises(ValueError, match="not from both"):
        NntpServer({}, directory=tmp_path)


def test_posting_fills_in_what_is_missing_and_crossposts() -> None:
    with NntpServer(clock=lambda: NOW) as server, reading(server) as peer:
        assert peer.say("POST") == "340 Ok, recommended Message-ID <post.8@mock.example.test>"
        head = HEADER.format(groups="misc.empty,misc.test").split("\r\n")[:-1]
        assert peer.say(*head, "..dot", ".") == "240 Article received <post.8@mock.example.test>"
        assert peer.say("GROUP misc.empty") == "211 1 1 1 misc.empty"
        assert peer.block("ARTICLE") == [
            "220 1 <post.8@mock.example.test> article",
            "Path: mock.example.test!.POSTED!not-for-mail",
            "From: a@b.invalid",
            "Newsgroups: misc.empty,misc.test",
            "Subject: x",
            "Message-ID: <post.8@mock.example.test>",
            "Date: Sun, 22 Nov 2026 18:04:11 +0000",
            "Xref: mock.example.test misc.empty:1 misc.test:6",
            "",
            "..dot",
        ]
        assert peer.say("GROUP misc.test") == "211 6 1 6 misc.test"
        assert peer.say("STAT 6") == "223 6 <post.8@mock.example.test> status"
        assert peer.say("STAT 5") == "223 5 <5.misc.test@example.test> status"


def test_a_server_without_posting_says_so() -> None:
    with NntpServer(posting=False) as server, reading(server) as peer:
        assert peer.greeting.startswith("201 ")
        assert peer.say("MODE READER").startswith("201 ")
        assert peer.say("POST") == "440 Posting not allowed"
        assert "POST" not in peer.block("CAPABILITIES")


def test_ihave_offers_takes_and_refuses() -> None:
    raw = article(1, "fed", "body\n", group="misc.empty").decode().removesuffix("\r\n").split("\r\n")
    with NntpServer() as server, reading(server) as peer:
        assert peer.say("IHAVE <1.misc.empty@example.test>").startswith("335")
        assert peer.say(*raw, ".") == "235 Article transferred OK"
        assert peer.say("IHAVE <1.misc.empty@example.test>") == "435 Duplicate"
        assert peer.say("IHAVE <2.misc.empty@example.test>").startswith("335")
        assert peer.say(*raw, ".").startswith("437 The article says Message-ID <1.misc.empty@example.test>")
        assert peer.say("GROUP misc.empty") == "211 1 1 1 misc.empty"


def test_new_groups_and_new_articles_go_by_the_clock() -> None:
    hour = timedelta(hours=1)
    times = iter([NOW])
    with NntpServer(clock=lambda: next(times, NOW + hour)) as server, reading(server) as peer:
        assert len(peer.block("NEWGROUPS 20261122 180411 GMT")) == 4
        assert peer.block("NEWGROUPS 261122 180412") == ["231 New newsgroups follow"]
        assert peer.say("DATE") == "111 20261122190411"
        peer.say("POST")
        assert peer.say(*HEADER.format(groups="misc.empty").split("\r\n"), ".").startswith("240")
        assert peer.block("NEWNEWS misc.* 20261122 190000 GMT") == [
            "230 New news follows",
            "<post.8@mock.example.test>",
        ]
        assert len(peer.block("NEWNEWS misc.*,!misc.test 20261122 180000 GMT")) == 3


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (["AUTHINFO USER user", "AUTHINFO PASS password"], "281"),
        (["AUTHINFO USER user", "AUTHINFO PASS wrong"], "481"),
        (["AUTHINFO PASS password"], "482"),
        (["AUTHINFO SASL PLAIN AHVzZXIAcGFzc3dvcmQ="], "281"),
        (["AUTHINFO SASL PLAIN", "AHVzZXIAcGFzc3dvcmQ="], "281"),
        (["AUTHINFO SASL PLAIN AHVzZXIAd3Jvbmc="], "481"),
        (["AUTHINFO SASL PLAIN", "*"], "481"),
        (["AUTHINFO SASL PLAIN", "!!"], "482"),
        (["AUTHINFO SASL PLAIN AHVzZXI="], "482"),
        (["AUTHINFO SASL SCRAM-SHA-256 x"], "503"),
    ],
)
def test_logging_in(said: list[str], code: str) -> None:
    with NntpServer() as server, reading(server) as peer:
        assert peer.say("GROUP private.test").startswith("480")
        assert "private.test" not in str(peer.block("LIST"))
        assert "AUTHINFO USER SASL" in peer.block("CAPABILITIES")
        replies = [peer.say(line) for line in said]
        assert replies[-1].startswith(code)
        assert peer.say("GROUP private.test").startswith("211" if code == "281" else "480")
        assert ("private.test" in str(peer.block("LIST"))) is (code == "281")
        assert ("AUTHINFO USER SASL" in peer.block("CAPABILITIES")) is (code != "281")
        if code == "281":
            assert peer.say("AUTHINFO USER user").startswith("502")


def trusting(server: NntpServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


def test_starttls_forgets_all_that_came_before() -> None:
    with (
        NntpServer(tls="starttls") as server,
        socket.create_connection((server.host, server.port), LIMIT_S) as sock,
    ):
        plain = Reader(sock)
        assert "STARTTLS" in plain.block("CAPABILITIES")
        assert plain.say("GROUP misc.test").startswith("211")
        plain.say("AUTHINFO USER user")
        assert plain.say("AUTHINFO PASS password").startswith("281")
        # What comes behind STARTTLS in clear text, from whoever may have put it there, is never obeyed.
        assert plain.say("STARTTLS", "GROUP private.test") == "382 Begin TLS negotiation now"
        plain.close()
        with (
            trusting(server).wrap_socket(sock, server_hostname="localhost") as secure,
            secure.makefile("rwb") as stream,
        ):
            stream.write(b"STAT\r\nGROUP private.test\r\nSTARTTLS\r\nCAPABILITIES\r\nQUIT\r\n")
            stream.flush()
            said = stream.read().decode().split("\r\n")
    assert [line[:3] for line in said[:4]] == ["412", "480", "502", "101"]
    assert "STARTTLS" not in said[4:]
    assert "AUTHINFO USER SASL" in said


def test_nntps_and_no_starttls_there() -> None:
    with (
        NntpServer(tls="implicit") as server,
        socket.create_connection((server.host, server.port), LIMIT_S) as sock,
        trusting(server).wrap_socket(sock, server_hostname="127.0.0.1") as secure,
        closing(Reader(secure)) as peer,
    ):
        assert peer.say("STARTTLS") == "500 What?"
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"


@pytest.mark.parametrize("tls", [None, "implicit"])
def test_compress_deflate_both_ways(tls: str | None) -> None:
    with NntpServer(tls=tls) as server, socket.create_connection((server.host, server.port), LIMIT_S) as plain:
        sock = trusting(server).wrap_socket(plain, server_hostname="localhost") if tls else plain
        with sock:
            peer = Reader(sock)
            stream = peer.stream
            assert "COMPRESS DEFLATE" in peer.block("CAPABILITIES")
            assert peer.say("COMPRESS DEFLATE") == "206 Compression active"
            deflate, inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
            asked = b"GROUP misc.test\r\nARTICLE 4\r\nCOMPRESS DEFLATE\r\nCAPABILITIES\r\nQUIT\r\n"
            stream.write(deflate.compress(asked) + deflate.flush(zlib.Z_SYNC_FLUSH))
            stream.flush()
            said = inflate.decompress(stream.read()).decode().split("\r\n")
            peer.close()
    assert said[0] == "211 5 1 5 misc.test"
    assert said[1].startswith("220 4")
    assert "502 Already compressed" in said
    assert "COMPRESS DEFLATE" not in said
    assert said[-2:] == ["205 Bye!", ""]


def test_what_is_not_deflate_ends_the_connection() -> None:
    with NntpServer() as server, reading(server) as peer:
        assert peer.say("COMPRESS DEFLATE").startswith("206")
        peer.stream.write(b"\xff" * 100)
        peer.stream.flush()
        assert peer.stream.read() == b""
        bomb = zlib.compressobj(wbits=-15)
    with NntpServer() as server, reading(server) as peer:
        assert peer.say("COMPRESS DEFLATE").startswith("206")
        peer.stream.write(bomb.compress(b"x" * (64 << 20)) + bomb.flush())
        peer.stream.flush()
        assert peer.stream.read() == b""
        assert server.problems() == []


def test_commands_that_the_server_does_without_are_nowhere() -> None:
    with NntpServer(without=["over", "HDR", "NEWNEWS"]) as server, reading(server) as peer:
        peer.say("GROUP misc.test")
        assert peer.say("OVER 1-") == "500 What?"
        assert len(peer.block("XOVER 1-")) == 6
        assert {"OVER", "HDR", "NEWNEWS"} & set(peer.block("CAPABILITIES")) == set()
        assert [row for row in peer.block("HELP") if row.startswith(("  OVER", "  HDR"))] == []
    with NntpServer(without=["CAPABILITIES"]) as server, reading(server) as peer:
        assert peer.say("CAPABILITIES") == "500 What?"


def test_a_large_post_is_read_to_its_end_and_refused() -> None:
    with NntpServer() as server, reading(server) as peer:
        peer.say("POST")
        rows = ["x" * 65536] * 130
        assert peer.say(*HEADER.format(groups="misc.test").split("\r\n"), *rows, ".").startswith(
            "441 Article is larger"
        )
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"


def test_two_servers_do_not_share_what_was_posted() -> None:
    with NntpServer() as first, NntpServer() as second:
        with reading(first) as peer:
            peer.say("POST")
            assert peer.say(*HEADER.format(groups="misc.empty").split("\r\n"), ".").startswith("240")
        with reading(second) as peer:
            assert peer.say("GROUP misc.empty") == "211 0 1 0 misc.empty"


def test_articles_come_and_go_while_a_client_is_there() -> None:
    with NntpServer(clock=lambda: NOW) as server, reading(server) as peer:
        assert peer.say("GROUP misc.test") == "211 5 1 5 misc.test"
        assert server.add("misc.test", "Subject: six\nMessage-ID: <six@x>\n\nbody\n") == 6
        assert peer.say("STAT 6") == "223 6 <six@x> status"
        assert server.cancel("<five@x>") is False
        assert server.cancel("<6@x>") is False
        assert server.cancel("<six@x>") is True
        assert peer.say("STAT 6").startswith("423 ")
        assert peer.say("STAT <six@x>").startswith("430 ")
        assert peer.say("GROUP misc.test") == "211 5 1 6 misc.test"
        assert server.add("misc.test", b"Subject: seven\r\n\r\n") == 7
        with pytest.raises(ValueError, match="no group is called 'misc'; known: misc"):
            server.add("misc", "")


def test_an_article_under_two_numbers_is_found_and_lost_in_both() -> None:
    twice = "Message-ID: <twice@x>\n\nbody\n"
    with NntpServer({"a": {1: twice, 3: twice}, "b": {2: twice}}) as server, reading(server) as peer:
        assert peer.say("STAT <twice@x>") == "223 0 <twice@x> status"
        assert server.cancel("<twice@x>") is True
        assert peer.say("GROUP a") == "211 0 1 3 a"
        assert peer.say("GROUP b") == "211 0 2 2 b"


def test_ten_thousand_articles_are_not_too_many() -> None:
    articles = [f"Subject: {number}\r\nMessage-ID: <{number}@x>\r\n\r\nbody\r\n".encode() for number in range(10_000)]
    with NntpServer({"big": articles}) as server, reading(server) as peer:
        assert peer.say("GROUP big") == "211 10000 1 10000 big"
        assert len(peer.block("OVER 1-")) == 10_001
        peer.stream.write(b"".join(b"STAT <%d@x>\r\n" % number for number in range(10_000)))
        peer.stream.flush()
        assert [peer.line() for _ in articles] == [f"223 0 <{number}@x> status" for number in range(10_000)]


def test_bad_arguments_say_what_was_expected() -> None:
    with pytest.raises(ValueError, match='expected None, "starttls" or "implicit", got \'explicit\''):
        NntpServer(tls="explicit")


VERBS = sorted(set(COMMANDS) - {"COMPRESS"})
WORDS = st.one_of(
    st.sampled_from([b"misc.test", b"1", b"1-", b"5-4", b"-", b"<1.misc.test@example.test>", b"Subject", b":bytes"]),
    st.sampled_from([b"*", b"[z-a]*", b"!", b",", b"[^", b"READER", b"USER", b"PASS", b"SASL PLAIN", b"user"]),
    st.sampled_from([b"\xff", "\u00b2".encode(), "\u2028".encode(), b"\0"]),
    st.binary(max_size=8).filter(lambda word: b"\n" not in word),
)
DATES = st.sampled_from(
    [b"20261122 180411", b"000000 000000", b"20269901 999999 GMT", b"99991231 235959", b"00000101 0"]
)
LISTED = st.sampled_from([keyword.encode() for keyword in KEYWORDS])
LINES = st.one_of(
    st.tuples(st.sampled_from([verb.encode() for verb in VERBS]), st.lists(WORDS, max_size=4)),
    st.tuples(st.just(b"NEWGROUPS"), DATES.map(lambda date: [date])),
    st.tuples(st.just(b"NEWNEWS"), st.tuples(WORDS, DATES).map(list)),
    st.tuples(st.just(b"LIST"), st.tuples(LISTED, WORDS).map(list)),
)


@settings(max_examples=200)
@given(st.lists(LINES, min_size=1, max_size=12))
def test_no_command_can_break_it(lines: list[tuple[bytes, list[bytes]]]) -> None:
    """Whatever is said, an answer comes to it or to what follows, and no handler raises."""
    said = b"".join(b" ".join([verb, *words]) + b"\r\n" for verb, words in lines)
    with NntpServer(tls="starttls") as server, reading(server) as peer:
        peer.stream.write(b"GROUP misc.test\r\n" + said + b".\r\nQUIT\r\n.\r\nQUIT\r\n")
        peer.stream.flush()
        peer.sock.shutdown(socket.SHUT_WR)
        assert peer.stream.read().startswith(b"211 5 1 5 misc.test\r\n")
        server.wait_for(Kind.CLOSED, LIMIT_S)
        assert server.problems() == []
