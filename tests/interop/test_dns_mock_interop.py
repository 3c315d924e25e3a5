"""Our name server beside Knot, NSD and BIND: the same zone file, the same questions, and dig reads what each says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from support.foreign import Running, run
from support.nameservers import SERVERS, nameserver

from mockservers import DnsServer

ZONE = r"""$ORIGIN example.test.
$TTL 1h
@       SOA   ns1 hostmaster ( 2024010101 ; serial
                               1h 10m 1d
                               1m )       ; negative answers are kept a minute
        NS    ns1
        NS    ns.other.test.
        MX    10 mail
        MX    20 mail2
        TXT   "v=spf1 -all" "second string"
        CAA   0 issue "ca.example.net"
        CAA   128 tbs "Unknown"
        HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1
        RP    hostmaster @
        NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.test!" .
        DNSKEY 257 3 8 AwEAAdGjyDAVbQ==
ns1     A     192.0.2.53
www     A     192.0.2.1
        A     192.0.2.2
        AAAA  2001:db8::1
ttl 77  IN A  192.0.2.3
IN 1w1d A     192.0.2.4
alias   CNAME alias2
alias2  300 CNAME www
gone    CNAME nowhere
outside CNAME host.other.test.
toref   CNAME a.sub
loop    CNAME pool
pool    CNAME loop
self    CNAME self
*.wild  TXT   "from wildcard"
*.wild  MX    5 mail
in.wild A     192.0.2.7
deep.er.in.wild A 192.0.2.8
*.alias CNAME www
a.b.c.ent A   192.0.2.9
mail    A     192.0.2.25
mail2   A     192.0.2.26
UPPER   A     192.0.2.30
d\.ot   A     192.0.2.31
\000\255x TXT "odd"
_sip._tcp SRV 10 60 5060 www
_443._tcp.www TLSA 3 1 1 ( 0123456789abcdef0123456789abcdef
                           0123456789abcdef0123456789abcdef )
host    SSHFP 4 2 ( 0123456789abcdef0123456789abcdef
                    0123456789abcdef0123456789abcdef )
_dns    SVCB  1 ns1 alpn=dot key65000="a b" mandatory=alpn
_alias  SVCB  0 www
esc     TXT   "quote\" back\\slash \000\255 ;semi" bare
long    TXT   ( "first"
                second ; a comment
                "third" )
unk     TYPE65534 \# 4 0A 00 0001
uri     URI   10 1 "https://www.example.test/path"
moved   DNAME example.test.
off     DNAME other.test.
under.off2.x A 192.0.2.40
sub     NS    ns1.sub
        NS    ns.other.test.
        DS    12345 8 2 ( 0123456789abcdef0123456789abcdef
                          0123456789abcdef0123456789abcdef )
