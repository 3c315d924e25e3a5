"""`inetcli dns lookup` against servers that behave, and servers that do not."""

import socket

import pytest
from support.program import inetcli

from mockservers import DnsServer


def at(server: DnsServer) -> str:
    return f"@{server.host}:{server.port}"


WWW_A = "www.example.test.  300  IN  A  192.0.2.1"
WWW_AAAA = "www.example.test.  300  IN  AAAA  2001:db8::1"
SOA = "ns1.example.test. hostmaster.example.test. 2024010101 3600 600 86400 60"


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            "www.example.test",
            [WWW_A, WWW_AAAA],
        ),
        (
            "alias.example.test A",
            ["alias.example.test.  300  IN  CNAME  www.example.test.", WWW_A],
        ),
        ("example.test mx", ["example.test.  300  IN  MX  10 mail.example.test."]),
        ("example.test TXT", ['example.test.  300  IN  TXT  "v=spf1 -all" "second string"']),
        ("example.test NS", ["example.test.  300  IN  NS  ns1.example.test."]),
        (
            "example.test SOA",
            [f"example.test.  300  IN  SOA  {SOA}"],
        ),
        ("alias.example.test CNAME", ["alias.example.test.  300  IN  CNAME  www.example.test."]),
        ("192.0.2.1 PTR", ["1.2.0.192.in-addr.arpa.  300  IN  PTR  www.example.test."]),
        ("_sip._tcp.example.test SRV", ["_sip._tcp.example.test.  300  IN  SRV  10 60 5060 www.example.test."]),
        ("example.test TYPE65", ["example.test.  300  IN  HTTPS  \\# 3 000100"]),
        ("mail.example.test", ["mail.example.test.  300  IN  A  192.0.2.25"]),
        ("Www.ExAmple.test A", ["Www.ExAmple.test.  300  IN  A  192.0.2.1"]),
        ("--short example.test MX", ["10 mail.example.test."]),
        ("--tcp --short mail.example.test A", ["192.0.2.25"]),
    ],
)
def test_lookup_prints_presentation_lines(words: str, lines: list[str]) -> None:
    with DnsServer() as server:
        done = inetcli("dns", "lookup", at(server), *words.split())
    assert (done.code, done.err, done.out.splitlines()) == (0, "", lines)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("nope.example.test", 116),
        ("mail.example.test AAAA", 115),
        ("dangling.example.test A", 116),
        ("loop.example.test A", 8),
        ("other.test A", 117),
        ("mail.example.test A AAAA", 115),
        ("nope.example.test mail.example.test", 116),
        ("a..b", 3),
        ("+short example.test", 2),
        ("", 2),
        ("--connect-to x www.example.test", 2),
    ],
)
def test_exit_codes_of_lookup(words: str, code: int) -> None:
    with DnsServer() as server:
        done = inetcli("dns", "lookup", at(server), *words.split())
    assert done.code == code
    assert done.err.count("\n") == 1


def test_a_cut_answer_is_asked_for_again_over_tcp() -> None:
    with DnsServer() as server:
        row = inetcli("dns", "lookup", "--json", at(server), "big.example.test", "A").row
        zone = {"many.test.": ["60 SOA a. b. 1 2 3 4 5", *(f"60 A 198.51.100.{n % 250}" for n in range(200))]}
    assert (row["truncated"], row["transport"], len(row["answers"])) == (False, "udp", 60)
    with DnsServer(zone) as server:
        row = inetcli("dns", "lookup", "--json", at(server), "many.test", "A").row
    assert (row["truncated"], row["transport"], row["tries"]) == (True, "tcp", 2)
    assert len(row["answers"]) == 200


