"""Raw DEFLATE both ways, a piece at a time (RFC 1951, as RFC 8054 uses it)."""

import zlib

MAX_INFLATED = 16 << 20
"""What one piece of compressed input may become: DEFLATE makes a thousand bytes of one."""


class BadInput(ValueError):
    """What cannot be decompressed, or becomes too much."""


class Deflate:
    """The compression of one connection."""

    def __init__(self) -> None:
        self._out = zlib.compressobj(wbits=-15)
        self._in = zlib.decompressobj(wbits=-15)

    def encode(self, data: bytes) -> bytes:
        """What goes out, whole: nothing is kept back for the next piece."""
        return self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)

    def decode(self, data: bytes) -> bytes:
        """What came in. `BadInput`."""
        try:
            plain = self._in.decompress(data, MAX_INFLATED)
        except zlib.error as error:
            raise BadInput(str(error)) from error
        if self._in.unconsumed_tail:
            raise BadInput(f"more than {MAX_INFLATED} bytes in one piece")
        return plain
