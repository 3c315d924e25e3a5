"""Line ends of FTP's TYPE A: NVT-ASCII, whose lines end in CRLF (RFC 959 section 3.1.1.1, RFC 854).

From the network CRLF becomes LF; to the network LF becomes CRLF. All other bytes stay: a CR without a following LF, an
LF without a preceding CR (some servers send it), and an existing CRLF on the way out.
"""


class FromNetAscii:
    """Converts data from the network to local line ends, piece by piece."""

    def __init__(self) -> None:
        self._held = b""

    def convert(self, data: bytes | bytearray | memoryview) -> bytes:
        """Convert a piece. A CR at its end is kept until the next piece."""
        text = self._held + bytes(data)
        self._held = b"\r" if text.endswith(b"\r") else b""
        return text[: len(text) - len(self._held)].replace(b"\r\n", b"\n")

    def finish(self) -> bytes:
        """Return a CR at the very end of the data."""
        held, self._held = self._held, b""
        return held


class ToNetAscii:
    """Converts data to the line ends of the network, piece by piece."""

    def __init__(self) -> None:
        self._after_cr = False

    def convert(self, data: bytes | bytearray | memoryview) -> bytes:
        """Convert a piece."""
        text = bytes(data)
        first = (
            b"\n" if self._after_cr and text.startswith(b"\n") else b""
        )  # the second half of a CRLF that was split between two pieces
        if text:
            self._after_cr = text.endswith(b"\r")
        return first + text[len(first) :].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def finish(self) -> bytes:
        """Return no bytes: this direction keeps nothing back."""
        return b""
