import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.errors import EmptyReply, Incomplete, ProtocolViolation, TooLarge
from inetcli.wire.reader import parse_whole
from inetcli.wire.replies import MAX_LINE, MAX_LINES, Reply, parse_reply, parse_status


@pytest.mark.parametrize(
    ("data", "code", "lines"),
    [
        (b"220 ready\r\n", 220, ["220 ready"]),
        (b"220\r\n", 220, ["220"]),
        (b"220 \n", 220, ["220 "]),
        (b"230-Welcome\r\n230 in\r\n", 230, ["230-Welcome", "230 in"]),
        (b"230-Welcome\r\n230\r\n", 230, ["230-Welcome", "230"]),
        (
            b'211-First\r\nplain\r\n 211 indented\r\n211-more\r\n234 other code\r\n"211"\r\n2110\r\n\r\n211 last\r\n',
            211,
            ["211-First", "plain", " 211 indented", "211-more", "234 other code", '"211"', "2110", "", "211 last"],
        ),
        (b"220 caf\xe9\r\n", 220, ["220 caf\udce9"]),
        ("220 café\r\n".encode(), 220, ["220 café"]),
        (b"599 last\r\n", 599, ["599 last"]),
        (b"100 first\r\n", 100, ["100 first"]),
        (b"220 " + b"x" * (MAX_LINE - 6) + b"\r\n", 220, ["220 " + "x" * (MAX_LINE - 6)]),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_reply(parses, data: bytes, code: int, lines: list[str]) -> None:
    if len(data) > 1000:
        assert parse_whole(data, parse_reply) == Reply(code, tuple(lines))
    else:
        parses(parse_reply, data, Reply(code, tuple(lines)))


@pytest.mark.parametrize(
    "line", ["", "hello", "22 no", "2x0 no", "099 no", "600 no", "000 no", "²20 no", "+22 no", " 220 no", "\udce9"]
)
def test_line_without_a_code_is_refused_and_quoted(refuses, line: str) -> None:
    data = line.encode("utf-8", "surrogateescape") + b"\r\n"
    for parse in (parse_reply, parse_status):
        refuses(parse, data, ProtocolViolation, f'three-digit code from 100 to 599, got "{line}"')


@pytest.mark.parametrize("line", ["2200 no", "220no", "220\tno", "220_no"])
def test_code_of_more_than_three_digits_is_refused(refuses, line: str) -> None:
    refuses(parse_reply, line.encode() + b"\r\n", ProtocolViolation, f'after the three-digit code, got "{line}"')


def test_a_status_is_one_line_whatever_follows_the_code(parses) -> None:
    parses(parse_status, b"111-20260101\r\n", Reply(111, ("111-20260101",)))
    parses(parse_status, b"200 ok\r\n", Reply(200, ("200 ok",)))


def test_lines_have_a_limit() -> None:
    data = b"220 " + b"x" * MAX_LINE
    with pytest.raises(TooLarge, match=f"a reply line exceeds {MAX_LINE} bytes"):
        parse_whole(data, parse_reply)


def test_their_number_has_a_limit() -> None:
    most = b"220-a\r\n" * (MAX_LINES - 1)
    assert len(parse_whole(most + b"220 b\r\n", parse_reply).lines) == MAX_LINES
    with pytest.raises(TooLarge, match=f'exceeds {MAX_LINES} lines; first line "220-a"'):
        parse_whole(most + b"220-a\r\n220 b\r\n", parse_reply)


@pytest.mark.parametrize(
    ("reply", "text", "first", "shown"),
    [
        (Reply(220, ("220 ready ",)), "ready", 2, "220 ready"),
        (Reply(220, ("220",)), "", 2, "220"),
        (Reply(550, ("550-No", " such", "550-", "550 file")), "file", 5, "550 No / such / file"),
    ],
)
def test_properties_of_a_reply(reply: Reply, text: str, first: int, shown: str) -> None:
    assert (reply.text, reply.first, str(reply)) == (text, first, shown)


@given(st.lists(st.one_of(st.binary(max_size=12), st.sampled_from([b"220-", b"220 ", b"220", b"\r\n", b"\n"]))))
def test_anything_is_a_reply_or_an_error_of_ours(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    try:
        reply = parse_whole(data, parse_reply)
    except (EmptyReply, Incomplete, ProtocolViolation, TooLarge):
        return
    assert 100 <= reply.code <= 599
    assert data.startswith(str(reply.code).encode())
    assert reply.lines[-1].startswith(str(reply.code))