ns1.sub A     192.0.2.54
ns1.sub AAAA  2001:db8::54
$ORIGIN rel.example.test.
inner   A     192.0.2.50
$ORIGIN example.test.
""" + "".join(f"big A 198.51.100.{number}\n" for number in range(90))

QUESTIONS = r"""
www A
www AAAA
www MX
WwW A
@ SOA
@ NS
@ MX
@ TXT
@ CAA
@ HTTPS
@ RP
@ NAPTR
@ DNSKEY
@ A
@ DS
ttl A
in A
alias A
alias AAAA
alias CNAME
alias MX
gone A
outside A
toref A
loop A
self A
x.wild TXT
x.y.wild TXT
x.wild MX
x.wild A
wild TXT
*.wild TXT
in.wild A
in.wild TXT
x.in.wild TXT
er.in.wild TXT
x.er.in.wild TXT
q.alias A
q.alias TXT
q.r.alias AAAA
ent A
c.ent A
b.c.ent A
a.b.c.ent A
z.b.c.ent A
nope A
no.such.name A
mail A
mail AAAA
upper A
d\.ot A
\000\255x TXT
_tcp SRV
_sip._tcp SRV
_443._tcp.www TLSA
host SSHFP
_dns SVCB
_alias SVCB
esc TXT
long TXT
unk TYPE65534
unk TYPE65533
uri URI
moved A
moved DNAME
www.moved A
alias.moved A
nope.moved A
x.wild.moved TXT
www.off A
off A
sub A
sub NS
sub DS
a.sub A
ns1.sub A
deep.er.sub AAAA
sub SOA
inner.rel A
rel A
""".strip().splitlines()

STATUS_DIFFERS = {"named": {"loop A": "SERVFAIL", "self A": "SERVFAIL"}}
"""BIND calls an alias loop SERVFAIL, with the aliases in the answer; the others, and we, NOERROR."""


@dataclass(frozen=True)
class Said:
    """What a server said, as far as servers agree."""

    status: str
    flags: frozenset[str]
    answers: frozenset[tuple[str, ...]]
    authority: frozenset[tuple[str, ...]]


def ask(port: int, folder: Path) -> dict[str, Said]:
    """All questions by one dig."""
    lines = []
    for question in QUESTIONS:
        name, kind = question.split()
        full = "example.test." if name == "@" else f"{name}.example.test."
        lines.append(f"-t {kind} -q {full} +norec +noidnout +nocookie +nottlunits\n")
    (folder / "questions").write_text("".join(lines))
    done = run("dig", "-p", str(port), "@127.0.0.1", "+tries=1", "+timeout=5", "-f", str(folder / "questions"))
    blocks = done.out.split("->>HEADER<<-")[1:]
    assert len(blocks) == len(QUESTIONS), done.out[-2000:]
    return dict(zip(QUESTIONS, map(parse, blocks), strict=True))


def parse(block: str) -> Said:
    status = re.search(r"status: (\w+)", block)
    flags = re.search(r";; flags: ([\w ]*);", block)
    assert status
    assert flags
    return Said(status[1], frozenset(flags[1].split()), rows(block, "ANSWER"), rows(block, "AUTHORITY"))


def rows(block: str, section: str) -> frozenset[tuple[str, ...]]:
    found = re.search(rf";; {section} SECTION:\n(.*?)\n\n", block, re.DOTALL)
    lines = found[1].splitlines() if found else []
    split = (line.split(None, 4) for line in lines)
    return frozenset((fields[0].lower(), *fields[1:4], " ".join(fields[4].split())) for fields in split)


@pytest.fixture(params=SERVERS)
def judge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, str]]:
    (tmp_path / "server").mkdir()
    with nameserver(request.param, tmp_path / "server", ZONE) as running:
        yield running, str(request.param)


def test_our_name_server_says_what_real_ones_say(judge: tuple[Running, str], tmp_path: Path) -> None:
    running, kind = judge
    (tmp_path / "zone").write_text(ZONE)
    with DnsServer(tmp_path / "zone") as mock:
        ours = ask(mock.port, tmp_path)
        assert mock.problems() == []
    for question, status in STATUS_DIFFERS.get(kind, {}).items():
        ours[question] = replace(ours[question], status=status)
    assert ours == ask(running.port, tmp_path), kind


EDNS_SAYS = {
    "+edns=1 +noednsnegotiation": "BADVERS",
    "+edns=0 +ednsflags=0x40": "NOERROR",
    "+edns=0 +ednsopt=100": "NOERROR",
    "+opcode=15 +noedns": "NOTIMP",
    "+zflag +noad": "NOERROR",
    "+header-only": "FORMERR",
    "+cookie": "NOERROR",
    "+nsid": "NOERROR",
    "+subnet=192.0.2.0/24": "NOERROR",
    "-c CH": "REFUSED",
    "-t AXFR": "Transfer failed",
    "-t IXFR=1": "Transfer failed",
}
"""The queries of RFC 8906 section 8, and what a server that is alive says to them."""


@pytest.mark.parametrize("words", EDNS_SAYS)
def test_the_questions_of_rfc_8906(words: str) -> None:
    with DnsServer() as mock:
        base = ["dig", "-p", str(mock.port), "@127.0.0.1", "+norec", "+noad", "+tries=1", "+timeout=2", "example.test"]
        shown = run(*base, *words.split()).out
        assert mock.problems() == []
    assert EDNS_SAYS[words] in shown
    assert not re.search(r"flags:[ \w]*;.*MBZ|; OPT=|; MBZ|EDNS: version: [^0]|echoed|; NSID|; CLIENT-SUBNET", shown), (
        shown
    )


@pytest.mark.parametrize("options", [["+tls"], ["+https"], ["+https-get"]])
def test_kdig_and_dig_over_tls_and_https(options: list[str]) -> None:
    kind = {"+tls": {"tls": True}}.get(options[0], {"https": True})
    with DnsServer(ZONE, **kind) as mock:
        at = ["-p", str(mock.port), "@127.0.0.1", *options, f"+tls-ca={mock.ca_file}", "+short"]
        assert run("kdig", *at, "+tls-hostname=localhost", "ttl.example.test").out == "192.0.2.3\n"
        assert run("dig", *at, "+tls-hostname=localhost", "alias.example.test", "AAAA").out.endswith("2001:db8::1\n")
        assert len(run("kdig", *at, "big.example.test").out.split()) == 90
        assert run("kdig", *at, "+tls-hostname=other.test", "ttl.example.test").code != 0
        assert mock.problems() == []


def test_drill() -> None:
    with DnsServer(ZONE) as mock:
        at = ["-p", str(mock.port), "@127.0.0.1"]
        assert "192.0.2.3" in run("drill", *at, "ttl.example.test").out
        assert "rcode: NXDOMAIN" in run("drill", *at, "nope.example.test").out
        assert run("drill", "-a", *at, "big.example.test").out.count("198.51.100.") == 90
        assert "v=spf1" in run("drill", "-t", *at, "example.test", "TXT").out
        assert "from wildcard" in run("drill", *at, "a.b.wild.example.test", "TXT").out


@pytest.mark.parametrize("mode", ["udp", "tcp", "dot", "doh"])
def test_dnsperf_loses_nothing(mode: str, tmp_path: Path) -> None:
    (tmp_path / "questions").write_text("www.example.test A\nnope.example.test A\nexample.test MX\n")
    kind: dict[str, bool] = {"dot": {"tls": True}, "doh": {"https": True}}.get(mode, {})
    with DnsServer(ZONE, **kind) as mock:
        path = ["-O", f"doh-uri={mock.url}"] if mode == "doh" else []
        limits = ["-n", "100", "-q", "20", "-l", "10", "-t", "5"]
        at = ["-s", "127.0.0.1", "-p", str(mock.port), "-m", mode]
        shown = run("dnsperf", *at, *path, *limits, "-d", str(tmp_path / "questions")).out
        assert mock.problems() == []
    assert re.search(r"Queries sent: +300\b", shown), shown
    assert re.search(r"Queries completed: +300 \(100\.00%\)", shown), shown
    assert re.search(r"Response codes: +NOERROR 200 \(66\.67%\), NXDOMAIN 100 \(33\.33%\)", shown), shown
