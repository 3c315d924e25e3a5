"""What an NNTP server answers: a status line, and for some a block of lines (RFC 3977 section 3.1).

A block ends with a dot on a line of its own; a line that begins with a dot is sent with one more in front of it. Both
parts make one piece of bytes: INN sends two, which costs 40 ms each time where acknowledgements are delayed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

CRLF = b"\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status line without its end; `rows` are the lines of the block, as they were before dots were doubled."""

    status: str
    rows: tuple[bytes, ...] | None = None

    @property
    def code(self) -> int:
        return int(self.status[:3])


def line(status: str) -> Answer:
    """An answer of one line."""
    return Answer(status)


def block(status: str, rows: Iterable[bytes | str]) -> Answer:
    """An answer with a block."""
    return Answer(
        status, tuple(row.encode("utf-8", "surrogateescape") if isinstance(row, str) else row for row in rows)
    )


def encode_status(answer: Answer) -> bytes:
    """The status line as bytes."""
    return answer.status.encode("utf-8", "surrogateescape") + CRLF


def encode_block(rows: Iterable[bytes], *, stuffed: bool = True, terminated: bool = True) -> bytes:
    """The lines as bytes. Neither doubling dots nor a last one: that is how servers go wrong."""
    lines = [b"." + row if stuffed and row.startswith(b".") else row for row in rows]
    return b"".join(row + CRLF for row in lines) + (b"." + CRLF if terminated else b"")


def encode_answer(answer: Answer) -> bytes:
    """All of it."""
    return encode_status(answer) + (b"" if answer.rows is None else encode_block(answer.rows))
