"""Passwords, and their mask in printed text.

Only the code that sends a password calls `Secret.reveal`. All other code (messages, traces, JSON, tracebacks, resume
files) formats the object and gets `***`. A peer may send a password back, in a reply or a listing; `SecretMasker` finds
it there, also in base64 and percent-encoded.
"""

import re
from collections.abc import Iterable

MASK = "***"

MIN_MASKED = 4
"""Characters of the shortest password that is masked: a shorter one would match parts of ordinary words."""

_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")


class Secret:
    """A text that is shown as `***` wherever it is formatted, logged or printed; pickling is an error."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself. Only for the code that sends the password."""
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
        self._known: frozenset[Secret] = frozenset()
        self._plain: re.Pattern[str] | None = None
        self._base64: re.Pattern[str] | None = None

    def add(self, secret: Secret | None) -> None:
        """Mask this password from now on. A password of fewer than `MIN_MASKED` characters is ignored."""
        if secret is None or secret in self._known or len(secret.reveal()) < MIN_MASKED:
            return
        known = self._known | {secret}
        texts = [item.reveal() for item in known]
        self._plain = _any_of(form for text in texts for form in _plain_forms(text))
        self._base64 = _any_of(form for text in texts for form in _base64_forms(text))
        self._known = known

    def mask(self, text: str) -> str:
        """Return the text with `***` in place of each password."""
        if self._plain is None or self._base64 is None:
            return text
        return _mask_runs(self._base64, self._plain.sub(MASK, text))

    @property
    def empty(self) -> bool:
        """Whether there are no passwords to mask."""
        return not self._known


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    """Compile one pattern for all forms, the longest first: if one password is the beginning of another, all of it is
    masked."""
    return re.compile("|".join(sorted(set(forms), key=len, reverse=True)))


def _plain_forms(text: str) -> list[str]:
    """Return regular expressions for a password as it is, escaped for a terminal, quoted by `repr`, and
    percent-encoded."""
    from inetcli.wire.escape import escape

    literals = (text, escape(text), repr(text)[1:-1])
    return [*map(re.escape, literals), "".join(map(_percent_form, text.encode("utf-8", "surrogateescape")))]


def _percent_form(byte: int) -> str:
    """Return the expression for a byte in percent-encoding: encoded in either case, or plain if printable."""
    encoded = "%" + "".join(f"[{digit}{digit.lower()}]" if digit.isalpha() else digit for digit in f"{byte:02X}")
    plain = re.escape(chr(byte)) if 0x21 <= byte <= 0x7E else r"\+" if byte == 0x20 else None
    return encoded if plain is None else f"(?:{plain}|{encoded})"


def _base64_forms(text: str) -> list[str]:
    """Return the base64 characters (RFC 4648 sections 4 and 5) that depend on the password alone, for each of its three
    possible offsets in a base64 group. The password may follow a user name and a colon, for example."""
    from base64 import b64encode

    data = text.encode("utf-8", "surrogateescape")
    forms = []
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode("ascii")
        first = (before * 8 + 5) // 6  # the characters before also encode the preceding text
        last = (before + len(data)) * 8 // 6  # the characters after also encode the following text
        forms.append(encoded[first:last].replace("+", "[+-]").replace("/", "[/_]"))
    return forms


def _mask_runs(pattern: re.Pattern[str], text: str) -> str:
    """Mask each whole run of base64 characters that contains a match: the other characters also hold bits of the
    password."""
    masked, at = [], 0
    for match in pattern.finditer(text):
        if match.start() < at:
            continue
        start, end = match.span()
        while start > at and text[start - 1] in _BASE64:
            start -= 1
        while end < len(text) and text[end] in _BASE64:
            end += 1
        masked += [text[at:start], MASK]
        at = end
    return "".join([*masked, text[at:]])
