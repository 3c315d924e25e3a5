"""The passwords that a server knows: to be masked wherever they stand in a transcript.

Known are those of `users=`, and those that clients sent: by PASS and ACCT (RFC 959), AUTHINFO PASS and SASL PLAIN (RFC
4643, RFC 4616), and Basic authentication (RFC 7617). They are masked as they are, percent-encoded, and in base64, where
the whole run is. Not looked for are passwords of fewer than `MIN_MASKED` characters, those of anonymous users, and the
default one, `password`: everybody knows it, and it is a word of many a reply.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping

from mockservers.content import PASSWORD

MASK = "***"

MIN_MASKED = 4
"""Characters of the shortest password that is looked for."""

ANONYMOUS = ("anonymous", "ftp")
"""User names whose password is nobody's secret (RFC 1635)."""

_USER = re.compile(rb"\A(?:user|authinfo[ \t]+user)[ \t]+(.*)", re.IGNORECASE | re.DOTALL)
_PASSWORD = re.compile(rb"\A(?:pass|acct|authinfo[ \t]+pass) (.+)", re.IGNORECASE | re.DOTALL)
_PLAIN = re.compile(rb"\Aauthinfo[ \t]+sasl[ \t]+plain[ \t]+(\S+)", re.IGNORECASE)
_BASIC = re.compile(rb"\A(?:proxy-)?authorization[ \t]*:[ \t]*basic[ \t]+(\S+)", re.IGNORECASE)

CHALLENGE = b"383 "
"""RFC 4643 section 2.4: the client's next line is a SASL response."""

_RUN = re.compile("[A-Za-z0-9+/_=-]+")


class Passwords:
    """The passwords of one server. Not safe for threads: the log, which owns it, has a lock."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._users: dict[int, str] = {}
        """The user name that a client has sent, by the number of its connection."""
        self._challenged: set[int] = set()
        """The connections whose next line is a SASL response."""
        self._patterns: tuple[re.Pattern[str], re.Pattern[str]] | None = None
        """The forms in plain text and those in base64; None = to be made."""

    def add(self, users: Mapping[str, str]) -> None:
        """Look for the passwords of these users from now on."""
        for user, password in users.items():
            self._add(user, password)

    def hear_reply(self, connection: int, data: bytes) -> None:
        """Notice whether a client is asked for a SASL response."""
        if data.startswith(CHALLENGE):
            self._challenged.add(connection)

    def hear(self, connection: int, line: bytes) -> None:
        """Look for the password that a client sends in this line, if there is one, from now on."""
        if connection in self._challenged:
            self._challenged.discard(connection)
            self._hear_encoded(line, "\0")
        elif named := _USER.match(line):
            self._users[connection] = _text(named[1])
        elif sent := _PASSWORD.match(line):
            self._add(self._users.get(connection, ""), _text(sent[1]))
        elif plain := _PLAIN.match(line):
            self._hear_encoded(plain[1], "\0")
        elif basic := _BASIC.match(line):
            self._hear_encoded(basic[1], ":")

    def mask(self, text: str) -> str:
        """The text with `***` in place of each password."""
        if not self._known:
            return text
        if self._patterns is None:
            plain = _any_of(_plain_form(known) for known in self._known)
            self._patterns = plain, _any_of(form for known in self._known for form in _base64_forms(known))
        plain, encoded = self._patterns
        return _RUN.sub(lambda run: MASK if encoded.search(run[0]) else run[0], plain.sub(MASK, text))

    def _hear_encoded(self, data: bytes, separator: str) -> None:
        """`user:password`, or `[authzid] NUL user NUL password`, in base64."""
        try:
            text = _text(base64.b64decode(data))
        except ValueError:
            return
        if separator == "\0":
            text = text.partition("\0")[2]
        user, _, password = text.partition(separator)
        self._add(user, password)

    def _add(self, user: str, password: str) -> None:
        password = password.strip()
        if len(password) < MIN_MASKED or user.lower() in ANONYMOUS or password == PASSWORD or password in self._known:
            return
        self._known.add(password)
        self._patterns = None


def _text(data: bytes) -> str:
    """As a transcript reads bytes."""
    return data.decode("utf-8", "backslashreplace")


def _any_of(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(sorted(forms, key=len, reverse=True)))


def _plain_form(password: str) -> str:
    """Each character as it is, or percent-encoded in either case."""
    return "".join(f"(?:{re.escape(character)}|{_percent(character)})" for character in password)


def _percent(character: str) -> str:
    encoded = "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
    either = "".join(f"[{digit}{digit.lower()}]" if digit.isalpha() else digit for digit in encoded)
    return f"{either}|\\+" if character == " " else either


def _base64_forms(password: str) -> Iterator[str]:
    """The base64 characters that depend on the password alone, at each of the three places in a group."""
    data = password.encode("utf-8", "surrogateescape")
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode("ascii")
        whole = encoded[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        yield whole.replace("+", "[+-]").replace("/", "[/_]")
