"""Durations and sizes: accepted text, and printed text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.wire.quantity import MAX_SECONDS, MAX_SIZE, format_size, parse_seconds, parse_size


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (734_003_200, "700.0 MiB"),
        (1 << 30, "1.0 GiB"),
        (5 << 50, "5120.0 TiB"),
    ],
)
def test_sizes_for_people(size: int, shown: str) -> None:
    assert format_size(size) == shown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("5", 5.0),
        ("0.25", 0.25),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("5s", 5.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("3d", 259200.0),
        ("1.5h", 5400.0),
        ("2 M", 120.0),
        (" 7 ", 7.0),
    ],
)
def test_seconds(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "soon", "-1", "+1", "nan", "inf", "1e400", "1e9", "12000d", "5x", "5ms", "1h30m", "1_0", "٣", "1 2"],
)
def test_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected seconds, or a number with s, m, h or d") as caught:
        parse_seconds(text)
    assert str(caught.value).endswith(f"got {text!r}")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1500", 1500),
        ("1500B", 1500),
        ("1K", 1000),
        ("1kB", 1000),
        ("1KiB", 1024),
        ("1Ki", 1024),
        ("1.5M", 1_500_000),
        ("6MB", 6_000_000),
        ("6 mb", 6_000_000),
        ("1GiB", 1 << 30),
        ("2g", 2_000_000_000),
        ("1T", 10**12),
        ("1TiB", 1 << 40),
        ("0.1KiB", 102),
        ("1.M", 1_000_000),
        ("9223372036854775807", MAX_SIZE - 1),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "M",
        "i",
        ".",
        "B",
        "",
        "1.5",
        "1.5B",
        "-1",
        "+1",
        "1e3",
        "1i",
        "1iB",
        "1P",
        "1MBB",
        "1Mb/s",
        "many_targets",
        "inf",
        "9223372036854775808",
        "٣K",
        "1_000",
        ".5M",
        "9" * 31,
        "8388608TiB",
    ],
)
def test_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a number of bytes, plain or with a unit") as caught:
        parse_size(text)
    assert str(caught.value).endswith(f"got {text!r}")


@given(st.text(max_size=20) | st.from_regex(r"[0-9.]{1,9} ?[kmgtsmhdib]{0,3}", fullmatch=True))
def test_any_text_is_a_quantity_within_its_bounds_or_refused(text: str) -> None:
    for parse, limit in ((parse_seconds, MAX_SECONDS), (parse_size, MAX_SIZE)):
        try:
            assert 0 <= parse(text) < limit
        except ValueError as error:
            assert str(error).endswith(f"got {text!r}")  # noqa: PT017 - either of both is right
