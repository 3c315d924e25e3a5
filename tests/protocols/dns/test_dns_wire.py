"""Names and messages: tables whole and cut, hostile ones refused, anything survived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.errors import Incomplete, MalformedTarget, ProtocolViolation
from inetcli.protocols.dns.model import Question, type_name, type_number
from inetcli.protocols.dns.name import (
    absolute,
    encode_name,
    parse_name,
    reverse_name,
    same_name,
    split_name,
)
from inetcli.protocols.dns.wire import (
    answers_question,
    encode_framed,
    encode_query,
    parse_framed,
    parse_message,
)
from inetcli.wire.reader import Reader, parse_whole

WWW = Question("www.example.test.", 1)

# As Knot answers "www.example.test A" (ID 0x1234): two records, their names compressed, an OPT record.
REPLY = bytes.fromhex(
    "1234 8500 0001 0002 0000 0001"
    "03777777 076578616d706c65 0474657374 00 0001 0001"
    "c00c 0001 0001 0000012c 0004 c0000201"
    "c00c 0001 0001 0000012c 0004 c0000202"
    "00 0029 04d0 00000000 0000".replace(" ", "")
)


def message(*sections: list[bytes], rcode: int = 0, flags: int = 0x8400, question: bytes = b"") -> bytes:
    """A reply put together by hand: sections of whole records."""
    counts = [int(bool(question)), *(len(section) for section in sections), 0, 0, 0][:4]
    head = b"".join(number.to_bytes(2, "big") for number in (1, flags | rcode, *counts))
    return head + question + b"".join(record for section in sections for record in section)


def record(kind: int, data: bytes, name: bytes = b"\1x\0", ttl: int = 60) -> bytes:
    return name + kind.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data


def test_encode_query_is_the_one_of_the_rfc() -> None:
    assert encode_query(WWW, 0x1234, edns=False) == bytes.fromhex(
        "12340100000100000000000003777777076578616d706c6504746573740000010001"
    )
    assert encode_query(WWW, 0x1234).endswith(bytes.fromhex("000001000100002904d0000000000000"))


def test_parse_message_of_a_real_server() -> None:
    reply = parse_message(REPLY)
    assert reply.question == WWW
    assert reply.flags == ("qr", "aa", "rd")
    assert [(record.name, record.data, record.ttl_s) for record in reply.answers] == [
        ("www.example.test.", "192.0.2.1", 300),
        ("www.example.test.", "192.0.2.2", 300),
    ]
    assert (reply.rcode, reply.edns, reply.truncated, reply.additional) == (0, True, False, ())


def test_parse_message_cut_at_every_byte_is_a_violation() -> None:
    for cut in range(len(REPLY)):
        with pytest.raises(ProtocolViolation):
            parse_message(REPLY[:cut])


def test_parse_message_lets_bytes_behind_the_last_record_pass() -> None:
    assert parse_message(REPLY + b"x") == parse_message(REPLY)


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(st.integers(0, len(REPLY) - 1), st.binary(min_size=1, max_size=6))
def test_parse_message_with_any_bytes_changed_parses_or_is_a_violation(at: int, change: bytes) -> None:
    try:
        parse_message(REPLY[:at] + change + REPLY[at + len(change) :])
    except ProtocolViolation:
        pass


@pytest.mark.parametrize(
    ("kind", "data", "text", "fields"),
    [
        (1, "c0000201", "192.0.2.1", {"address": "192.0.2.1"}),
        (28, "20010db8000000000000000000000001", "2001:db8::1", {"address": "2001:db8::1"}),
        (2, "036e733100", "ns1.", {"target": "ns1."}),
        (15, "000a046d61696c00", "10 mail.", {"preference": 10, "exchange": "mail."}),
        (16, "0568656c6c6f0001ff", '"hello" "" "\\255"', {"strings": ["hello", "", "\udcff"]}),
        (16, "05225c3b0941", '"\\"\\\\;\\009A"', {"strings": ['"\\;\tA']}),
        (
            6,
            "0161000162000000000100000002000000030000000400000005",
            "a. b. 1 2 3 4 5",
            {"mname": "a.", "rname": "b.", "serial": 1, "refresh_s": 2, "retry_s": 3, "expire_s": 4, "minimum_s": 5},
        ),
        (
            33,
            "000a003c13c40377777700",
            "10 60 5060 www.",
            {"priority": 10, "weight": 60, "port": 5060, "target": "www."},
        ),
        (257, "0005697373756563612e74657374", '0 issue "ca.test"', {"flags": 0, "tag": "issue", "value": "ca.test"}),
        (65534, "0a000001", "\\# 4 0a000001", {}),
        (65534, "", "\\# 0", {}),
    ],
)
def test_parse_rdata_by_type(kind: int, data: str, text: str, fields: dict[str, object]) -> None:
    (answer,) = parse_message(message([record(kind, bytes.fromhex(data))])).answers
    assert (answer.data, dict(answer.fields)) == (text, fields)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (1, b"abc"),
        (1, b"abcde"),
        (28, b"short"),
        (15, b"\0"),
        (15, b"\0\1\4mai"),
        (16, b"\5hell"),
        (6, b"\0\0" + bytes(19)),
        (6, b"\0\0" + bytes(21)),
        (33, bytes(6)),
        (257, b"\0\7issue"),
        (2, b"\300\0"),
    ],
)
def test_parse_rdata_of_a_wrong_size_is_a_violation(kind: int, data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_message(message([record(kind, data)]))


def test_parse_message_flags_rcode_and_extended_errors() -> None:
    opt = b"\0\0\x29\x04\xd0" + b"\1\0\0\0" + b"\0\x0e" + b"\0\x0f\0\x0a\0\x12too deep"
    reply = parse_message(message([], [], [opt], rcode=7, flags=0x87B0))
    assert reply.rcode == 0x17
    assert reply.flags == ("qr", "aa", "tc", "rd", "ra", "ad", "cd")
    assert reply.truncated
    assert reply.ede == ((18, "too deep"),)


def test_parse_message_with_more_records_promised_than_fit_is_a_violation() -> None:
    with pytest.raises(ProtocolViolation, match="65535 records promised"):
        parse_message(REPLY[:6] + b"\xff\xff" + REPLY[8:])


def test_record_of_another_class_is_passed_over_and_a_ttl_with_its_sign_bit_is_0() -> None:
    chaos = record(16, b"\1x").replace(b"\0\1\0\0\0\x3c", b"\0\3\0\0\0\x3c", 1)
    reply = parse_message(message([chaos, record(1, bytes(4), ttl=0x80000000)]))
    assert [answer.ttl_s for answer in reply.answers] == [0]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xc0\x00", "not back"),
        (b"\xc0\x0c", "not back"),
        (b"\1a\xc0\x0c", "not back"),
        (b"\1a\xc0\x0e", "not back"),
        (b"\xc0", "cut"),
        (b"\x40", "unknown type"),
        (b"\4abc", "runs over"),
        (b"\1a", "runs over"),
        (b"", "runs over"),
        (b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 3 + b"\0", "over 255"),
    ],
)
def test_parse_name_refuses(data: bytes, why: str) -> None:
    with pytest.raises(ProtocolViolation, match=why):
        parse_name(bytes(12) + data, 12)


def test_parse_name_follows_pointers_back_and_stands_behind_the_first() -> None:
    data = bytes(12) + b"\4test\0\3www\xc0\x0c\4mail\xc0\x12rest"
    assert parse_name(data, 24) == ("mail.www.test.", 31)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("example.test", [b"example", b"test"]),
        ("example.test.", [b"example", b"test"]),
        (".", []),
        (r"a\.b.c", [b"a.b", b"c"]),
        (r"a\032b\\.c\.", [b"a b\\", b"c."]),
        (r"_dmarc.x", [b"_dmarc", b"x"]),
        ("bücher.test", [b"xn--bcher-kva", b"test"]),
        ("faß.de", [b"xn--fa-hia", b"de"]),
    ],
)
def test_split_name(text: str, labels: list[bytes]) -> None:
    assert split_name(text) == labels
    wire = encode_name(text)
    assert split_name(parse_name(wire, 0)[0]) == labels


@pytest.mark.parametrize(
    "text", ["", "..", "a..b", ".a", "a" * 64, ".".join(["a" * 63] * 4), r"a\999", "a\\", "\u2028.test"]
)
def test_split_name_refuses(text: str) -> None:
    with pytest.raises(MalformedTarget):
        encode_name(text)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_names_go_out_and_come_back(labels: list[bytes]) -> None:
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    text, end = parse_name(wire, 0)
    assert end == len(wire)
    assert encode_name(text) == wire
    assert text.isascii()
    assert text.isprintable()


def test_absolute_keeps_the_case_and_same_name_ignores_it() -> None:
    assert absolute("WWW.Example.test") == "WWW.Example.test."
    assert same_name("WWW.test.", "www.TEST.")
    assert not same_name("www.test.", "www.test2.")


def test_reverse_name() -> None:
    assert reverse_name("192.0.2.1") == "1.2.0.192.in-addr.arpa."
    assert reverse_name("2001:db8::1").endswith("8.b.d.0.1.0.0.2.ip6.arpa.")


@pytest.mark.parametrize(("name", "number"), [("a", 1), ("MX", 15), ("TYPE65534", 65534), ("type1", 1)])
def test_types_have_names_and_numbers(name: str, number: int) -> None:
    assert type_number(name) == number
    assert type_number(type_name(number)) == number


@pytest.mark.parametrize("name", ["TYPE65536", "TYPE", "TYPE²", "TYPE-1", "bogus", ""])
def test_type_number_of_what_is_no_type(name: str) -> None:
    assert type_number(name) is None


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        (REPLY, True),
        (REPLY.replace(b"www", b"WWW"), True),
        (b"\x12\x35" + REPLY[2:], False),
        (REPLY.replace(b"www", b"wwx"), False),
        (REPLY[:2] + b"\x05" + REPLY[3:], False),  # not a reply
        (REPLY[:11], False),
        (REPLY[:20], False),
        (bytes.fromhex("123480010000000000000000"), True),  # FORMERR without the question
    ],
)
def test_answers_question(data: bytes, fits: bool) -> None:
    assert answers_question(data, 0x1234, WWW) is fits


def test_parse_framed_whole_and_cut() -> None:
    framed = encode_framed(REPLY)
    assert parse_whole(framed + b"next", parse_framed) == REPLY
    for cut in range(1, len(framed)):
        with pytest.raises(Incomplete):
            parse_whole(framed[:cut], parse_framed)


def test_parse_framed_byte_by_byte() -> None:
    reader = Reader()
    parser = parse_framed(reader)
    next(parser)
    for byte in encode_framed(REPLY)[:-1]:
        reader.feed(bytes([byte]))
        next(parser)
    reader.feed(REPLY[-1:])
    with pytest.raises(StopIteration) as done:
        next(parser)
    assert done.value.value == REPLY