@pytest.mark.parametrize(
    ("fault", "code", "status_word", "tries"),
    [
        ("*:rcode(SERVFAIL)", 117, "SERVFAIL", 1),
        ("*:rcode(REFUSED)", 117, "REFUSED", 1),
        ("*:drop", 28, "TIMEOUT", 3),
        ("*:dropx2", 0, "NOERROR", 3),
        ("*:wrong_id", 28, "TIMEOUT", 3),
        ("*:wrong_idx1", 0, "NOERROR", 2),
        ("*:wrong_question", 28, "TIMEOUT", 3),
        ("*:cut", 8, "MALFORMED", 1),
        ("*:tc", 0, "NOERROR", 2),
        ("*:no_edns", 0, "NOERROR", 2),
        ("www.example.test/A:delay(0.05)", 0, "NOERROR", 1),
    ],
)
def test_servers_that_misbehave(fault: str, code: int, status_word: str, tries: int) -> None:
    with DnsServer(faults=[fault]) as server:
        done = inetcli("dns", "lookup", "--json", "--timeout", "0.7", at(server), "www.example.test", "A")
        assert server.problems() == []
    assert done.code == code
    assert (done.row["status"], done.row["tries"], done.row["exit_code"]) == (status_word, tries, code)


def test_retries_adds_tries() -> None:
    with DnsServer(faults=["*:dropx3"]) as server:
        arguments = ["dns", "lookup", "--timeout", "0.5", at(server), "www.example.test", "A"]
        assert inetcli(*arguments).code == 28
    with DnsServer(faults=["*:dropx3"]) as server:
        arguments[4] = at(server)
        assert inetcli(*arguments, "--retries", "1").code == 0


def test_a_forged_reply_does_not_end_the_wait() -> None:
    """Two replies to one question: the first bears another question and is ignored, the second counts."""
    with DnsServer(faults=["*:wrong_questionx1"]) as server:
        done = inetcli("dns", "lookup", "--timeout", "1", "--short", at(server), "www.example.test", "A")
    assert (done.code, done.out) == (0, "192.0.2.1\n")


def test_the_next_server_is_asked_when_one_cannot_help() -> None:
    with DnsServer(faults=["*:rcode(REFUSED)"]) as first, DnsServer() as second:
        row = inetcli("dns", "lookup", "--json", at(first), at(second), "www.example.test", "A").row
    assert (row["exit_code"], row["server"], row["tries"]) == (0, at(second)[1:], 2)


def test_closed_port_is_reported_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        held.close()
        done = inetcli("dns", "lookup", f"@127.0.0.1:{port}", "www.example.test", "A")
    assert done.code == 7
    assert "no program listens on that UDP port" in done.err


def test_many_names_come_in_order_exactly_one_line_each() -> None:
    names = [f"h{number}.wild.example.test" if number % 3 else f"no{number}.example.test" for number in range(60)]
    with DnsServer() as server:
        lines = "\n".join(["# a comment", "", *names]).encode()
        done = inetcli("dns", "lookup", "--json", "-i", "-", at(server), "TXT", stdin=lines)
    assert [row["target"] for row in done.rows] == names
    assert [row["status"] for row in done.rows] == ["NOERROR" if n % 3 else "NXDOMAIN" for n in range(60)]
    assert done.code == 116


def test_json_has_the_keys_of_the_contract_for_each_type() -> None:
    with DnsServer() as server:
        rows = inetcli("dns", "lookup", "--json", at(server), "www.example.test").rows
    assert [row["type"] for row in rows] == ["A", "AAAA"]
    assert set(rows[0]) == {
        "target",
        "name",
        "type",
        "status",
        "flags",
        "answers",
        "authority",
        "additional",
        "server",
        "transport",
        "rtt_ms",
        "tries",
        "truncated",
        "ede",
        "exit_code",
        "notes",
        "timing_ms",
    }
    assert rows[0]["answers"] == [
        {"name": "www.example.test.", "type": "A", "ttl_s": 300, "data": "192.0.2.1", "address": "192.0.2.1"}
    ]
    assert rows[0]["flags"] == ["qr", "aa", "rd"]
