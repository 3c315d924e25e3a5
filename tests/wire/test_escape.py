import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.wire.escape import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain ~ text", "plain ~ text"),
        ("back\\slash", "back\\slash"),
        ("café Straße 日本語 🙂\ufe0f", "café Straße 日本語 🙂\ufe0f"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\0\x1b[31m\x7f", "\\x00\\x1b[31m\\x7f"),
        ("\x85\x9b", "\\x85\\x9b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066\u2069\u200e\u200f\u061c", "\\u2066\\u2069\\u200e\\u200f\\u061c"),
        ("a\u200bb\u200dc\ufeffd\u2060e\u00ade", "a\\u200bb\\u200dc\\ufeffd\\u2060e\\xade"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\U000e0041\U000e007f", "\\U000e0041\\U000e007f"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("\u3164\uffa0\u115f", "\\u3164\\uffa0\\u115f"),
    ],
)
def test_characters_that_control_hide_or_reorder_are_escaped(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_a_tab_may_be_the_authors_own() -> None:
    assert escape("a\tb\nc\0\x1f\u202e", keep_tab=True) == "a\tb\\nc\\x00\\x1f\\u202e"


@pytest.mark.parametrize("keep_tab", [False, True])
def test_no_character_of_a_dangerous_category_is_left(keep_tab: bool) -> None:
    """Cc = control, Cs = surrogate, Zl and Zp = line and paragraph separator; bidi classes of the overrides."""
    dangerous = {"Cc", "Cs", "Zl", "Zp"}
    overrides = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if unicodedata.category(character) in dangerous or unicodedata.bidirectional(character) in overrides:
            shown = escape(character, keep_tab=keep_tab)
            assert (shown == character) == (keep_tab and character == "\t"), hex(code)


@given(st.text(st.characters(codec=None)))
def test_escaped_text_is_one_safe_encodable_line(text: str) -> None:
    shown = escape(text)
    assert shown.splitlines() in ([shown], [])
    shown.encode("utf-8")
    assert escape(shown) == shown
