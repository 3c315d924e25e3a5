"""Forms, as they are uploaded: taken apart, and refused where they are broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockservers.http.form import BadForm, Part, parse_form

MULTIPART = "multipart/form-data; boundary=XX"


def part(head: str, data: bytes, boundary: str = "XX") -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"


END = b"--XX--\r\n"


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (END, []),
        (END[:-2], []),
        (part('name="a"', b"b") + END, [("a", None, b"b")]),
        (part('name="a"', b"") + END, [("a", None, b"")]),
        (part('name="a"', b"\r\n--X\r\n") + END, [("a", None, b"\r\n--X\r\n")]),
        (part("name=a; filename=f.txt", b"\0\xff") + END, [("a", "f.txt", b"\0\xff")]),
        (part('name="%22%0D%0A%41"; filename="a\\b é"', b"x") + END, [('"\r\n%41', "a\\b é", b"x")]),
        (part('name="a"', b"1") + part('name="a"', b"2") + END + b"epilogue", [("a", None, b"1"), ("a", None, b"2")]),
    ],
)
def test_multipart(body: bytes, parts: list[tuple[str, str | None, bytes]]) -> None:
    assert [(item.name, item.filename, item.data) for item in parse_form(MULTIPART, body)] == parts


def test_the_fields_of_a_part_are_there_as_they_came() -> None:
    body = b'--XX\r\ncontent-disposition: form-data; name="f"; filename="%22"\r\nContent-Type: a/b\r\n'
    body += b"X-Y:  z \r\n\r\n1\r\n"
    headers = (("content-disposition", 'form-data; name="f"; filename="%22"'), ("Content-Type", "a/b"), ("X-Y", "z"))
    assert parse_form(MULTIPART, body + END) == [Part("f", b"1", '"', "a/b", headers)]


def test_a_quoted_boundary() -> None:
    assert parse_form('Multipart/Form-Data; charset=x; Boundary="a b"', part("name=n", b"1", "a b") + b"--a b--")


def test_urlencoded() -> None:
    parts = parse_form("application/x-www-form-urlencoded; charset=UTF-8", b"a=b+c&%C3%A9=%00%ff&flag&=&x=1=2")
    assert [(item.name, item.data) for item in parts] == [
        ("a", b"b c"),
        ("é", b"\0\xff"),
        ("flag", b""),
        ("", b""),
        ("x", b"1=2"),
    ]
    assert parse_form("application/x-www-form-urlencoded", b"") == []


def test_another_type_is_no_form() -> None:
    assert parse_form("", b"a=b") == parse_form("text/plain", b"a=b") == []


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("multipart/form-data", END, "expected a boundary"),
        ("multipart/form-data; boundary=" + "x" * 71, END, "1 to 70"),
        (MULTIPART, b"", "expected b'--XX' first, got b''"),
        (MULTIPART, b"--XX", "expected a line end or -- after boundary 1"),
        (MULTIPART, part("name=a", b"1"), "part 1 is cut"),
        (MULTIPART, part("name=a", b"1") + b"--XXY", "expected a line end or -- after boundary 2"),
        (MULTIPART, b"--XX\r\n\r\nx\r\n" + END, "expected Content-Disposition: form-data with a name, got ''"),
        (MULTIPART, b"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END, "with a name, got 'form-data'"),
        (MULTIPART, b"--XX\r\nbroken\r\n\r\nx\r\n" + END, "expected NAME: VALUE, got 'broken'"),
        (MULTIPART, b"--XX\r\nA: b\r\n" + END, "expected an empty line"),
    ],
)
def test_a_broken_form_says_what_was_expected(kind: str, body: bytes, why: str) -> None:
    with pytest.raises(BadForm, match=why):
        parse_form(kind, body)


@given(
    st.lists(st.sampled_from([b"--XX", b"--", b"\r\n", b"\r\n\r\n", b"x", b"Content-Disposition: form-data; name=a"]))
)
def test_any_body_is_a_form_or_is_refused(pieces: list[bytes]) -> None:
    try:
        assert isinstance(parse_form(MULTIPART, b"".join(pieces)), list)
    except BadForm:
        pass
