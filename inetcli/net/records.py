"""A scanner for TLS records that finds where a peer sends clear text instead of records.

    record = type (20 to 24) version (major 3) length (2 bytes) fragment          (RFC 8446 section 5.1)

For bytes that are not a record OpenSSL reports only "wrong version number" and does not show them. Often they are a
message that explains the failure: vsftpd sends `500 OOPS: ...` in clear text in the middle of TLS, and the plain port
of a server, when a client connects to it with TLS, sends the greeting `220 ...`.
"""

import re

from inetcli.wire.escape import CUT

HEADER = 5
TYPES = range(20, 25)
MAJOR = 3

MAX_CLEAR_TEXT = 200
"""The number of bytes of clear text that are kept: enough for a reply line, not for a whole listing."""

_TEXT = re.compile(rb"[ -~]{3}[\t -~\x80-\xff]*")
"""A line of at least three printable characters. Binary protocols have control characters among their first bytes."""


class RecordScanner:
    """A scanner that follows the records in the bytes of a peer, which it gets in chunks of any size."""

    __slots__ = ("_clear", "_header", "_left")

    def __init__(self) -> None:
        self._header = b""
        self._left = 0  # bytes that are left of the current record
        self._clear: bytes | None = None

    def feed(self, data: memoryview) -> None:
        """Scan the next chunk of bytes from the peer."""
        at = 0
        while at < len(data):
            if self._clear is not None:
                self._clear += bytes(data[at : at + MAX_CLEAR_TEXT - len(self._clear)])
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
    def clear_text(self) -> str | None:
        """The first line of the bytes that are not records, if it is text; None = only records, or no text.

        Text begins with ASCII and has no control characters. Bytes that are not UTF-8 become surrogates.
        """
        line, end, _ = (self._clear or b"").partition(b"\n")
        line = line.removesuffix(b"\r")
        mark = CUT if len(line) == MAX_CLEAR_TEXT and not end else ""
        return line.decode("utf-8", "surrogateescape") + mark if _TEXT.fullmatch(line) else None


def _may_begin_record(header: bytes) -> bool:
    return header[0] in TYPES and header[1:2] in (b"", bytes([MAJOR]))
