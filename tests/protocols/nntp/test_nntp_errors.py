"""What a reply that refuses means: its error, and whether trying again may help."""

import pytest

from inetcli.errors import InetError, LoginDenied, NotFound, Refused
from inetcli.protocols.nntp.errors import REPLY_ERRORS, login_error, reply_error
from inetcli.wire.replies import Reply

CASES: list[tuple[str, type[InetError], bool]] = [
    ("400 too busy", Refused, True),
    ("403 internal fault", Refused, True),
    ("436 try again later", Refused, True),
    ("411 no such group", NotFound, False),
    ("480 login first", LoginDenied, False),
    ("481 wrong", LoginDenied, False),
    ("482 out of order", LoginDenied, False),
    ("483 TLS first", LoginDenied, False),
    ("500 what?", Refused, False),
    ("502 no", Refused, False),
    ("211 1 1 1 x", Refused, False),
]


@pytest.mark.parametrize(("line", "kind", "transient"), CASES)
def test_a_refusal_is_an_error_with_the_servers_words(line: str, kind: type[InetError], transient: bool) -> None:
    error = reply_error("misc.test: not read", Reply(int(line[:3]), (line,)))
    assert (type(error), error.transient) == (kind, transient)
    assert (error.message, error.reply_code, error.reply) == (f'misc.test: not read: "{line}"', int(line[:3]), line)


def test_every_code_of_the_table_is_tried() -> None:
    assert REPLY_ERRORS.keys() <= {int(line[:3]) for line, _, _ in CASES}


@pytest.mark.parametrize("line", ["481 wrong", "502 no", "400 busy"])
def test_a_login_that_is_refused_is_denied_whatever_the_code(line: str) -> None:
    error = login_error("login as ada denied", Reply(int(line[:3]), (line,)))
    assert (error.message, error.transient) == (f'login as ada denied: "{line}"', False)
