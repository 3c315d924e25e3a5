"""What a refusal means: which error of ours a reply is.

421 425 426 450 451 452     for now: trying again may help
550                         to a path: not there, unless its text says that it is forbidden
550 | 553                   to a name that is to be made: not allowed
"""

from collections.abc import Callable

from inetcli.errors import Denied, InetError, NotFound, Refused
from inetcli.wire.replies import Reply

TRANSIENT = frozenset((421, 425, 426, 450, 451, 452))
"""Replies after which trying again may help: RFC 959 section 4.2.1's 4yz that are about the moment."""

_NO_ENTRY = ("permission", "denied")


def expect(reply: Reply, wanted: int, error: Callable[[Reply], InetError]) -> Reply:
    """The reply, if it is the one that is wanted (a code, or its first digit); else the error is raised."""
    if wanted not in (reply.code, reply.first):
        raise error(reply)
    return reply


def failed(doing: str, reply: Reply) -> InetError:
    """The error for a refusal that has no meaning of its own."""
    error = Refused(f'{doing}: "{reply}"', reply_code=reply.code, reply=str(reply))
    error.transient = reply.code in TRANSIENT
    return error


def missing(doing: str, reply: Reply) -> InetError:
    """The error for a refused path: 550 is "not there", unless its text says that it is forbidden."""
    if reply.code != 550:
        return failed(doing, reply)
    return (Denied if is_denial(reply) else NotFound)(f'{doing}: "{reply}"', reply_code=reply.code, reply=str(reply))


def is_denial(reply: Reply) -> bool:
    """Whether a 550 says that something is forbidden, and not that it is not there."""
    return any(word in reply.text.lower() for word in _NO_ENTRY)


def forbidden(doing: str, reply: Reply) -> InetError:
    """The error for a name that may not be made: 550 and 553 ("file name not allowed") are a matter of rights."""
    if reply.code not in (550, 553):
        return failed(doing, reply)
    return Denied(f'{doing}: "{reply}"', reply_code=reply.code, reply=str(reply))
