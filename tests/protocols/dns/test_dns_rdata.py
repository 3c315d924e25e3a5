"""The data of records: every type as text and as fields, wrong sizes refused, anything survived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.rdata import format_string, format_unknown, parse_rdata


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
    rdata = bytes.fromhex(data)
    assert parse_rdata(kind, rdata, 0, len(rdata)) == (text, fields)
    assert parse_rdata(kind, b"before" + rdata + b"behind", 6, 6 + len(rdata)) == (text, fields)


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
        parse_rdata(kind, data, 0, len(data))


KINDS = [1, 2, 5, 6, 12, 15, 16, 28, 33, 257]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (1, "c0000201"),
        (28, "20010db8000000000000000000000001"),
        (2, "036e733100"),
        (15, "000a046d61696c00"),
        (6, "0161000162000000000100000002000000030000000400000005"),
        (33, "000a003c13c40377777700"),
    ],
)
def test_parse_rdata_cut_at_every_byte_is_a_violation(kind: int, data: str) -> None:
    rdata = bytes.fromhex(data)
    for cut in range(len(rdata)):
        with pytest.raises(ProtocolViolation):
            parse_rdata(kind, rdata, 0, cut)


def test_names_in_the_data_point_back_into_the_message_and_not_beyond_the_record() -> None:
    message = bytes(12) + b"\4test\0" + b"\0\x0a\4mail\xc0\x0c"
    assert parse_rdata(15, message, 18, len(message))[0] == "10 mail.test."
    with pytest.raises(ProtocolViolation):
        parse_rdata(2, bytes(12) + b"\4test\0", 12, 16)


@settings(max_examples=1000)
@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_parse_rdata_of_any_bytes_is_text_or_a_violation(kind: int, data: bytes) -> None:
    try:
        text, _ = parse_rdata(kind, bytes(12) + data, 12, 12 + len(data))
    except ProtocolViolation:
        return
    assert text.isascii() or kind == 257  # the tag of a CAA record is its own


@pytest.mark.parametrize(
    ("data", "text"), [(b"", '""'), (b'a "b"\\', r'"a \"b\"\\"'), (b"\0\x7f\xe9~ ", r'"\000\127\233~ "')]
)
def test_format_string_is_what_a_zone_file_takes(data: bytes, text: str) -> None:
    assert format_string(data) == text


def test_format_unknown_is_that_of_rfc_3597() -> None:
    assert format_unknown(b"\x0a\0\0\1") == r"\# 4 0a000001"
    assert format_unknown(b"") == r"\# 0"
