"""Errors for replies: one table of reply codes, and one function for each kind of refused request.

    command      a command without a path: RFC 959 section 4.2
    path         an existing path
    new name     a name to be made
    upload       bytes to be stored

A code that is not in the table is `Refused`, or `UploadRefused` for a 5yz reply to an upload. `transient`: another
attempt may succeed; the 4yz replies about a temporary state (RFC 959 section 4.2.1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inetcli.errors import Denied, InetError, NotFound, Refused, UploadRefused
from inetcli.wire.replies import Reply


@dataclass(frozen=True, slots=True)
class ReplyMeaning:
    """The error class of one reply code for each kind of refused request."""

    command: type[InetError] = Refused
    path: type[InetError] = Refused
    new_name: type[InetError] = Refused
    upload: type[InetError] = UploadRefused
    transient: bool = False


_TRANSIENT = ReplyMeaning(upload=Refused, transient=True)

REPLY_ERRORS: Mapping[int, ReplyMeaning] = {
    421: _TRANSIENT,
    425: _TRANSIENT,
    426: _TRANSIENT,
    450: _TRANSIENT,
    451: _TRANSIENT,
    452: ReplyMeaning(transient=True),
    550: ReplyMeaning(path=NotFound, new_name=Denied),
    553: ReplyMeaning(new_name=Denied),
}

_DEFAULT = ReplyMeaning(upload=Refused)
_DEFAULT_5YZ = ReplyMeaning()

_DENIAL_WORDS = ("permission", "denied")


def expect_reply(reply: Reply, expected: int, error: Callable[[Reply], InetError]) -> Reply:
    """Return the reply if it has the expected code or first digit; otherwise raise the result of `error`."""
    if expected not in (reply.code, reply.first):
        raise error(reply)
    return reply


def reply_error(context: str, reply: Reply) -> InetError:
    """Return the error for a refused request without a path. `context` begins the message."""
    meaning = _meaning(reply)
    return meaning.command.from_reply(context, reply, transient=meaning.transient)


def path_error(context: str, reply: Reply) -> InetError:
    """Return the error for a refused path: 550 is `NotFound`, or `Denied` if its text reports missing rights."""
    meaning = _meaning(reply)
    kind = Denied if meaning.path is NotFound and is_denial(reply) else meaning.path
    return kind.from_reply(context, reply, transient=meaning.transient)


def name_error(context: str, reply: Reply) -> InetError:
    """Return the error for a name that cannot be made: 550 and 553 ("file name not allowed") are `Denied`."""
    meaning = _meaning(reply)
    return meaning.new_name.from_reply(context, reply, transient=meaning.transient)


def upload_error(context: str, reply: Reply) -> InetError:
    """Return the error for a refused upload, permanent or transient."""
    meaning = _meaning(reply)
    transient = meaning.transient and meaning.upload is not UploadRefused
    return meaning.upload.from_reply(context, reply, transient=transient)


def is_denial(reply: Reply) -> bool:
    """Return whether the text of a reply reports missing rights."""
    return any(word in reply.text.lower() for word in _DENIAL_WORDS)


def _meaning(reply: Reply) -> ReplyMeaning:
    return REPLY_ERRORS.get(reply.code, _DEFAULT_5YZ if reply.first == 5 else _DEFAULT)
