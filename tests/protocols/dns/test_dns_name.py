"""Domain names: on the wire and in text, hostile ones refused, anything survived."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.errors import MalformedTarget, ProtocolViolation
from inetcli.protocols.dns.name import (
    canonical_name,
    encode_labels,
    encode_name,
    escape_label,
    is_address,
    parse_name,
    reverse_name,
    same_name,
    split_name,
)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xc0\x00", "not back"),
        (b"\xc0\x0c", "not back"),
        (b"\1a\xc0\x0c", "not back"),
        (b"\1a\xc0\x0e", "not back"),
        (b"\xc0", "truncated"),
        (b"\x40", "unknown type"),
        (b"\4abc", "extends beyond"),
        (b"\1a", "extends beyond"),
        (b"", "extends beyond"),
        (b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 3 + b"\0", "exceeds 255"),
    ],
)
def test_parse_name_refuses(data: bytes, why: str) -> None:
    with pytest.raises(ProtocolViolation, match=why):
        parse_name(bytes(12) + data, 12)


def test_parse_name_follows_pointers_and_returns_the_offset_after_the_first() -> None:
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


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_names_go_out_and_come_back(labels: list[bytes]) -> None:
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    text, end = parse_name(wire, 0)
    assert end == len(wire)
    assert encode_name(text) == wire
    assert text.isascii()
    assert text.isprintable()


def test_canonical_name_keeps_case_and_same_name_ignores_it() -> None:
    assert canonical_name("WWW.Example.test") == "WWW.Example.test."
    assert same_name("WWW.test.", "www.TEST.")
    assert not same_name("www.test.", "www.test2.")


def test_reverse_name() -> None:
    assert reverse_name("192.0.2.1") == "1.2.0.192.in-addr.arpa."
    assert reverse_name("2001:db8::1").endswith("8.b.d.0.1.0.0.2.ip6.arpa.")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (b"www", "www"),
        (b"a.b", r"a\.b"),
        (b'"();@$\\', r"\"\(\)\;\@\$\\"),
        (b"a b\t\x7f\xff", r"a\032b\009\127\255"),
        (b"_x-1*", "_x-1*"),
    ],
)
def test_escape_label_leaves_nothing_that_a_zone_file_would_read_otherwise(label: bytes, text: str) -> None:
    assert escape_label(label) == text
    assert split_name(f"{text}.") == [label]


def test_the_root_is_a_dot() -> None:
    assert encode_labels([]) == "."
    assert encode_name(".") == b"\0"
    assert parse_name(b"\0", 0) == (".", 1)


def test_a_name_of_255_bytes_is_the_longest() -> None:
    longest = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert len(encode_name(longest)) == 255
    assert parse_name(encode_name(longest), 0) == (f"{longest}.", 255)
    with pytest.raises(MalformedTarget, match="at most 255 bytes, got 256"):
        encode_name(f"{longest}a")


@settings(max_examples=500)
@given(st.binary(max_size=80), st.integers(0, 80))
def test_parse_name_of_any_bytes_ends(data: bytes, at: int) -> None:
    try:
        name, end = parse_name(bytes(12) + data, 12 + at)
    except ProtocolViolation:
        return
    assert 12 + at < end <= 12 + len(data)
    assert len(encode_name(name)) <= 255


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("192.0.2.1", True), ("::1", True), ("fe80::1%eth0", True), ("192.0.2", False), ("example.test", False)],
)
def test_is_address(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one
