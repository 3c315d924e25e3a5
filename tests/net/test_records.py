"""Where a peer goes on in clear text, however its bytes are cut."""

import pytest

from inetcli.net.records import MAX_SAID, Records


def record(kind: int, size: int) -> bytes:
    return bytes([kind, 3, 3]) + size.to_bytes(2, "big") + b"\x16" * size


SAID = b"500 OOPS: cannot change directory:/srv\r\nmore"
TABLE = [
    (b"", None),
    (record(22, 40) + record(23, 0) + record(20, 1), None),
    (SAID, "500 OOPS: cannot change directory:/srv"),
    (record(22, 300) + record(23, 5) + SAID, "500 OOPS: cannot change directory:/srv"),
    (b"220 no end", "220 no end"),
    (b"220\ta tab\n", "220\ta tab"),
    (b"220 \xc3\xa9 \xff\r\n", "220 é \udcff"),
    (b"220 \x1b[2J\r\n", None),  # a control character: this is no text
    (b"J\x00\x00\x00\n8.0.39\x00", None),  # a greeting of MySQL
    (b"ok\r\n", None),
    (b"\r\n\r\n", None),
    (b"\xff\xfe\xfd\xfc", None),
    (b"\x16HTTP", None),  # begins like a record
    (record(23, 3)[:-1], None),
    (b"x" * (MAX_SAID + 50), "x" * MAX_SAID + "..."),
]


@pytest.mark.parametrize(("data", "said"), TABLE)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 16])
def test_what_was_said_in_clear(data: bytes, said: str | None, size: int) -> None:
    records = Records()
    for at in range(0, len(data), size):
        records.pass_by(memoryview(data)[at : at + size])
    assert records.said == said
