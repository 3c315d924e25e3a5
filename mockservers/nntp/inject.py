"""Articles that come in: POST (RFC 3977 section 6.3.1, RFC 5537 section 3.5) and IHAVE (section 6.3.2).

A posted article gets the Message-ID, Date and Path that it lacks. Either kind gets an Xref, and its number in each of
its groups that is known here. `Control: cancel <id>` takes that article away; the control message itself goes to
control.cancel, where there is such a group.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mockservers.nntp.article import first_fields
from mockservers.nntp.store import NewsStore

CANCELS = "control.cancel"
DUPLICATE = "435 Duplicate"
_POST_NEEDS = ("From", "Newsgroups", "Subject")
_TRANSIT_NEEDS = ("Date", "From", "Message-ID", "Newsgroups", "Path", "Subject")


class Refused(Exception):
    """The article is not taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Injector:
    """Takes articles into a store, under this host's name. `allowed` tells whether a group may be posted to."""

    store: NewsStore
    host: str
    now: Callable[[], datetime]
    allowed: Callable[[str], bool]

    def message_id(self) -> str:
        """The one that the next article gets, if it brings none."""
        return f"<post.{len(self.store.history) + 1}@{self.host}>"

    def post(self, raw: bytes) -> str:
        """Take an article from its author; its Message-ID. `Refused`."""
        fields = _fields(raw, _POST_NEEDS)
        if "xref" in fields:
            raise Refused("Can't set system Xref header field")
        for name in _groups(fields):
            if name in self.store.groups and not self.allowed(name):
                raise Refused(f"You are not allowed to post to {name}")
        added = []
        if "message-id" not in fields:
            fields["message-id"] = self.message_id()
            added.append(f"Message-ID: {fields['message-id']}")
        if "date" not in fields:
            added.append(f"Date: {format_datetime(self.now())}")
        return self._take(raw, fields, f"{self.host}!.POSTED!", added)

    def transfer(self, raw: bytes, message_id: str) -> str:
        """Take an article from another server, into whatever group. `Refused`."""
        fields = _fields(raw, _TRANSIT_NEEDS)
        if fields["message-id"] != message_id:
            raise Refused(f"The article says Message-ID {fields['message-id']}, the offer was {message_id}")
        return self._take(raw, fields, f"{self.host}!", [])

    def _take(self, raw: bytes, fields: dict[str, str], hop: str, added: list[str]) -> str:
        message_id = fields["message-id"]
        if message_id in self.store.history:
            raise Refused(DUPLICATE)
        names = _groups(fields)
        cancelled = fields.get("control", "").split()
        if cancelled[:1] == ["cancel"]:
            names = [CANCELS]
            for wanted in cancelled[1:2]:
                self.store.remove(wanted)
        places = self.store.next_places(names)
        if not places and not cancelled:
            raise Refused(f'No valid newsgroups in "{", ".join(names)}"')
        added.append("Xref: " + " ".join([self.host, *(f"{name}:{number}" for name, number in places)]))
        self.store.add(_with_fields(raw, hop, added), places, self.now())
        self.store.history.add(message_id)
        return message_id


def _groups(fields: dict[str, str]) -> list[str]:
    return [name.strip() for name in fields["newsgroups"].split(",")]


def _fields(raw: bytes, needed: tuple[str, ...]) -> dict[str, str]:
    """The header fields by lower-case name, the first of each; all that are needed are there."""
    head, empty, body = raw.partition(b"\r\n\r\n")
    if not empty or not body:
        raise Refused("Article has no body -- just headers")
    fields = first_fields(head)
    for name in needed:
        if not fields.get(name.lower()):
            raise Refused(f"Missing required {name} header field")
    return fields


def _with_fields(raw: bytes, hop: str, added: list[str]) -> bytes:
    """The article with one more host in its Path, and with the added fields at the end of its header."""
    head, _, body = raw.partition(b"\r\n\r\n")
    rows: list[bytes] = []
    dropping = False
    path = b"not-for-mail"
    for row in head.split(b"\r\n"):
        if not row.startswith((b" ", b"\t")):
            name = row.partition(b":")[0].lower()
            dropping = name in (b"path", b"xref")
            if name == b"path":
                path = row.partition(b":")[2].strip()
        if not dropping:
            rows.append(row)
    new = [row.encode("utf-8", "surrogateescape") for row in added]
    return b"\r\n".join([b"Path: " + hop.encode() + path, *rows, *new]) + b"\r\n\r\n" + body
