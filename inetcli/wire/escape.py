r"""Escapes for unsafe characters in composed text.

Composed text (messages, listings, headers, notes, `-v`) must not control a terminal, hide or reorder text, or break a
line in two. Therefore these characters are shown as `\xNN`, `\uNNNN` or `\UNNNNNNNN`: C0 and C1 control characters and
DEL, bidirectional controls, zero-width and invisible characters, tag characters, line and paragraph separators, and
lone surrogates that stand for bytes which are not UTF-8 (as `\xNN`). All other characters stay, also a backslash and
the variation selectors of emoji: the result is for reading, and cannot be decoded again.
"""

import re

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidi
    "\u3164\ufeff\uffa0\ufff0-\ufffb"  # fillers, BOM, annotation
    "\ud800-\udfff"  # surrogates
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"  # invisible music, tags
)
"""The characters that are escaped."""

_UNSAFE_BUT_TAB = re.compile(UNSAFE.pattern.replace("[\x00-\x1f", "[\x00-\x08\x0a-\x1f", 1))


CUT = "..."
"""Stands behind text that was cut. `SecretMasker` looks in front of this mark for the beginning of a password."""


def abbreviate(text: str, length: int) -> str:
    """Return at most `length` characters of a text, followed by a mark if the text was cut."""
    return text if len(text) <= length else text[:length] + CUT


def escape(text: str, *, keep_tab: bool = False) -> str:
    """Escape the unsafe characters of one line. `keep_tab=True` is for text in which a TAB belongs to the author."""
    unsafe = _UNSAFE_BUT_TAB if keep_tab else UNSAFE
    return unsafe.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: the byte itself
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
