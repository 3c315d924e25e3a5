import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.errors import Incomplete, TooLarge
from inetcli.wire.dotblock import MAX_LINE, encode_block, parse_block
from inetcli.wire.reader import Reader, parse_whole


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b".\r\n", []),
        (b".\n", []),
        (b"one\r\ntwo\r\n.\r\n", [b"one", b"two"]),
        (b"one\ntwo\n.\n", [b"one", b"two"]),
        (b"\r\n\r\n.\r\n", [b"", b""]),
        (b"..\r\n.\r\n", [b"."]),
        (b"..two\r\n...\r\n.\r\n", [b".two", b".."]),
        (b".one\r\n.\r\n", [b"one"]),
        (b"a.\r\n .\r\n.\r\n", [b"a.", b" ."]),
        (b"\xff\x00\r\n.\r\n", [b"\xff\x00"]),
    ],
)
def test_a_block(parses, data: bytes, lines: list[bytes]) -> None:
    parses(parse_block, data, lines)


def test_cut_block_names_the_line_and_the_received_bytes() -> None:
    with pytest.raises(Incomplete, match="in the middle of a line of the article: 2 bytes received"):
        parse_whole(b"one\r\ntw", lambda reader: parse_block(reader, label="the article"))


def test_a_block_has_a_limit(parses, refuses) -> None:
    def parse(reader: Reader):
        return parse_block(reader, 10, "the article")

    parses(parse, b"12345678\r\n.\r\n", [b"12345678"])
    refuses(parse, b"123456789\r\n.\r\n", TooLarge, "the article exceeds 10 bytes")
    refuses(parse, b"\n\n\n\n\n\n.\r\n", TooLarge, "exceeds 10 bytes")


def test_a_line_has_a_limit() -> None:
    longest = b"x" * (MAX_LINE - 2)
    assert parse_whole(longest + b"\r\n.\r\n", parse_block) == [longest]
    with pytest.raises(TooLarge, match=f"a line of the block exceeds {MAX_LINE} bytes"):
        parse_whole(longest + b"x\r\n.\r\n", parse_block)


@pytest.mark.parametrize(
    ("lines", "data"),
    [
        ([], b".\r\n"),
        ([b"one", b""], b"one\r\n\r\n.\r\n"),
        ([b".", b"..", b".x", b" ."], b"..\r\n...\r\n..x\r\n .\r\n.\r\n"),
    ],
)
def test_encoding_stuffs_the_dots(lines: list[bytes], data: bytes) -> None:
    assert encode_block(lines) == data


@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from([b".", b"..", b""]))))
def test_encoded_block_parses_back(lines: list[bytes]) -> None:
    lines = [line.translate(None, b"\r\n") for line in lines]
    assert parse_whole(encode_block(lines), parse_block) == lines
