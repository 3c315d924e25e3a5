"""Finding clear text between TLS records, in chunks of any size."""

import pytest

from inetcli.net.records import MAX_CLEAR_TEXT, RecordScanner


def record(kind: int, size: int) -> bytes:
    return bytes([kind, 3, 3]) + size.to_bytes(2, "big") + b"\x16" * size


CLEAR_TEXT = b"500 OOPS: cannot change directory:/srv\r\nmore"
TABLE = [
    (b"", None),
    (record(22, 40) + record(23, 0) + record(20, 1), None),
    (CLEAR_TEXT, "500 OOPS: cannot change directory:/srv"),
    (record(22, 300) + record(23, 5) + CLEAR_TEXT, "500 OOPS: cannot change directory:/srv"),
    (b"220 no end", "220 no end"),
    (b"220\ta tab\n", "220\ta tab"),
    (b"220 \xc3\xa9 \xff\r\n", "220 é \udcff"),
    (b"220 \x1b[2J\r\n", None),  # a control character
    (b"J\x00\x00\x00\n8.0.39\x00", None),  # the greeting of MySQL
    (b"ok\r\n", None),
    (b"\r\n\r\n", None),
    (b"\xff\xfe\xfd\xfc", None),
    (b"\x16HTTP", None),  # The first byte is the type of a record.
    (record(23, 3)[:-1], None),
    (b"x" * (MAX_CLEAR_TEXT + 50), "x" * MAX_CLEAR_TEXT + "..."),
]


@pytest.mark.parametrize(("data", "expected"), TABLE)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 16])
def test_the_first_line_of_clear_text(data: bytes, expected: str | None, size: int) -> None:
    records = RecordScanner()
    for at in range(0, len(data), size):
        records.feed(memoryview(data)[at : at + size])
    assert records.clear_text == expected
