"""What a client sees of each fault of DNS: by raw sockets, and by dig where a client's judgement is the point."""

import socket
import struct
from collections.abc import Callable

import pytest
from support.foreign import run
from support.questions import LIMIT_S, header, over_tcp, over_udp, question, read_message, udp_client

from mockservers import DnsServer
from mockservers.families import faults, kinds_of
from mockservers.faultkinds import BadFault

WWW = b"\3www\7example\4test\0\0\1\0\1"
GOOD = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"
FORGED = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x42"
QUERY = question()
EDNS = question(edns=1232)


def dig(server: DnsServer, *words: str) -> str:
    """One try, and no second one without EDNS."""
    return run("dig", "-p", str(server.port), "@127.0.0.1", "+tries=1", "+timeout=1", *words).out


def silence(server: DnsServer, data: bytes = QUERY) -> None:
    """Nothing comes back, not even when the next question has been answered."""
    with udp_client(server.port) as client:
        client.send(data)
        client.send(question("mail.example.test", number=9))
        assert header(client.recv(512)).number == 9


def rcode(server: DnsServer) -> None:
    assert header(over_udp(server.port, QUERY)).rcode == 2
    assert header(over_udp(server.port, QUERY)).counts == (1, 0, 0, 0)
    assert "status: SERVFAIL" in dig(server, "www.example.test")


def nodata(server: DnsServer) -> None:
    reply = header(over_udp(server.port, QUERY))
    assert (reply.rcode, reply.aa, reply.counts) == (0, True, (1, 0, 0, 0))
    assert dig(server, "+short", "www.example.test") == ""


def lame(server: DnsServer) -> None:
    reply = header(over_udp(server.port, QUERY))
    assert (reply.rcode, reply.aa, reply.counts) == (0, False, (1, 0, 1, 0))
    assert ".\t\t\t60\tIN\tNS\tns.invalid." in dig(server, "www.example.test")


def cname_loop(server: DnsServer) -> None:
    assert dig(server, "+short", "www.example.test").split() == ["loop.example.test.", "www.example.test."]
    assert dig(server, "+short", "loop.example.test").split() == ["pool.example.test.", "loop.example.test."]


def tc(server: DnsServer) -> None:
    cut = header(over_udp(server.port, EDNS))
    assert (cut.tc, cut.counts) == (True, (1, 0, 0, 1))
    (whole,) = over_tcp(server.port, QUERY)
    assert whole.endswith(GOOD)
    assert dig(server, "+short", "www.example.test") == "192.0.2.1\n"


def tc_refused(server: DnsServer) -> None:
    assert header(over_udp(server.port, QUERY)).tc
    with pytest.raises(ConnectionResetError):
        over_tcp(server.port, QUERY)
    assert "connection reset" in dig(server, "www.example.test")


def drop(server: DnsServer) -> None:
    silence(server)
    assert over_tcp(server.port, QUERY, question("mail.example.test", number=9), expect=1)[0][:2] == b"\0\x09"


def duplicate(server: DnsServer) -> None:
    with udp_client(server.port) as client:
        client.send(QUERY)
        assert client.recv(512) == client.recv(512)
    assert dig(server, "+short", "www.example.test") == "192.0.2.1\n"


def forge_first(server: DnsServer) -> None:
    with udp_client(server.port) as client:
        client.send(QUERY)
        forged, good = client.recv(512), client.recv(512)
    assert (forged[:2], forged[12:]) == (b"\xed\x34", WWW + FORGED)
    assert (good[:2], good[12:]) == (b"\x12\x34", WWW + GOOD)
    shown = dig(server, "www.example.test")
    assert "Warning: ID mismatch" in shown
    assert "203.0.113.66" not in shown
    assert "192.0.2.1" in shown


def wrong_id(server: DnsServer) -> None:
    assert over_udp(server.port, QUERY)[:2] == b"\xed\x34"
    assert "ID mismatch" in dig(server, "www.example.test")


def wrong_question(server: DnsServer) -> None:
    reply = over_udp(server.port, QUERY)
    assert reply[12:] == b"\3vww" + WWW[4:] + GOOD
    assert "Question section mismatch" in dig(server, "www.example.test")


