"""A stored article: its bytes as they are, and what of them has a name (RFC 5536, RFC 3977 section 8.1).

Header fields are searched, not decoded: an article may hold anything, and is served as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

Bytes = bytes | str

_FOLDED = (b" ", b"\t")


@dataclass(frozen=True)
class Article:
    """`raw` has CRLF and no doubled dots; `number` and `group` are where it was first put."""

    raw: bytes
    group: str
    number: int
    arrived: datetime

    @cached_property
    def head(self) -> bytes:
        """The header fields, without the empty line; all of it when there is none."""
        return self.raw.removeprefix(b"\r\n").removesuffix(b"\r\n") if self._cut < 0 else self.raw[: self._cut]

    @cached_property
    def body(self) -> bytes:
        """What follows the empty line."""
        return b"" if self._cut < 0 else self.raw[self._cut + 4 :]

    @cached_property
    def _cut(self) -> int:
        return self.raw.find(b"\r\n\r\n")

    @cached_property
    def message_id(self) -> str:
        """From its header, or else one that names its place: every article must have one (RFC 3977 section 3.6)."""
        found = self.field("message-id") or ""
        return found if found.split() == [found] else f"<{self.number}.{self.group}@no-message-id.invalid>"

    @property
    def lines(self) -> int:
        """The lines of the body; a last one without its end counts."""
        return len(split_lines(self.body))

    def field(self, name: str) -> str | None:
        """The value of the first such header field, unfolded; None when there is none. Case does not matter."""
        return self.fields.get(name.lower())

    @cached_property
    def fields(self) -> dict[str, str]:
        """The first header field of each name, in lower case."""
        return first_fields(self.head)


def header_fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and values; a value's folded lines are joined by what they begin with (RFC 5322 section 2.2.3)."""
    name, value = b"", b""
    for row in head.split(b"\r\n"):
        if row.startswith(_FOLDED):
            value += row
            continue
        if name:
            yield name, value.strip()
        name, colon, value = row.partition(b":")
        if not colon:
            name = b""
    if name:
        yield name, value.strip()


def first_fields(head: bytes) -> dict[str, str]:
    """The first field of each name, in lower case."""
    fields: dict[str, str] = {}
    for key, value in header_fields(head):
        fields.setdefault(key.decode("utf-8", "surrogateescape").lower(), value.decode("utf-8", "surrogateescape"))
    return fields


def split_lines(data: bytes) -> list[bytes]:
    """The lines without their ends. Nothing has no lines."""
    return data.removesuffix(b"\r\n").split(b"\r\n") if data else []


def stored(data: Bytes) -> bytes:
    """An article as a server keeps it. Bytes are taken as they are; of text, each line gets its CRLF."""
    if isinstance(data, bytes):
        return data
    return data.replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")
