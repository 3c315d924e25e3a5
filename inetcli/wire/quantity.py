"""Durations and sizes as text: `5s 2m 1h 3d`, `1.5M 6MB 1GiB`.

    seconds = number ["s" / "m" / "h" / "d"]
    size    = number [("K" / "M" / "G" / "T") ["i"]] ["B"]
    number  = digits ["." digits], for seconds also with an exponent

Letters may be lower or upper case, and a blank may stand before the unit. K, M, G and T are powers of 1000, as in SI;
Ki, Mi, Gi and Ti are powers of 1024 (IEC 80000-13). All other text is a `ValueError` with the expected and the received
value.
"""

import re

MAX_SECONDS = 1e9
"""Thirty years: a longer limit is a mistake. `inf` and `nan` are not limits."""

MAX_SIZE = 1 << 63
"""The first size that a file offset cannot hold."""

_SECONDS = re.compile(r"((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?) ?([smhd]?)", re.ASCII | re.IGNORECASE)
_FACTORS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d{1,30})(?:\.(\d{0,30}))? ?([kmgt]?)(i?)b?", re.ASCII | re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def parse_seconds(text: str) -> float:
    """Parse a duration into seconds, at least 0. `ValueError` for other text."""
    match = _SECONDS.fullmatch(text.strip())
    seconds = float(match[1]) * _FACTORS[match[2].lower()] if match else MAX_SECONDS
    if seconds >= MAX_SECONDS:
        raise ValueError(f"expected seconds, or a number with s, m, h or d behind it as in 2m, got {text!r}")
    return seconds


def parse_size(text: str) -> int:
    """Parse a number of bytes, at least 0; a remaining fraction of a byte is dropped. `ValueError` for other text."""
    match = _SIZE.fullmatch(text.strip())
    if match and not (match[2] and not match[3]) and not (match[4] and not match[3]):
        whole, fraction = match[1], match[2] or ""
        factor = int((1024 if match[4] else 1000) ** _POWERS[match[3].lower()])
        size = int(int(whole + fraction) * factor // 10 ** len(fraction))
        if size < MAX_SIZE:
            return size
    raise ValueError(f"expected a number of bytes, plain or with a unit as in 1.5M, 6MB or 1GiB, got {text!r}")


def format_size(size: int) -> str:
    """Format a number of bytes: 700.0 MiB."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{size} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