def other_port(server: DnsServer) -> None:
    silence(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(LIMIT_S)
        client.sendto(QUERY, (server.host, server.port))
        reply, (host, port) = client.recvfrom(512)
    assert reply.endswith(GOOD)
    assert (host, port != server.port) == (server.host, True)
    assert "timed out" in dig(server, "www.example.test")


def lower_case(server: DnsServer) -> None:
    assert over_udp(server.port, question("wWw.Example.test"))[12:] == WWW + GOOD


def cut(server: DnsServer) -> None:
    reply = over_udp(server.port, QUERY)
    assert (header(reply).counts[1], reply[12:]) == (1, WWW + GOOD[:5])
    (whole,) = over_tcp(server.port, QUERY)
    assert whole == reply
    assert "malformed message" in dig(server, "www.example.test")


def compression_loop(server: DnsServer) -> None:
    reply = over_udp(server.port, QUERY)
    at = 12 + len(WWW)
    assert struct.unpack_from(">H", reply, at)[0] == 0xC000 | at
    assert "bad compression pointer" in dig(server, "www.example.test")


def ede(server: DnsServer) -> None:
    opt = header(over_udp(server.port, EDNS)).opt
    assert opt
    assert opt[4] == b"\0\x0f\0\x12\0\0told by the mock"
    assert header(over_udp(server.port, QUERY)).opt is None
    assert "; EDE: 0 (Other): (told by the mock)" in dig(server, "www.example.test")


def no_edns(server: DnsServer) -> None:
    assert (header(over_udp(server.port, EDNS)).rcode, header(over_udp(server.port, EDNS)).opt) == (1, None)
    assert over_udp(server.port, QUERY).endswith(GOOD)
    assert "status: FORMERR" in dig(server, "www.example.test")
    assert dig(server, "+noedns", "+short", "www.example.test") == "192.0.2.1\n"


def badvers(server: DnsServer) -> None:
    assert header(over_udp(server.port, EDNS)).rcode == 16
    assert over_udp(server.port, QUERY).endswith(GOOD)
    assert "BADVERS" in dig(server, "www.example.test")


CONTRACTS: dict[str, Callable[[DnsServer], None]] = {
    check.__name__: check
    for check in (
        rcode,
        nodata,
        lame,
        cname_loop,
        tc,
        tc_refused,
        drop,
        duplicate,
        forge_first,
        wrong_id,
        wrong_question,
        other_port,
        lower_case,
        cut,
        compression_loop,
        ede,
        no_edns,
        badvers,
    )
}


def test_every_fault_of_dns_has_a_contract() -> None:
    assert {kind.name for _, kind in kinds_of(("dns",))} == set(CONTRACTS)


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_a_client_sees(name: str) -> None:
    (example,) = [text for text in faults("dns") if text.partition(":")[2].partition("(")[0] == name]
    trigger = "www.example.test/A" if name in ("drop", "other_port") else "*"
    with DnsServer(faults=[example.replace("*", trigger, 1)]) as server:
        CONTRACTS[name](server)
        assert server.problems() == []


@pytest.mark.parametrize(
    ("by", "seen"),
    [
        ("question", (b"\x12\x34", b"\3vww" + WWW[4:] + FORGED)),
        ("port", (b"\x12\x34", WWW + GOOD)),
    ],
)
def test_forgeries_of_other_kinds(by: str, seen: tuple[bytes, bytes]) -> None:
    """A connected socket never sees what came from another port; the kernel drops it."""
    with DnsServer(faults=[f"*:forge_first({by})"]) as server, udp_client(server.port) as client:
        client.send(QUERY)
        reply = client.recv(512)
        assert (reply[:2], reply[12:]) == seen
        assert "192.0.2.1" in dig(server, "www.example.test")
        assert server.problems() == []


def test_a_forgery_of_another_type_is_an_nxdomain() -> None:
    with DnsServer(faults=["*:forge_first"]) as server, udp_client(server.port) as client:
        client.send(question("example.test", 15))
        assert [header(client.recv(512)).rcode, header(client.recv(512)).rcode] == [3, 0]


@pytest.mark.parametrize("text", ["delay(0.01)", "garbage(40)"])
def test_faults_of_the_transport_over_udp(text: str) -> None:
    with DnsServer(faults=[f"www.example.test/A:{text}x1"]) as server:
        first, second = over_udp(server.port, QUERY), over_udp(server.port, QUERY)
        assert server.problems() == []
    assert second.endswith(GOOD)
    assert (len(first) == 40) if "garbage" in text else (first == second)
    with DnsServer(faults=["www.example.test/A:silentx1"]) as server:
        silence(server)
        assert over_udp(server.port, QUERY).endswith(GOOD)


def test_faults_of_the_transport_over_tcp_count_from_the_question() -> None:
    with DnsServer(faults=["*:fin@7x1"]) as server:
        with socket.create_connection((server.host, server.port), LIMIT_S) as client, client.makefile("rb") as stream:
            client.sendall(len(QUERY).to_bytes(2, "big") + QUERY)
            assert len(read_message(stream.read)) == 5
        assert over_tcp(server.port, QUERY)[0].endswith(GOOD)
        assert server.problems() == []


@pytest.mark.parametrize(
    ("trigger", "name", "kind", "hit"),
    [
        ("www.example.test/A", "WWW.Example.test", 1, True),
        ("www.example.test/A", "www.example.test", 28, False),
        ("*/AAAA", "www.example.test", 28, True),
        ("*.example.test/A", "a.b.example.test", 1, True),
        ("example.test/TYPE1000", "example.test", 1000, True),
        ("*", "other.test", 1, True),
    ],
)
def test_questions_as_triggers(trigger: str, name: str, kind: int, hit: bool) -> None:
    with DnsServer(faults=[f"{trigger}:rcode(NOTAUTH)"]) as server:
        assert (header(over_udp(server.port, question(name, kind))).rcode == 9) == hit
        assert (server.problems() == []) == hit


def test_a_fault_that_cannot_act_has_not_fired() -> None:
    with DnsServer(faults=["*:no_edns", "*:lower_case", "*:ede(1, x)", "*:tc"]) as server:
        assert over_tcp(server.port, QUERY)[0].endswith(GOOD)
        assert len(server.problems()) == 4


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("*:rcode(SERVFIAL)", "near ones: SERVFAIL"),
        ("*:rcode(4096)", "a number up to 4095, got '4096'"),
        ("*:forge_first(ttl)", "expected id or question or port, got 'ttl'"),
        ("*:ede(65536)", "expected a code up to 65535"),
    ],
)
def test_what_no_fault_can_be(text: str, why: str) -> None:
    with pytest.raises(BadFault, match=why):
        DnsServer(faults=[text])


@pytest.mark.parametrize(
    ("text", "seen"), [("rcode(3)", "NXDOMAIN"), ("rcode(23)", "BADCOOKIE"), ("rcode(3000)", "3000")]
)
def test_rcodes_of_all_sizes(text: str, seen: str) -> None:
    with DnsServer(faults=[f"*:{text}"]) as server:
        assert seen in dig(server, "+nobadcookie", "www.example.test")
