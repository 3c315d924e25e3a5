"""Turns as text and as JSON."""

from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.view import show_turn, turn_row


def test_show_turn_escapes_what_could_act_on_a_terminal_and_keeps_tabs() -> None:
    assert show_turn(Turn(b"x", b"a\tb\x1b[2J\xc3\xa9\xff", 0.1)) == "a\tb\\x1b[2Jé\\xff"


def test_turn_row_has_the_keys_of_the_contract() -> None:
    assert turn_row(Turn(b"hi", "é".encode(), 0.00123)) == {"sent": "hi", "received": "é", "rtt_ms": 1.23}


def test_turn_row_for_bytes_that_are_not_utf8_and_for_last_words() -> None:
    assert turn_row(Turn(None, b"\xff", None)) == {"sent": None, "received": {"base64": "/w=="}, "rtt_ms": None}
