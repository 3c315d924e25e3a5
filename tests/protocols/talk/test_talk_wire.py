"""Lines on the wire: replies and farewells, however they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.arrival import TRAILING, one_by_one, pump

from inetcli.errors import EmptyReply, Incomplete, TooLarge
from inetcli.protocols.talk.wire import CRLF, LF, MAX_LINE, encode_line, parse_final_line, parse_reply
from inetcli.wire.reader import Parser, Reader


def test_encode_line_puts_the_end_behind_it() -> None:
    assert encode_line(b"hello") == b"hello\n"
    assert encode_line(b"", LF) == b"\n"
    assert encode_line(b"hello\r", CRLF) == b"hello\r\r\n"


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"ok\n", b"ok"), (b"ok\r\n", b"ok"), (b"\n", b""), (b"a\rb\n", b"a\rb"), (b"\0\xff\n", b"\0\xff")],
)
def test_a_reply_is_one_line_however_it_arrives(data: bytes, line: bytes) -> None:
    assert pump(parse_reply, [data]) == (line, b"")
    assert pump(parse_reply, one_by_one(data)) == (line, b"")
    assert pump(parse_reply, [data + TRAILING]) == (line, TRAILING)


@pytest.mark.parametrize(("data", "error"), [(b"", EmptyReply), (b"o", Incomplete), (b"ok\r", Incomplete)])
def test_a_reply_without_its_end_is_cut(data: bytes, error: type[Exception]) -> None:
    for pieces in ([data], one_by_one(data)):
        with pytest.raises(error):
            pump(parse_reply, pieces)


def farewells(reader: Reader) -> Parser[list[bytes]]:
    """All lines up to the peer's end."""
    lines = []
    while (line := (yield from parse_final_line(reader))) is not None:
        lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"bye\n", [b"bye"]),
        (b"bye", [b"bye"]),
        (b"one\r\n\ntwo", [b"one", b"", b"two"]),
    ],
)
def test_farewells_come_up_to_the_end_and_the_last_may_lack_its_own(data: bytes, lines: list[bytes]) -> None:
    assert pump(farewells, [data]) == (lines, b"")
    assert pump(farewells, one_by_one(data)) == (lines, b"")


@pytest.mark.parametrize("parse", [parse_reply, parse_final_line])
def test_a_megabyte_without_a_line_end_is_too_much(parse: object) -> None:
    with pytest.raises(TooLarge):
        pump(parse, [b"x" * (MAX_LINE + 1), b"x", b"\n"])  # type: ignore[arg-type]


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_any_bytes_are_lines(pieces: list[bytes]) -> None:
    expected = b"".join(pieces).split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert pump(farewells, [piece for piece in pieces if piece]) == (
        [line.removesuffix(b"\r") for line in expected],
        b"",
    )
