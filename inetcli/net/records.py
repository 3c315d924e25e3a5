"""TLS records as they pass, to find where a peer goes on in clear text.

    record = type (20 to 24) version (major 3) length (2 bytes) fragment          (RFC 8446 section 5.1)

OpenSSL says "wrong version number" of bytes that are no record, and keeps them to itself. They are often the very
sentence that explains it all: vsftpd says `500 OOPS: ...` in clear in the midst of TLS, and a server that was dialled
with TLS on its plain port greets with `220 ...`.
"""

import re

from inetcli.wire.escape import CUT

HEADER = 5
TYPES = range(20, 25)
MAJOR = 3

MAX_SAID = 200
"""Bytes of what a peer says in clear: a sentence, and not its whole listing."""

_TEXT = re.compile(rb"[ -~]{3}[\t -~\x80-\xff]*")
"""Fewer than three characters are no sentence; binary protocols have a control character among their first bytes."""


class Records:
    """Follows the records in what a peer sends, in pieces of any size."""

    __slots__ = ("_clear", "_header", "_left")

    def __init__(self) -> None:
        self._header = b""
        self._left = 0  # of the record that is passing
        self._clear: bytes | None = None

    def pass_by(self, data: memoryview) -> None:
        """The next piece of what comes."""
        at = 0
        while at < len(data):
            if self._clear is not None:
                self._clear += bytes(data[at : at + MAX_SAID - len(self._clear)])
                return
            if self._left:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                continue
            more = bytes(data[at : at + HEADER - len(self._header)])
            self._header += more
            at += len(more)
            if not _may_begin_record(self._header):
                self._clear = self._header
            elif len(self._header) == HEADER:
                self._left = int.from_bytes(self._header[3:], "big")
                self._header = b""

    @property
    def said(self) -> str | None:
        """The first line of what came in clear, where it is text: no control characters, ASCII to begin with; bytes
        that are not UTF-8 as surrogates. None = all were records, or what was none is no text either."""
        line, end, _ = (self._clear or b"").partition(b"\n")
        line = line.removesuffix(b"\r")
        mark = CUT if len(line) == MAX_SAID and not end else ""
        return line.decode("utf-8", "surrogateescape") + mark if _TEXT.fullmatch(line) else None


def _may_begin_record(header: bytes) -> bool:
    return header[0] in TYPES and header[1:2] in (b"", bytes([MAJOR]))
