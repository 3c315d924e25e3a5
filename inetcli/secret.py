"""Passwords, and their mask in printed text.

Only the code that sends a password calls `Secret.reveal`. All other code (messages, traces, JSON, tracebacks, resume
files) formats the object and gets `***`. A peer may send a password back, in a reply or a listing; `SecretMasker` finds
it there, also in base64 and percent-encoded, and also the beginning of a password where a message cuts text.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

MASK = "***"

MIN_MASKED = 4
"""Characters of the shortest password that is looked for: a shorter one would be found in every other word."""

MAX_MASKED = 4096
"""Characters of a password that are searched for; the rest of a longer password is not."""

ENCODINGS = ("utf-8", "latin-1")
"""The encodings in which a password may come back, and in which received text may be decoded."""

_JSON_ESCAPED = re.compile(r"[^ !#-\[\]-~]")
"""Characters that JSON may escape: all but printable ASCII, and of that `"` and `\\`."""

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")

_CUT = r"(?=['\"]? ?\.\.\.)"
"""The position after the last character of cut text: the mark of `wire.escape.abbreviate`, after a quote or a blank."""

_PLAIN_BEGINNING, _BASE64_BEGINNING = 2, 4
"""Characters of the shortest beginning of a password that is masked where text was cut."""


class Secret:
    """Text that shows itself as `***` wherever it is formatted, logged, compared or pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself: for the line that sends the password, and for nothing else."""
        return self._text

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not to be stored")


class SecretMasker:
    """The passwords of one command; replaces each of them in a text with `***`.

    For composed text only: payload stays exact. Threads may add and mask at the same time.
    """

    def __init__(self) -> None:
        self._patterns: dict[Secret, re.Pattern[str]] = {}
        self._hints: dict[Secret, Sequence[str] | None] = {}
        """Texts of which one stands wherever the password does, uncut and not percent-encoded; None = not known."""

    def add(self, secret: Secret | None, encoding: str | None = None) -> None:
        """Mask this password from now on. A password of fewer than `MIN_MASKED` characters is ignored.

        `encoding`: the encoding in which the password is sent, if it is not in `ENCODINGS`.
        """
        if secret is None or secret in self._patterns or len(secret.reveal()) < MIN_MASKED:
            return
        self._hints[secret] = _json_hints(secret.reveal()[:MAX_MASKED].strip())
        self._patterns[secret] = _pattern(secret.reveal()[:MAX_MASKED], {*ENCODINGS, encoding or ENCODINGS[0]})

    def mask(self, text: str, *, before: str = "") -> str:
        """Return the text with `***` in place of each password.

        `before` is the text that stands before this one and is printed elsewhere: a password may begin in it.
        """
        if not self._patterns:
            return text
        text = before + text
        spans = sorted(span for pattern in tuple(self._patterns.values()) for span in _spans(pattern, text))
        pieces: list[str] = []
        at = len(before)
        for start, end in spans:
            if start >= at or (end > at and not pieces):
                pieces += [text[at:start], MASK]
            at = max(at, end)
        return "".join([*pieces, text[at:]])

    def may_occur_in_json(self, text: str) -> bool:
        """Whether a password may stand in text that is encoded as JSON: a quick look, before values are masked one by
        one. Always true for a password with a character that JSON escapes."""
        return any(hints is None or _hinted(hints, text) for hints in tuple(self._hints.values()))


def _json_hints(password: str) -> Sequence[str] | None:
    """Return texts of which one stands wherever the password does, uncut and not percent-encoded; None if it has
    characters that JSON may escape."""
    if _JSON_ESCAPED.search(password) or len(password) < MIN_MASKED:
        return None
    # "+" and "/" have several forms in base64: the longest run without them is looked for.
    forms = _base64_forms(password.encode("ascii"))
    runs = ("".join(part if len(part) == 1 else " " for part in form) for form in forms)
    hints = [password, *(max(run.split(" "), key=len) for run in runs)]
    return hints if all(hints) else None


def _hinted(hints: Sequence[str], text: str) -> bool:
    return "%" in text or "..." in text or any(hint in text for hint in hints)


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield the position of each password. In base64 the whole run counts: its other characters also hold bits of the
    password."""
    at = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        if end <= at:
            continue  # in a run that is masked
        if match.lastgroup:
            while start > at and text[start - 1] in _BASE64:
                start -= 1
            while end < len(text) and text[end] in _BASE64:
                end += 1
        yield start, end
        at = end


def _pattern(password: str, encodings: Iterable[str]) -> re.Pattern[str]:
    """Compile one expression for all forms of a password. Its only group matches the forms in base64."""
    text = password.strip()  # blanks at the end of a reply are dropped
    text = text if len(text) >= MIN_MASKED else password
    raws = {raw for encoding in encodings if (raw := _encode(text, encoding)) is not None}
    raws = raws or {text.encode("utf-8", "surrogatepass")}  # half a character of UTF-16: cannot be sent
    plain = {_any_length(form, _PLAIN_BEGINNING) for raw in raws for form in _plain_forms(raw, encodings)}
    base64 = {_any_length(form, _BASE64_BEGINNING) for raw in raws for form in _base64_forms(raw)}
    return re.compile(f"{'|'.join(sorted(plain))}|(?P<base64>{'|'.join(sorted(base64))})")


def _encode(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        return None


def _any_length(form: Sequence[str], beginning: int) -> str:
    """Return an expression for a whole form, and for its beginnings where text was cut. `form` has one part per
    character."""
    first, rest = form[:beginning], form[beginning:]
    return f"{''.join(first)}(?:{''.join(rest)}|{''.join(f'{part}?+' for part in rest)}{_CUT})"


def _plain_forms(raw: bytes, encodings: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield a password as decoded in each encoding, escaped or percent-encoded, and as shown by `repr`."""
    for encoding in encodings:
        try:
            text = raw.decode(encoding, "surrogateescape")
            yield [_character(character, encoding) for character in text]
        except UnicodeError:  # no character of this encoding
            continue
        yield _literally(repr(text)[1:-1])
    yield _literally(repr(raw)[2:-1])


def _literally(text: str) -> Sequence[str]:
    return [re.escape(character) for character in text]


def _character(character: str, encoding: str) -> str:
    """Return the expression for a character as it is, escaped for a terminal, or percent-encoded in either case."""
    from inetcli.wire.escape import escape

    raw = character.encode(encoding, "surrogateescape")
    encoded = "".join(f"%{byte >> 4:X}{byte & 15:X}" for byte in raw)
    either = "".join(f"[{digit}{digit.lower()}]" if digit.isalpha() else digit for digit in encoded)
    forms = {re.escape(character), re.escape(escape(character)), either, *([r"\+"] if character == " " else [])}
    return f"(?:{'|'.join(sorted(forms, key=len, reverse=True))})"


def _base64_forms(raw: bytes) -> Iterator[Sequence[str]]:
    """Yield the base64 characters (RFC 4648 sections 4 and 5) that depend on the password alone, for each of its three
    possible offsets in a base64 group. The password may follow a user name and a colon, for example."""
    from base64 import b64encode

    others = {"+": "(?:[+-]|%2[Bb])", "/": "(?:[/_]|%2[Ff])"}
    for before in range(3):
        encoded = b64encode(bytes(before) + raw).decode("ascii")
        first = (before * 8 + 5) // 6  # the characters before also encode the preceding text
        last = (before + len(raw)) * 8 // 6  # the characters after also encode the following text
        yield [others.get(character, character) for character in encoded[first:last]]
