"""DNS: our client against Knot, NSD and BIND, beside dig; dig and kdig against our server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.foreign import Running, run
from support.nameservers import SERVERS, nameserver
from support.program import inetcli

from mockservers import DnsServer

ZONE = r"""$ORIGIN example.test.
$TTL 300
@       SOA   ns1 hostmaster 2024010101 3600 600 86400 60
        NS    ns1
        MX    10 mail
        MX    20 mail2
        TXT   "v=spf1 -all" "second string"
        CAA   0 issue "ca.example.net"
        HTTPS 1 . alpn="h2,h3" port=8443
ns1     A     127.0.0.1
www     A     192.0.2.1
        A     192.0.2.2
        AAAA  2001:db8::1
alias   CNAME alias2
alias2  CNAME www
gone    CNAME nowhere
outside CNAME host.other.test.
*.wild  TXT   "from wildcard"
mail    A     192.0.2.25
mail2   A     192.0.2.26
_sip._tcp SRV 10 60 5060 www
esc     TXT   "quote\" back\\slash \000\255 ;semi"
unk     TYPE65534 \# 4 0A000001
sub     NS    ns1.sub
ns1.sub A     127.0.0.1
""" + "".join(f"big A 198.51.100.{number}\n" for number in range(90))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, str]]:
    with nameserver(request.param, tmp_path, ZONE, signing=True) as running:
        yield running, str(request.param)


QUESTIONS = [
    "www A",
    "www AAAA",
    "@ MX",
    "@ TXT",
    "@ NS",
    "@ SOA",
    "@ CAA",
    "alias A",
    "_sip._tcp SRV",
    "x.y.wild TXT",
    "esc TXT",
    "unk TYPE65534",
    "big A",
]


def test_our_client_sees_what_dig_sees(server: tuple[Running, str]) -> None:
    running, _ = server
    at = f"@127.0.0.1:{running.port}"
    for question in QUESTIONS:
        name, kind = question.split()
        full = "example.test" if name == "@" else f"{name}.example.test"
        done = inetcli("dns", "lookup", at, full, kind)
        assert done.code == 0, (question, done.err)
        base = ["+noall", "+answer", "+noidnout", "-p", str(running.port), "@127.0.0.1", full, kind]
        assert rows(done.out) == rows(run("dig", *base).out), question


def rows(text: str) -> set[tuple[str, ...]]:
    """The records of presentation lines."""
    split = (line.split(None, 4) for line in text.splitlines())
    return {(*fields[:4], plain(fields[4])) for fields in split}


def plain(data: str) -> str:
    """dig writes the hex of unknown types in capitals, and breaks long data with blanks."""
    return " ".join(data.split()).upper() if data.startswith("\\#") else data


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("nope.example.test A", 116),
        ("mail.example.test AAAA", 115),
        ("sub.example.test A", 115),
        ("outside.example.test A", 115),
        ("other.test A", 117),
    ],
)
def test_exit_codes_of_real_servers(words: str, code: int, server: tuple[Running, str]) -> None:
    running, _ = server
    assert inetcli("dns", "lookup", f"@127.0.0.1:{running.port}", *words.split()).code == code


def test_a_cut_answer_goes_over_tcp(server: tuple[Running, str]) -> None:
    running, kind = server
    row = inetcli("dns", "lookup", "--json", f"@127.0.0.1:{running.port}", "big.example.test", "A").row
    assert (row["truncated"], row["transport"], len(row["answers"])) == (True, "tcp", 90), kind
    assert "aa" in row["flags"]


@pytest.mark.parametrize("tool", ["dig", "kdig"])
def test_foreign_clients_and_our_server(tool: str) -> None:
    with DnsServer() as mock:
        at = ["-p", str(mock.port), "@127.0.0.1"]
        assert run(tool, *at, "+short", "www.example.test", "A").out == "192.0.2.1\n"
        assert run(tool, *at, "+short", "+tcp", "www.example.test", "AAAA").out == "2001:db8::1\n"
        assert set(run(tool, *at, "+short", "alias.example.test", "A").out.split()) == {
            "www.example.test.",
            "192.0.2.1",
        }
        assert run(tool, *at, "+short", "example.test", "TXT").out == '"v=spf1 -all" "second string"\n'
        assert "NXDOMAIN" in run(tool, *at, "nope.example.test").out
        assert len(run(tool, *at, "+short", "+noedns", "big.example.test", "A").out.split()) == 60
        assert any("big.example.test/A over TCP" in event.text for event in mock.log.events())
    with DnsServer(faults=["www.example.test/A:rcode(SERVFAIL)"]) as mock:
        assert "SERVFAIL" in run(tool, "-p", str(mock.port), "@127.0.0.1", "www.example.test", "A").out
