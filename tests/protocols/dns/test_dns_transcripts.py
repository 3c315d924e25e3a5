"""Conversations with name servers, each whole: what `inetcli dns lookup` asks, hears, and makes of it."""

import pytest
from support.datagramscript import DatagramScript
from support.dnsscript import DnsOverTcp, DnsOverUdp, dns_on_one_port
from support.linescript import LineScript
from support.program import Finished, inetcli_here

A = "www.example.test. 300 A 192.0.2.1"
SHOWN = "www.example.test.  300  IN  A  192.0.2.1\n"


def lookup(server: DatagramScript | LineScript, *options: str) -> Finished:
    return inetcli_here("dns", "lookup", "www.example.test", "A", f"@{server.address}", *options)


def test_a_question_and_its_answer() -> None:
    with DnsOverUdp(f"""
        C www.example.test/A edns
        S NOERROR aa; {A}
    """) as server:
        done = lookup(server)
    assert (done.code, done.out, done.err) == (0, SHOWN, "")


def test_a_cut_answer_is_asked_for_again_over_tcp() -> None:
    over_udp, over_tcp = dns_on_one_port(
        """
        C www.example.test/A edns
        S NOERROR tc
        """,
        f"""
        C www.example.test/A edns
        S NOERROR; {A}
        """,
    )
    with over_udp, over_tcp:
        row = lookup(over_udp, "--json").row
    assert (row["status"], row["transport"], row["truncated"], row["tries"]) == ("NOERROR", "tcp", True, 2)
    assert row["answers"][0]["address"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("script", "code", "status"),
    [("X", 52, "EMPTY_REPLY"), (r"SR \0\x0cxx" + "\nX", 18, "INCOMPLETE"), (r"SR \0\1x" + "\nX", 8, "MALFORMED")],
)
def test_a_cut_answer_whose_second_half_fails(script: str, code: int, status: str) -> None:
    over_udp, over_tcp = dns_on_one_port(
        """
        C www.example.test/A edns
        S NOERROR tc
        """,
        f"""
        C www.example.test/A edns
        {script}
        """,
    )
    with over_udp, over_tcp:
        done = lookup(over_udp, "--json")
    assert (done.code, done.row["status"], done.row["truncated"]) == (code, status, True)


@pytest.mark.parametrize("stumble", ["FORMERR plain", "NOTIMP plain"])
def test_a_server_that_stumbles_over_edns_is_asked_without(stumble: str) -> None:
    with DnsOverUdp(f"""
        C www.example.test/A edns
        S {stumble}
        C www.example.test/A
        S NOERROR; {A}
    """) as server:
        done = lookup(server)
    assert (done.code, done.out) == (0, SHOWN)
    assert "EDNS" in done.err


def test_a_server_that_knows_edns_and_says_formerr_means_the_question() -> None:
    with DnsOverUdp("""
        C www.example.test/A edns
        S FORMERR
    """) as server:
        assert lookup(server).code == 117


def test_a_server_that_stumbles_with_and_without_edns() -> None:
    with DnsOverUdp("""
        C www.example.test/A edns
        S FORMERR plain
        C www.example.test/A
        S FORMERR
    """) as server:
        done = lookup(server)
    assert done.code == 117
    assert "FORMERR" in done.err


@pytest.mark.parametrize(
    "forged", ["NOERROR id=other; x. 1 A 192.0.2.66", "NOERROR question=other.test/A", "SERVFAIL id=other"]
)
def test_a_reply_to_something_else_does_not_end_the_wait(forged: str) -> None:
    with DnsOverUdp(f"""
        C www.example.test/A edns
        S {forged}
        SR garbage
        SR \\0
        S NOERROR; {A}
    """) as server:
        done = lookup(server)
    assert (done.code, done.out) == (0, SHOWN)


def test_silence_is_asked_three_times() -> None:
    with DnsOverUdp("""
        C www.example.test/A edns
        C www.example.test/A edns
        C www.example.test/A edns
    """) as server:
        row = lookup(server, "--json", "--timeout", "0.05").row
    assert (row["exit_code"], row["status"], row["tries"]) == (28, "TIMEOUT", 3)


def test_a_late_answer_counts_on_the_second_try() -> None:
    with DnsOverUdp(f"""
        C www.example.test/A edns
        C www.example.test/A edns
        S NOERROR; {A}
    """) as server:
        row = lookup(server, "--json", "--timeout", "0.1").row
    assert (row["exit_code"], row["tries"]) == (0, 2)


@pytest.mark.parametrize(
    ("reply", "code", "word"),
    [
        ("NOERROR", 115, "no A record"),
        ("NOERROR; www.example.test. 60 CNAME b.", 115, "alias of b."),
        ("NOERROR; www.example.test. 60 CNAME www.example.test.", 8, "alias loop"),
        ("NXDOMAIN", 116, "NXDOMAIN"),
        ("REFUSED", 117, "REFUSED"),
    ],
)
def test_a_reply_that_answers_nothing(reply: str, code: int, word: str) -> None:
    with DnsOverUdp(f"""
        C www.example.test/A edns
        S {reply}
    """) as server:
        done = lookup(server)
    assert (done.code, done.out) == (code, "")
    assert word in done.err


def test_a_server_that_cannot_help_leaves_it_to_the_next() -> None:
    with (
        DnsOverUdp("C www.example.test/A edns\nS SERVFAIL") as first,
        DnsOverUdp(f"C www.example.test/A edns\nS NOERROR; {A}") as second,
    ):
        done = lookup(first, f"@{second.address}")
    assert (done.code, done.out) == (0, SHOWN)


def test_both_questions_go_out_together_and_the_replies_come_in_any_order() -> None:
    with DnsOverTcp("""
        C www.example.test/A edns
        C www.example.test/AAAA edns
        S NOERROR; www.example.test. 300 AAAA 2001:db8::1
        S NOERROR to=www.example.test/A; www.example.test. 300 A 192.0.2.1
    """) as server:
        done = inetcli_here("dns", "lookup", "www.example.test", f"@{server.address}", "--tcp", "--short")
    assert (done.code, done.out) == (0, "192.0.2.1\n2001:db8::1\n")


def test_over_tcp_the_connection_is_the_servers_to_close() -> None:
    with DnsOverTcp(
        f"""
        C www.example.test/A edns
        S NOERROR; {A}
        E
        """
    ) as server:
        row = lookup(server, "--tcp", "--json").row
    assert (row["exit_code"], row["transport"], row["tries"]) == (0, "tcp", 1)


@pytest.mark.parametrize("wrong", ["NOERROR id=other", "NOERROR question=other.test/A"])
def test_over_tcp_a_reply_to_something_else_is_a_violation(wrong: str) -> None:
    with DnsOverTcp(f"""
        C www.example.test/A edns
        S {wrong}
    """) as server:
        assert lookup(server, "--tcp").code == 8
