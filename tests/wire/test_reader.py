import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.errors import EmptyReply, Incomplete, TooLarge
from inetcli.net.stream import MemoryStream
from inetcli.wire.reader import Parse, Parser, Reader, parse_whole


def line(limit: int = 100) -> Parse[bytes]:
    return lambda reader: reader.line(limit)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n", b""),
        (b"\n", b""),
        (b"hello\r\n", b"hello"),
        (b"hello\n", b"hello"),
        (b"hello\r\r\n", b"hello\r"),
        (b"a\rb\r\n", b"a\rb"),
        (b"\xff\x00\r\n", b"\xff\x00"),
        (b"x" * 98 + b"\r\n", b"x" * 98),
    ],
)
def test_line(parses, data: bytes, expected: bytes) -> None:
    parses(line(), data, expected)


@pytest.mark.parametrize("data", [b"x" * 100, b"x" * 99 + b"\r\n", b"x" * 1000])
def test_line_beyond_the_limit(refuses, data: bytes) -> None:
    refuses(line(), data, TooLarge, "a line exceeds 100 bytes")


def test_until(parses, refuses) -> None:
    parses(lambda reader: reader.until(b"\r\n\r\n", 100), b"a\r\nb\r\n\r\n", b"a\r\nb\r\n\r\n")
    refuses(
        lambda reader: reader.until(b"\r\n\r\n", 8, "a head"), b"a\r\nbb\r\n\r\n", TooLarge, "a head exceeds 8 bytes"
    )


@pytest.mark.parametrize("data", [b"", b"x", b"12345"])
def test_exact(parses, data: bytes) -> None:
    parses(lambda reader: reader.exact(len(data)), data, data)


def test_incomplete_names_the_number_of_received_bytes() -> None:
    with pytest.raises(Incomplete, match="in the middle of the key: 3 of 16 bytes received"):
        parse_whole(b"abc", lambda reader: reader.exact(16, "the key"))
    with pytest.raises(Incomplete, match="in the middle of a line: 3 bytes received"):
        parse_whole(b"abc", line())
    with pytest.raises(EmptyReply, match="expected a line, but the peer closed the connection before the first byte"):
        parse_whole(b"", line())


def test_an_end_is_empty_only_when_nothing_came_since_the_request() -> None:
    reader = Reader(b"220 hello\r\n")
    with pytest.raises(StopIteration):
        next(reader.line(100))
    reader.feed_end()
    with pytest.raises(Incomplete):
        next(reader.line(100))
    reader.request_offset = reader.received
    with pytest.raises(EmptyReply):
        next(reader.line(100))


@pytest.mark.parametrize(
    ("data", "lines"),
    [(b"", []), (b"one\n", [b"one"]), (b"one\r\ntwo", [b"one", b"two"]), (b"\n", [b""]), (b"one\r", [b"one\r"])],
)
def test_last_line_needs_no_line_end(data: bytes, lines: list[bytes]) -> None:
    def all_lines(reader: Reader) -> Parser[list[bytes]]:
        found = []
        while (text := (yield from reader.last_line(10))) is not None:
            found.append(text)
        return found

    assert parse_whole(data, all_lines) == lines


def test_rest() -> None:
    assert parse_whole(b"", lambda reader: reader.rest(3)) == b""
    assert parse_whole(b"abc", lambda reader: reader.rest(3)) == b"abc"
    with pytest.raises(TooLarge, match="the body exceeds 3 bytes"):
        parse_whole(b"abcd", lambda reader: reader.rest(3, "the body"))


def test_rest_stops_at_its_limit_without_waiting_for_the_end() -> None:
    reader = Reader(b"abcd")
    with pytest.raises(TooLarge):
        next(reader.rest(3))


def test_some_returns_available_bytes_up_to_its_limit() -> None:
    def three(reader: Reader) -> Parser[list[bytes]]:
        first = yield from reader.some(2)
        second = yield from reader.some(2)
        third = yield from reader.some(2)
        return [first, second, third]

    assert parse_whole(b"abc", three) == [b"ab", b"c", b""]
    waiting = Reader().some(2)
    assert next(waiting) is None  # more bytes, please


