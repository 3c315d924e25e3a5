"""Zones: master files and dicts, read and refused, and the zones that are made of them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockservers import DnsServer
from mockservers.dns.name import encode_name, name_text, parse_name
from mockservers.dns.types import TYPES, parse_type, type_name
from mockservers.dns.zone import make_zones, read_zones, zone_of
from mockservers.dns.zonefile import BadZone, parse_records, read_records

SOA = "@ SOA ns1 hostmaster 1 3600 600 86400 60\n"


def lines(text: str) -> list[tuple[str, int, str, bytes]]:
    return [(name_text(r.name), r.ttl, type_name(r.kind), r.data) for r in parse_records(text)]


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("a.test. 60 IN A 192.0.2.1", ("a.test.", 60, "A", b"\xc0\x00\x02\x01")),
        ("a.test. IN 60 A 192.0.2.1", ("a.test.", 60, "A", b"\xc0\x00\x02\x01")),
        ("a.test. 1h30m A 192.0.2.1", ("a.test.", 5400, "A", b"\xc0\x00\x02\x01")),
        ("a.test. A 192.0.2.1 ; comment", ("a.test.", 300, "A", b"\xc0\x00\x02\x01")),
        ("$TTL 7\na.test. A 192.0.2.1", ("a.test.", 7, "A", b"\xc0\x00\x02\x01")),
        ("$ORIGIN test.\na\tA 192.0.2.1", ("a.test.", 300, "A", b"\xc0\x00\x02\x01")),
        ("$ORIGIN test.\n$ORIGIN b\n@ NS @", ("b.test.", 300, "NS", b"\x01b\x04test\0")),
        ("a. AAAA ::1", ("a.", 300, "AAAA", bytes(15) + b"\x01")),
        ("a. MX 258 b", ("a.", 300, "MX", b"\x01\x02\x01b\0")),
        ('a. TXT a "b ;(" \\099\\"', ("a.", 300, "TXT", b'\x01a\x04b ;(\x02c"')),
        ('a. TXT ""', ("a.", 300, "TXT", b"\0")),
        ("a. TXT ( x\n y ) ; z", ("a.", 300, "TXT", b"\x01x\x01y")),
        ("a\\.b\\032c.d. TYPE731 \\# 3 ab cd ef", ("a\\.b\\032c.d.", 300, "TYPE731", b"\xab\xcd\xef")),
        ("a. A \\# 4 C0000201", ("a.", 300, "A", b"\xc0\x00\x02\x01")),
        ('a. CAA 0 issue "x; y"', ("a.", 300, "CAA", b"\0\x05issuex; y")),
        ("a. SRV 1 2 3 b.c", ("a.", 300, "SRV", b"\0\1\0\2\0\3\1b\1c\0")),
        ('a. NAPTR 1 2 u x+y "!a!b!" .', ("a.", 300, "NAPTR", b"\0\1\0\2\1u\3x+y\5!a!b!\0")),
        ("a. DS 1 RSASHA256 2 ab CD", ("a.", 300, "DS", b"\0\1\x08\2\xab\xcd")),
        ("a. DNSKEY 257 3 13 AAEC AwQ=", ("a.", 300, "DNSKEY", b"\1\1\3\x0d\0\1\2\3\4")),
        ("a. HTTPS 1 . port=53 alpn=h2", ("a.", 300, "HTTPS", b"\0\1\0\0\1\0\3\2h2\0\3\0\2\0\x35")),
        ('a. SVCB 1 b alpn="f\\\\,o,h2"', ("a.", 300, "SVCB", b"\0\1\1b\0\0\1\0\7\3f,o\2h2")),
        ("a. HTTPS 1 . no-default-alpn mandatory=port,alpn", ("a.", 300, "HTTPS", b"\0\1\0\0\0\0\4\0\1\0\3\0\2\0\0")),
        ("a. HTTPS 0 b.", ("a.", 300, "HTTPS", b"\0\0\1b\0")),
        ('a. URI 1 2 "x:y"', ("a.", 300, "URI", b"\0\1\0\2x:y")),
    ],
)
def test_a_line_of_a_master_file(text: str, record: tuple[str, int, str, bytes]) -> None:
    assert lines(text) == [record]


def test_a_ttl_that_was_given_holds_for_what_follows_and_a_blank_repeats_the_name() -> None:
    assert [row[:2] for row in lines("a. 7 A 192.0.2.1\n A 192.0.2.2\nb. A 192.0.2.3\n\tA 192.0.2.4")] == [
        ("a.", 7),
        ("a.", 7),
        ("b.", 7),
        ("b.", 7),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a. A 192.0.2", "zone:1: expected an IPv4 address"),
        ("\na. A 192.0.2.1 x", "zone:2: A: expected 1 fields, got 2"),
        ("a. MX mail", "expected a number from 0 to 65535, got 'mail'"),
        ("a. MX 10", "MX: expected 2 fields, got 1"),
        ("a. MX ²  b", "expected a number from 0 to 65535"),
        ("a. 60", r"expected \[TTL\] \[IN\] TYPE DATA"),
        ("a.", r"expected \[TTL\] \[IN\] TYPE DATA"),
        ("a. CH TXT x", "expected class IN, got CH"),
        ("a. NOPE x", "expected a record type such as A or TYPE65280, got NOPE"),
        ("a. LOC 1 N", r"LOC: expected \\# LENGTH HEX"),
        ("a. TYPE9 \\# 3 abcd", r"\\#: expected 3 octets, got 2"),
        ("a. TYPE9 \\# 1 abc", "expected hex digits in pairs, got 'abc'"),
        ("a. CNAME \\# 2 0161", "the data ends inside a name"),
        ('a. TXT "x', "expected a closing quote"),
        ("a. TXT (x", r"zone:1: expected \) before the end"),
        ("a. TXT \\256", r"expected \\000 to \\255, got \\256"),
        (f"a. TXT {'x' * 256}", "a string has at most 255 octets, got 256"),
        ("a..b. A 192.0.2.1", "a label has 1 to 63 octets, got 0"),
        (f"{'x' * 64}. A 192.0.2.1", "a label has 1 to 63 octets, got 64"),
        (f"{'x.' * 128} A 192.0.2.1", "a name has at most 255 octets, got 257"),
        (" A 192.0.2.1", "there is none before this line"),
        ("$INCLUDE /etc/passwd", r"expected \$ORIGIN NAME or \$TTL TIME, got \$INCLUDE"),
        ("$TTL soon", "expected seconds, such as 3600 or 1h, got 'soon'"),
        ("a. HTTPS 1 . port=x", "a value that does not fit: 'x'"),
        ("a. HTTPS 1 . alpn=h2 alpn=h3", "alpn: a parameter comes once"),
        ("a. HTTPS 1 . what=ever", "expected a key such as alpn"),
        ("a. DNSKEY 1 2 3 !", "expected base64"),
    ],
)
def test_a_master_file_that_is_refused_says_where_and_why(text: str, why: str) -> None:
    with pytest.raises(BadZone, match=why) as caught:
        list(parse_records(text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("$ORIGIN t.\n" + SOA + "a CNAME b\na A 192.0.2.1", r"a\.t\.: expected nothing beside CNAME, got A"),
        ("$ORIGIN t.\n" + SOA + "a CNAME b\na CNAME c", "expected nothing beside CNAME, got another CNAME"),
        ("$ORIGIN t.\n" + SOA + "a DNAME b\na DNAME c", "expected one DNAME"),
        ("$ORIGIN t.\n" + SOA + "@ SOA other hostmaster 1 2 3 4 5", "expected one SOA record"),
    ],
)
def test_a_zone_that_no_server_would_load_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadZone, match=why):
        make_zones(parse_records(text))


def test_a_dict_a_text_and_a_file_are_the_same(tmp_path: Path) -> None:
    text = "a.test. 60 A 192.0.2.1\na.test. 60 TXT x\n"
    (tmp_path / "zone").write_text(text)
    records = read_records(text)
    assert records == read_records(tmp_path / "zone")
    assert records == read_records({"a.test": ["60 A 192.0.2.1", "60 TXT x"]})
    with pytest.raises(BadZone, match=r"^a\.test:1: A: expected 1 fields, got 0"):
        DnsServer({"a.test": "A"})
    (tmp_path / "zone").write_text("a. A")
    with pytest.raises(BadZone, match=r"zone:1: A: expected 1 fields, got 0"):
        DnsServer(tmp_path / "zone")


def test_names_below_no_soa_get_a_zone_and_each_soa_has_one() -> None:
    zones = make_zones(
        read_records({"www.shop.test": "A 192.0.2.1", "a.b.shop.test": "A 192.0.2.2", "x": "A 192.0.2.3"})
    )
    assert [zone.apex for zone in zones] == [(b"shop", b"test"), (b"x",)]
    text = f"$ORIGIN test.\n{SOA}a.sub TXT x\n$ORIGIN sub.test.\n{SOA}"
    zones = make_zones(parse_records(text))
    found = zone_of(zones, parse_name("a.sub.test."), TYPES["TXT"])
    assert found
    assert found.apex == (b"sub", b"test")
    assert found.answer(parse_name("A.sub.test."), TYPES["TXT"]).answers
    above = zone_of(zones, parse_name("sub.test."), TYPES["DS"])
    assert above
    assert above.apex == (b"test",)


def test_several_sources_are_several_zones(tmp_path: Path) -> None:
    (tmp_path / "parent").write_text(f"{SOA}sub NS ns.sub\nsub DS 1 8 2 ab\nns.sub A 192.0.2.1\n")
    child = f"$ORIGIN sub\n{SOA}www A 192.0.2.2\n"
    zones = read_zones([tmp_path / "parent", child], "test.")
    assert [zone.apex for zone in zones] == [(b"test",), (b"sub", b"test")]
    above = zone_of(zones, parse_name("sub.test."), TYPES["DS"])
    assert above
    assert len(above.answer(parse_name("sub.test."), TYPES["DS"]).answers) == 1
    assert not zones[0].answer(parse_name("www.sub.test."), TYPES["A"]).answers  # it refers
    with pytest.raises(BadZone, match=r"expected one zone sub\.test\., got 2"):
        read_zones([child, child], "test.")


@given(st.text(alphabet='ab.\\09"();@$ \n\tATXT*\x00ü', max_size=60))
def test_any_text_is_a_zone_or_is_refused(text: str) -> None:
    try:
        assert make_zones(parse_records(text)) is not None
    except BadZone:
        pass


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
def test_any_name_survives_its_text(labels: list[bytes]) -> None:
    assert parse_name(name_text(tuple(labels))) == tuple(labels)
    assert len(encode_name(tuple(labels))) == sum(map(len, labels)) + len(labels) + 1


@pytest.mark.parametrize(("text", "number"), [("a", 1), ("TYPE1", 1), ("type65535", 65535)])
def test_parse_type(text: str, number: int) -> None:
    assert parse_type(text) == number


@pytest.mark.parametrize("text", ["TYPE65536", "TYPE", "TYPE²", "TYPE-1", ""])
def test_parse_type_refuses(text: str) -> None:
    assert parse_type(text) is None
