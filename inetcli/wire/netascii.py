"""Text as FTP's TYPE A carries it: NVT-ASCII, whose lines end in CRLF (RFC 959 section 3.1.1.1, RFC 854).

From the network CRLF becomes LF, to the network LF becomes CRLF. Everything else stays as it is: a CR that no LF
follows, an LF that no CR precedes (servers send it), and on the way out a CRLF that is there already.
"""


class FromNetAscii:
    """Lines from the network, piece by piece."""

    def __init__(self) -> None:
        self._held = b""

    def convert(self, data: bytes | bytearray | memoryview) -> bytes:
        """A piece in local form. A CR at its end is held back until it is known what follows."""
        text = self._held + bytes(data)
        self._held = b"\r" if text.endswith(b"\r") else b""
        return text[: len(text) - len(self._held)].replace(b"\r\n", b"\n")

    def finish(self) -> bytes:
        """What was held back: a CR at the very end."""
        held, self._held = self._held, b""
        return held


class ToNetAscii:
    """Lines to the network, piece by piece."""

    def __init__(self) -> None:
        self._after_cr = False

    def convert(self, data: bytes | bytearray | memoryview) -> bytes:
        """A piece in the network's form."""
        text = bytes(data)
        first = b"\n" if self._after_cr and text.startswith(b"\n") else b""  # the rest of a CRLF that was cut in two
        if text:
            self._after_cr = text.endswith(b"\r")
        return first + text[len(first) :].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """Nothing is held back."""
        return b""
