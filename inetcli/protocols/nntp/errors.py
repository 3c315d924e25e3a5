"""Which error of ours a reply is: one table of codes (RFC 3977 section 3.2.1, RFC 4643, RFC 4642).

What is not in the table is `Refused`. `transient` = another try may help: 400, 403 and 436 are about the moment.
"""

from collections.abc import Mapping

from inetcli.errors import InetError, LoginDenied, NotFound, Refused
from inetcli.wire.replies import Reply

ERRORS: Mapping[int, tuple[type[InetError], bool]] = {
    400: (Refused, True),
    403: (Refused, True),
    411: (NotFound, False),
    436: (Refused, True),
    480: (LoginDenied, False),
    481: (LoginDenied, False),
    482: (LoginDenied, False),
    483: (LoginDenied, False),
}
"""The class of each code, and whether another try may help."""


def reply_error(doing: str, reply: Reply) -> InetError:
    """The error for a reply that refuses something."""
    kind, transient = ERRORS.get(reply.code, (Refused, False))
    return kind.from_reply(doing, reply, transient=transient)


def login_error(doing: str, reply: Reply) -> LoginDenied:
    """The error for a login that is refused, or needed and not given, whatever the code."""
    return LoginDenied.from_reply(doing, reply)
