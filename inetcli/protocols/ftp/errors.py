"""Which error of ours a reply is: one table of codes, and a factory for each thing that a reply may refuse.

    command      anything that has no path: RFC 959 section 4.2
    path         a path that is to be there
    new name     a name that is to be made
    upload       bytes that are to be stored

A code that is not in the table is `Refused`, or `UploadRefused` for a 5yz to an upload. `transient` = another try may
help: the 4yz that are about the moment (RFC 959 section 4.2.1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from inetcli.errors import Denied, InetError, NotFound, Refused, UploadRefused
from inetcli.wire.replies import Reply


@dataclass(frozen=True, slots=True)
class ReplyMeaning:
    """The error of one reply code, by what was refused."""

    command: type[InetError] = Refused
    path: type[InetError] = Refused
    new_name: type[InetError] = Refused
    upload: type[InetError] = UploadRefused
    transient: bool = False


_FOR_NOW = ReplyMeaning(upload=Refused, transient=True)

MEANINGS: Mapping[int, ReplyMeaning] = {
    421: _FOR_NOW,
    425: _FOR_NOW,
    426: _FOR_NOW,
    450: _FOR_NOW,
    451: _FOR_NOW,
    452: ReplyMeaning(transient=True),
    550: ReplyMeaning(path=NotFound, new_name=Denied),
    553: ReplyMeaning(new_name=Denied),
}

_OTHER = ReplyMeaning(upload=Refused)
_OTHER_5YZ = ReplyMeaning()

_WORDS_OF_DENIAL = ("permission", "denied")


def expect_reply(reply: Reply, wanted: int, error: Callable[[Reply], InetError]) -> Reply:
    """Return the reply if it is the one that is wanted (a code, or its first digit); else raise `error` of it."""
    if wanted not in (reply.code, reply.first):
        raise error(reply)
    return reply


def reply_error(doing: str, reply: Reply) -> InetError:
    """The error for a refusal that is about no path."""
    meaning = _meaning(reply)
    return meaning.command.from_reply(doing, reply, transient=meaning.transient)


def path_error(doing: str, reply: Reply) -> InetError:
    """The error for a path that is refused: 550 is `NotFound`, or `Denied` if its text speaks of a denial."""
    meaning = _meaning(reply)
    kind = Denied if meaning.path is NotFound and is_denial(reply) else meaning.path
    return kind.from_reply(doing, reply, transient=meaning.transient)


def name_error(doing: str, reply: Reply) -> InetError:
    """The error for a name that may not be made: 550 and 553 ("file name not allowed") are a matter of rights."""
    meaning = _meaning(reply)
    return meaning.new_name.from_reply(doing, reply, transient=meaning.transient)


def upload_error(doing: str, reply: Reply) -> InetError:
    """The error for an upload that is refused, for good or for now."""
    meaning = _meaning(reply)
    transient = meaning.transient and meaning.upload is not UploadRefused
    return meaning.upload.from_reply(doing, reply, transient=transient)


def is_denial(reply: Reply) -> bool:
    """Whether the text of a reply says that something is forbidden."""
    return any(word in reply.text.lower() for word in _WORDS_OF_DENIAL)


def _meaning(reply: Reply) -> ReplyMeaning:
    return MEANINGS.get(reply.code, _OTHER_5YZ if reply.first == 5 else _OTHER)
