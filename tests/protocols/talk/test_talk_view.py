"""Turns as text and as JSON."""

from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.view import format_turn, turn_to_json


def test_format_turn_escapes_what_could_act_on_a_terminal_and_keeps_tabs() -> None:
    assert format_turn(Turn(b"x", b"a\tb\x1b[2J\xc3\xa9\xff", 0.1)) == "a\tb\\x1b[2Jé\\xff"


def test_turn_row_has_the_keys_of_the_contract() -> None:
    assert turn_to_json(Turn(b"hi", b"ho", 0.00123)) == {"sent": b"hi", "received": b"ho", "rtt_ms": 1.23}
    assert turn_to_json(Turn(None, b"\xff", None)) == {"sent": None, "received": b"\xff", "rtt_ms": None}
