"""The name server by raw sockets: both transports, sizes, EDNS, and what RFC 8906 wants of any server."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.questions import AXFR, LIMIT_S, TXT, Header, header, over_tcp, over_udp, question, udp_client

from mockservers import DnsServer
from mockservers.dns.message import Reply, encode_reply, parse_query

NOERROR, FORMERR, NOTIMP, REFUSED, BADVERS = 0, 1, 4, 5, 16
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010


def ask(data: bytes) -> Header:
    with DnsServer() as server:
        reply = header(over_udp(server.port, data))
        assert server.problems() == []
    return reply


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_udp_and_tcp_are_on_one_port(host: str) -> None:
    with DnsServer(host=host) as server:
        udp = over_udp(server.port, question(), host)
        (tcp,) = over_tcp(server.port, question(), host=host)
    assert udp == tcp
    assert udp.endswith(b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1")


def test_queries_on_one_connection_are_answered_in_their_order() -> None:
    numbers = range(1, 40)
    with DnsServer() as server:
        replies = over_tcp(server.port, *(question(number=number) for number in numbers))
    assert [header(reply).number for reply in replies] == list(numbers)


def test_the_case_of_the_question_comes_back() -> None:
    with DnsServer() as server:
        reply = over_udp(server.port, question("wWw.eXample.TEST"))
    assert reply[12:].startswith(b"\3wWw\7eXample\4TEST\0")
    assert reply.lower().count(b"example") == 1  # the answer's name is a pointer to it


@pytest.mark.parametrize(
    ("edns", "fits"), [(None, False), (0, False), (512, False), (1004, False), (1005, True), (4096, True)]
)
def test_what_does_not_fit_has_tc_and_no_records(edns: int | None, fits: bool) -> None:
    with DnsServer() as server:
        query = question("big.example.test", edns=edns)
        udp = header(over_udp(server.port, query))
        (tcp,) = over_tcp(server.port, query)
    assert (udp.tc, udp.counts[1]) == ((False, 60) if fits else (True, 0))
    assert (header(tcp).tc, header(tcp).counts[1]) == (False, 60)


def test_what_does_not_even_fit_into_tcp_has_tc() -> None:
    with DnsServer({"x.test": [f'TXT "{number:0>250}"' for number in range(300)]}) as server:
        (reply,) = over_tcp(server.port, question("x.test", TXT))
    assert (header(reply).tc, header(reply).counts) == (True, (1, 0, 0, 0))


@pytest.mark.parametrize(
    ("data", "rcode", "counts"),
    [
        (question(), NOERROR, (1, 1, 0, 0)),
        (question("nope.example.test"), 3, (1, 0, 1, 0)),
        (question("www.example.test", TXT), NOERROR, (1, 0, 1, 0)),
        (question("com"), REFUSED, (1, 0, 0, 0)),
        (question("."), REFUSED, (1, 0, 0, 0)),
        (question(klass=3), REFUSED, (1, 0, 0, 0)),
        (question("example.test", AXFR), REFUSED, (1, 0, 0, 0)),
        (question("example.test", 251), REFUSED, (1, 0, 0, 0)),
        (question("example.test", 250), NOTIMP, (1, 0, 0, 0)),
        (question("www.example.test", 1000), NOERROR, (1, 0, 1, 0)),
        (question(extra=b"\0"), FORMERR, (1, 0, 0, 0)),
        (question()[:-1], FORMERR, (0, 0, 0, 0)),
        (question()[:20], FORMERR, (0, 0, 0, 0)),
        (question()[:12], FORMERR, (0, 0, 0, 0)),
        (question()[:4] + b"\0\2" + question()[6:], FORMERR, (0, 0, 0, 0)),
        (question()[:4] + bytes(8), FORMERR, (0, 0, 0, 0)),
        (question()[:12] + b"\xc0\x0c\0\1\0\1", FORMERR, (0, 0, 0, 0)),
        (question()[:12] + b"\x40" + bytes(70), FORMERR, (0, 0, 0, 0)),
        (question()[:12] + b"\x3fx" * 140, FORMERR, (0, 0, 0, 0)),
    ],
)
def test_every_query_has_a_reply(data: bytes, rcode: int, counts: tuple[int, ...]) -> None:
    reply = ask(data)
    assert (reply.number, reply.rcode, reply.counts) == (0x1234, rcode, counts)
    assert reply.flags & QR


@pytest.mark.parametrize("opcode", range(1, 16))
def test_another_opcode_is_not_implemented_and_comes_back(opcode: int) -> None:
    reply = ask(question(flags=opcode << 11))
    assert (reply.rcode, reply.flags >> 11 & 15) == (NOTIMP, opcode)


def test_flags_are_not_echoed_but_rd_and_cd() -> None:
    assert ask(question(flags=TC | RD | RA | Z | AD | CD | AA)).flags == QR | AA | RD | CD


def test_edns_is_answered_with_our_own() -> None:
    unknown = b"\xfd\xe9\0\3abc"
    reply = ask(question(edns=4096, edns_flags=0xFFFF, options=unknown))
    assert (reply.rcode, reply.opt) == (NOERROR, (1232, 0, 0, 0x8000, b""))
    assert ask(question(edns=4096)).opt == (1232, 0, 0, 0, b"")
    assert ask(question()).opt is None


def test_edns_of_another_version_is_badvers_with_ours() -> None:
    reply = ask(question(edns=4096, version=1, options=b"\xfd\xe9\0\0"))
    assert (reply.rcode, reply.counts[1]) == (BADVERS, 0)
    assert reply.opt
    assert reply.opt[2] == 0


@pytest.mark.parametrize(
    "data",
    [
        question(edns=4096, options=b"\0\3\0\x09x"),
        question(edns=4096)[:11] + b"\2" + question(edns=4096)[12:] + b"\0\0\x29" + bytes(8),
        question()[:11] + b"\1" + question()[12:] + b"\1x\0\0\x29" + bytes(8),
    ],
    ids=["an option is cut", "two of them", "not at the root"],
)
def test_edns_that_is_broken_is_a_formerr(data: bytes) -> None:
    assert ask(data).rcode == FORMERR


def test_what_is_no_query_gets_no_reply() -> None:
    with DnsServer() as server, udp_client(server.port) as client:
        client.send(b"\x12\x34")
        client.send(question(flags=QR))
        client.send(question(number=7))
        assert header(client.recv(512)).number == 7
    with DnsServer() as server, socket.create_connection((server.host, server.port), LIMIT_S) as client:
        client.sendall(b"\0\2ab")
        assert client.recv(10) == b""


def test_all_that_was_asked_is_in_the_log() -> None:
    with DnsServer() as server:
        over_udp(server.port, question())
        over_tcp(server.port, question("d\\x.example.test", 1000))
        said = [event.text for event in server.log.events() if event.channel == "query"]
    assert said == ["www.example.test/A over UDP", "d\\\\\\\\x.example.test/TYPE1000 over TCP"]


@given(
    st.binary(max_size=60)
    | st.builds(
        lambda at, junk: question(edns=512)[:at] + junk + question(edns=512)[at + len(junk) :],
        st.integers(0, 45),
        st.binary(min_size=1, max_size=4),
    )
)
def test_any_message_is_answered_or_is_no_query(data: bytes) -> None:
    query = parse_query(data)
    assert (query is None) == (len(data) < 12 or data[2] >= 0x80)
    if query:
        reply = encode_reply(query, Reply(query.rcode))
        assert (reply[:2], reply[2] >> 7) == (data[:2], 1)
        assert parse_query(bytes([*reply[:2], reply[2] & 0x7F, *reply[3:]])) is not None
        assert query.text


def test_a_dict_is_enough() -> None:
    with DnsServer({"www.shop.test": ["A 192.0.2.1"]}) as server:
        assert over_udp(server.port, question("www.shop.test")).endswith(b"\xc0\0\2\1")
        assert header(over_udp(server.port, question("nope.shop.test"))).rcode == 3
        assert header(over_udp(server.port, question("shop.test"))).rcode == 0
        assert header(over_udp(server.port, question("other.test"))).rcode == REFUSED