def test_rows_gives_all_complete_lines() -> None:
    def rows(reader: Reader) -> Parser[list[bytes]]:
        return reader.rows(8)

    reader = Reader(b"one\r\ntwo\n\r\nthr")
    with pytest.raises(StopIteration) as done:
        next(rows(reader))
    assert done.value.value == [b"one", b"two", b""]
    assert reader.drain() == b"thr"
    with pytest.raises(Incomplete):
        parse_whole(b"thr", rows)


@pytest.mark.parametrize("late", [b"", b"short\n"])
def test_rows_applies_the_limit_to_each_line(late: bytes) -> None:
    def rows(reader: Reader) -> Parser[list[bytes]]:
        return reader.rows(8)

    assert parse_whole(late + b"1234567\n", rows)[-1] == b"1234567"
    for too_long in (b"12345678\n", b"1234567\r\n"):
        with pytest.raises(TooLarge, match="exceeds 8 bytes"):
            parse_whole(late + too_long, rows)


def test_peek_consumes_no_bytes() -> None:
    reader = Reader(b"abc")
    with pytest.raises(StopIteration) as done:
        next(reader.peek(2))
    assert (done.value.value, len(reader), reader.position) == (b"ab", 3, 0)
    assert parse_whole(b"a", lambda reader: reader.peek(5)) == b"a"


def test_take_and_drain_do_not_wait() -> None:
    reader = Reader()
    assert reader.take(5) == reader.drain() == b""
    reader.feed(b"abcdef")
    assert reader.take(2) == b"ab"
    assert reader.drain() == b"cdef"
    assert reader.drain() == b""


def test_the_position_counts_bytes_taken_and_the_tee_gets_them() -> None:
    seen = bytearray()
    reader = Reader(b"one\r\ntwo\r\nrest")
    reader.tee = seen.extend
    for expected in (5, 10):
        with pytest.raises(StopIteration):
            next(reader.line(100))
        assert reader.position == expected
    assert bytes(seen) == b"one\r\ntwo\r\n"
    assert (reader.received, len(reader)) == (14, 4)


def test_bytes_that_pass_by_the_reader_are_counted() -> None:
    reader = Reader(b"HTTP/1.1 200 OK\n")
    seen = bytearray()
    reader.tee = seen.extend
    reader.request_offset = 0
    with pytest.raises(StopIteration):
        next(reader.line(100))
    reader.pass_by(1000)
    assert (reader.received, reader.position, len(reader)) == (1016, 1016, 0)
    assert bytes(seen) == b"HTTP/1.1 200 OK\n"
    reader.feed(b"next\n")
    assert reader.position == 1016


@pytest.mark.parametrize(("passed", "error"), [(0, EmptyReply), (1, Incomplete)])
def test_end_after_passed_by_bytes_is_no_empty_reply(passed: int, error: type[Exception]) -> None:
    reader = Reader()
    reader.pass_by(passed)
    reader.feed_end()
    with pytest.raises(error):
        next(reader.line(100))


def test_buffer_stays_small_after_much_data() -> None:
    reader = Reader()
    piece = b"x" * 999 + b"\n"
    for _ in range(1000):
        reader.feed(piece * 2)
        with pytest.raises(StopIteration) as done:
            next(reader.line(1001))
        assert done.value.value == piece[:-1]
    assert len(reader) == 1_000_000
    assert reader.position == 1_000_000
    assert reader.drain() == piece * 1000


@given(pieces=st.lists(st.binary(max_size=12) | st.sampled_from([b"\r", b"\n", b"\r\n"])), limit=st.integers(1, 20))
def test_lines_do_not_depend_on_how_they_arrive(pieces: list[bytes], limit: int) -> None:
    def all_lines(reader: Reader) -> Parser[tuple[list[bytes], str]]:
        found: list[bytes] = []
        try:
            while True:
                found.append((yield from reader.line(limit)))
        except (EmptyReply, Incomplete, TooLarge) as error:
            return found, type(error).__name__

    data = b"".join(pieces)
    lines, how = parse_whole(data, all_lines)
    assert MemoryStream(*filter(None, pieces)).read(all_lines) == (lines, how)
    complete = data.split(b"\n")[:-1]
    assert lines == [text.removesuffix(b"\r") for text in complete[: len(lines)]]
    assert len(lines) == len(complete) or how == "TooLarge"
    assert (how == "TooLarge") == any(len(text) >= limit for text in data.split(b"\n"))
