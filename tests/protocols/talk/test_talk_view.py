"""Line exchanges as text and as JSON."""

from inetcli.protocols.talk.model import LineExchange
from inetcli.protocols.talk.view import exchange_to_json, format_exchange


def test_format_turn_escapes_controls_and_keeps_tabs() -> None:
    assert format_exchange(LineExchange(b"x", b"a\tb\x1b[2J\xc3\xa9\xff", 0.1)) == "a\tb\\x1b[2Jé\\xff"


def test_turn_row_has_the_keys_of_the_contract() -> None:
    assert exchange_to_json(LineExchange(b"hi", b"ho", 0.00123)) == {"sent": b"hi", "received": b"ho", "rtt_ms": 1.23}
    assert exchange_to_json(LineExchange(None, b"\xff", None)) == {"sent": None, "received": b"\xff", "rtt_ms": None}
