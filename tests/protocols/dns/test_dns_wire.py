"""Names and messages: tables whole and cut, hostile ones refused, anything survived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.errors import Incomplete, ProtocolViolation
from inetcli.protocols.dns.model import Question
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


@settings(max_examples=1000)
@given(st.integers(0, len(REPLY) - 1), st.binary(min_size=1, max_size=6))
def test_parse_message_with_any_bytes_changed_parses_or_is_a_violation(at: int, change: bytes) -> None:
    try:
        parse_message(REPLY[:at] + change + REPLY[at + len(change) :])
    except ProtocolViolation:
        pass


def test_parse_message_flags_rcode_and_extended_errors() -> None:
    opt = b"\0\0\x29\x04\xd0" + b"\1\0\0\0" + b"\0\x0e" + b"\0\x0f\0\x0a\0\x12too deep"
    reply = parse_message(message([], [], [opt], rcode=7, flags=0x87B0))
    assert reply.rcode == 0x17
    assert reply.flags == ("qr", "aa", "tc", "rd", "ra", "ad", "cd")
    assert reply.truncated
    assert reply.ede == ((18, "too deep"),)


def test_parse_message_refuses_more_announced_records_than_fit() -> None:
    with pytest.raises(ProtocolViolation, match="65535 records announced"):
        parse_message(REPLY[:6] + b"\xff\xff" + REPLY[8:])


def test_record_of_another_class_is_skipped_and_a_ttl_with_sign_bit_is_0() -> None:
    chaos = record(16, b"\1x").replace(b"\0\1\0\0\0\x3c", b"\0\3\0\0\0\x3c", 1)
    reply = parse_message(message([chaos, record(1, bytes(4), ttl=0x80000000)]))
    assert [answer.ttl_s for answer in reply.answers] == [0]


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
