"""Errors for NNTP replies: one table of codes (RFC 3977 section 3.2.1, RFC 4643, RFC 4642).

A code that is not in the table is `Refused`. 400, 403 and 436 are temporary: a retry may help.
"""

from collections.abc import Mapping

from inetcli.errors import InetError, LoginDenied, NotFound, Refused
from inetcli.wire.replies import Reply

REPLY_ERRORS: Mapping[int, tuple[type[InetError], bool]] = {
    400: (Refused, True),
    403: (Refused, True),
    411: (NotFound, False),
    436: (Refused, True),
    480: (LoginDenied, False),
    481: (LoginDenied, False),
    482: (LoginDenied, False),
    483: (LoginDenied, False),
}
"""The class for each code, and whether a retry may help."""


def reply_error(doing: str, reply: Reply) -> InetError:
    """Return the error for a reply that reports a failure."""
    kind, transient = REPLY_ERRORS.get(reply.code, (Refused, False))
    return kind.from_reply(doing, reply, transient=transient)


def login_error(doing: str, reply: Reply) -> LoginDenied:
    """Return the error for a failed login, or for a required login without credentials, whatever the code."""
    return LoginDenied.from_reply(doing, reply)
