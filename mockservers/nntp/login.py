"""Who a client is: AUTHINFO USER and PASS, AUTHINFO SASL PLAIN (RFC 4643, RFC 4616)."""

import base64
import binascii
from collections.abc import Mapping

from mockservers.nntp.reply import Answer, line

_USAGE = line("501 Syntax is: AUTHINFO USER name|PASS password|SASL PLAIN [initial-response]")
_WELCOME = line("281 Authentication succeeded")
_WRONG = line("481 Authentication failed")
CHALLENGE = line("383 =")
"""PLAIN has nothing to say before the client has."""


class Login:
    """One client's login. `users` maps names to passwords."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self._name: str | None = None
        self.done = False

    def capabilities(self) -> list[str]:
        """What is on offer: nothing once it was taken (RFC 4643 section 2.2)."""
        return ["AUTHINFO USER SASL", "SASL PLAIN"] if self._users and not self.done else []

    def forget(self) -> None:
        """Nobody is logged in."""
        self._name, self.done = None, False

    def answer(self, words: list[str]) -> Answer:  # noqa: PLR0911 - one for each form
        """The reply to AUTHINFO. `CHALLENGE`: the next line is for `plain`."""
        match [words[0].upper(), *words[1:]]:
            case ["USER" | "PASS" | "SASL", *_] if self.done:
                return line("502 Already authenticated")
            case ["USER", name]:
                self._name = name
                return line("381 Enter password")
            case ["PASS", *parts] if parts:
                if self._name is None:
                    return line("482 Authentication commands issued out of sequence")
                return self._check(self._name, " ".join(parts))
            case ["SASL", mechanism] if mechanism.upper() == "PLAIN":
                return CHALLENGE
            case ["SASL", mechanism, response] if mechanism.upper() == "PLAIN":
                return self.plain(response)
            case ["SASL", _, *_]:
                return line("503 no mechanism available")
            case _:
                return _USAGE

    def plain(self, response: str) -> Answer:
        """`[authzid] NUL authcid NUL password`, in base64; `*` gives up."""
        if response == "*":
            return _WRONG
        try:
            parts = base64.b64decode(response, validate=True).decode("utf-8").split("\0")
        except (binascii.Error, UnicodeDecodeError):
            return line("482 Not base64")
        return self._check(*parts[1:]) if len(parts) == 3 else line("482 Not the three parts of PLAIN")

    def _check(self, name: str, password: str) -> Answer:
        self._name = None
        self.done = self._users.get(name) == password
        return _WELCOME if self.done else _WRONG
