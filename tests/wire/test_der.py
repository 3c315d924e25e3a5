"""DER: elements and what holds them, hostile lengths refused, anything survived."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.errors import ProtocolViolation
from inetcli.wire.der import INTEGER, SEQUENCE, Element, parse_der, parse_integer, parse_oid, tbs_fields


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x05\x02\x01\x00",
        b"\x1f\x81\x00",
        b"\x30\x85\x00\x00\x00\x00\x00",
        b"\x02\x00x",
    ],
)
def test_parse_der_refuses(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        parse_der(data)


def test_parse_integer_and_oid() -> None:
    assert parse_integer(parse_der(b"\x02\x02\xff\x7f")) == -129
    assert parse_oid(parse_der(bytes.fromhex("06092a864886f70d01010b"))) == "1.2.840.113549.1.1.11"
    assert parse_oid(parse_der(b"\x06\x02\x88\x37")) == "2.999"
    with pytest.raises(ProtocolViolation):
        parse_oid(parse_der(b"\x06\x01\x80"))


def der(tag: int, *contents: bytes) -> bytes:
    """An element with a definite length, as short as it can be."""
    content = b"".join(contents)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def test_an_element_knows_its_tag_its_contents_and_its_children() -> None:
    inner = der(0x02, b"\5"), der(0x04, b"x" * 200)
    element = parse_der(der(0x30, *inner))
    assert (element.tag, element.whole) == (SEQUENCE, der(0x30, *inner))
    assert element.content == b"".join(inner)
    assert [child.whole for child in element.children()] == list(inner)
    assert [parse_integer(child) for child in element.children() if child.tag == INTEGER] == [5]


@pytest.mark.parametrize("size", [2, 9, 127])
def test_a_child_may_not_reach_beyond_its_parent(size: int) -> None:
    outer = parse_der(der(SEQUENCE, bytes([4, size]) + b"x"))
    with pytest.raises(ProtocolViolation, match=f"an element of {size} bytes extends beyond the enclosing element"):
        list(outer.children())
    assert [child.content for child in parse_der(der(SEQUENCE, b"\x04\x01x")).children()] == [b"x"]


def test_another_tag_than_the_expected_one_is_told_with_both() -> None:
    with pytest.raises(ProtocolViolation, match="expected an integer with tag 0x02, got tag 0x04"):
        parse_integer(parse_der(b"\x04\x01x"))


@pytest.mark.parametrize(
    ("content", "number"), [(b"\0", 0), (b"\x7f", 127), (b"\0\x80", 128), (b"\x80", -128), (b"\1\0\0", 65536)]
)
def test_parse_integer(content: bytes, number: int) -> None:
    assert parse_integer(parse_der(der(INTEGER, content))) == number


@pytest.mark.parametrize(
    ("content", "oid"),
    [(b"\x2a", "1.2"), (b"\x55\x04\x03", "2.5.4.3"), (b"\x27", "0.39"), (b"\x50", "2.0"), (b"\x2a\x86\x48", "1.2.840")],
)
def test_parse_oid(content: bytes, oid: str) -> None:
    assert parse_oid(parse_der(der(0x06, content))) == oid


TIME = der(0x17, b"260101000000Z")
TBS = [
    der(0xA0, der(2, b"\2")),
    der(2, b"\1"),
    der(0x30, b""),
    der(0x30, der(0x31)),
    der(0x30, TIME, TIME),
    der(0x30),
    der(0x30, b""),
    der(0xA3, der(0x30)),
]


def test_tbs_fields_by_name_with_and_without_the_optional_ones() -> None:
    names = [
        "version",
        "serialNumber",
        "signature",
        "issuer",
        "validity",
        "subject",
        "subjectPublicKeyInfo",
        "extensions",
    ]
    whole = tbs_fields(der(0x30, der(0x30, *TBS), der(0x30), der(3)))
    assert [(name, field.whole) for name, field in whole.items()] == list(zip(names, TBS, strict=True))
    assert list(tbs_fields(der(0x30, der(0x30, *TBS[1:7]), der(0x30), der(3)))) == names[1:7]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (der(0x31), "expected a certificate with tag 0x30"),
        (der(0x30, der(0x30)), "expected a certificate of 3 parts, got 1"),
        (der(0x30, der(0x30, *TBS[:6]), der(0x30), der(3)), "at least 6 fields, got 5"),
        (der(0x30, der(2), der(0x30), der(3)), "expected a TBSCertificate"),
    ],
)
def test_tbs_fields_refuses_what_is_no_certificate(data: bytes, words: str) -> None:
    with pytest.raises(ProtocolViolation, match=words):
        tbs_fields(data)


def walk(element: Element) -> Iterator[Element]:
    """Every element inside that claims to hold others."""
    for child in element.children():
        yield child
        if child.tag & 0x20:
            yield from walk(child)


@settings(max_examples=1000)
@given(st.binary(max_size=60))
def test_any_bytes_are_elements_within_elements_or_a_violation(data: bytes) -> None:
    try:
        outer = parse_der(data)
        children = list(walk(outer))
    except ProtocolViolation:
        return
    assert outer.whole == data
    assert all(outer.inner <= child.start < child.inner <= child.end <= outer.end for child in children)
