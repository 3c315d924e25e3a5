"""NNTP's commands, and the replies that carry something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.arrival import Parses

from inetcli.errors import MalformedTarget, ProtocolViolation
from inetcli.protocols.nntp.model import Group
from inetcli.protocols.nntp.wire import MAX_COMMAND, encode_command, parse_article_number, parse_group, parse_numbers
from inetcli.wire.reader import parse_whole
from inetcli.wire.replies import Reply


def reply(line: str) -> Reply:
    return Reply(int(line[:3]), (line,))


def test_parse_group_and_its_three_empty_forms() -> None:
    assert parse_group(reply("211 5 1 5 misc.test"), "misc.test") == Group("misc.test", 5, 1, 5)
    assert not Group("g", 5, 1, 5).empty
    for line in ("211 0 4000 3999 g", "211 0 0 0 g", "211 0 4000 4321 g"):
        assert parse_group(reply(line), "g").empty


@pytest.mark.parametrize("line", ["211", "211 1 2", "211 a b c", "211 1 2 -3", "211 1 2 99999999999999999999"])
def test_parse_group_refuses(line: str) -> None:
    with pytest.raises(ProtocolViolation):
        parse_group(reply(line), "g")


@pytest.mark.parametrize(("line", "number"), [("220 5 <a@b>", 5), ("220 0 <a@b>", None), ("220 x", None)])
def test_parse_article_number(line: str, number: int | None) -> None:
    assert parse_article_number(reply(line)) == number


@pytest.mark.parametrize("words", [("GROUP", ""), ("GROUP", "a b"), ("GROUP", "a\r\nb"), ("GROUP", "a" * 520)])
def test_encode_command_refuses(words: tuple[str, ...]) -> None:
    with pytest.raises(MalformedTarget):
        encode_command(*words)


def test_encode_command_is_utf_8_and_ends_in_crlf() -> None:
    assert encode_command("QUIT") == b"QUIT\r\n"
    assert encode_command("GROUP", "grün.\udcff") == b"GROUP gr\xc3\xbcn.\xff\r\n"


def test_encode_command_takes_512_bytes_with_the_end_of_the_line() -> None:
    longest = "a" * (MAX_COMMAND - len("GROUP \r\n"))
    assert len(encode_command("GROUP", longest)) == 512
    with pytest.raises(MalformedTarget, match="command too long: 513 bytes"):
        encode_command("GROUP", f"{longest}a")


@given(st.text(max_size=30))
def test_encode_command_never_makes_a_second_line_or_word(word: str) -> None:
    try:
        line = encode_command("GROUP", word)
    except MalformedTarget:
        return
    assert line.split(b" ") == [b"GROUP", line[len("GROUP ") :]]
    assert line.count(b"\r") == line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("line", "number"),
    [("220", None), ("220 9223372036854775807 x", (1 << 63) - 1), ("220 9223372036854775808 x", None)],
)
def test_article_numbers_end_at_63_bits(line: str, number: int | None) -> None:
    assert parse_article_number(reply(line)) == number


def test_parse_numbers_passes_over_rows_that_have_none(parses: Parses) -> None:
    rows = b"1\tsubject\tfrom\r\n 22 \r\nx\t5\r\n0\tzero\r\n\r\n\xb2\r\n..\r\n333\r\n.\r\n"
    parses(parse_numbers, rows, [1, 22, 333])
    parses(parse_numbers, b".\r\n", [])


@given(st.binary(max_size=60).filter(lambda data: b"\n" not in data))
def test_parse_numbers_of_any_row_is_a_number_or_nothing(row: bytes) -> None:
    found = parse_whole(b"x" + row + b"\r\n.\r\n", parse_numbers)
    assert found == []
    assert len(parse_whole(b"7\t" + row + b"\r\n.\r\n", parse_numbers)) == 1
