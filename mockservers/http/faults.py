"""What goes wrong with HTTP: the kinds. They sit on a request (`GET /x`, `POST /api/*`, `GET`) or on `*`.

`mockservers.http.spoiling` carries them out, on responses; a route that is raw bytes is sent as it is. `@BYTES` of the
transport's faults counts from the response's first byte.
"""

from dataclasses import dataclass

from mockservers.faultkinds import BadFault, Fault, Outcome, fault_kind

_PAGE = "GET /"


@fault_kind("http", sees="those bytes, whatever they are", trigger=_PAGE, outcome=Outcome.ANY)
class Raw(Fault):
    """Send `text` as the whole response, a character an octet (`\\r\\n` and `\\xff` are escapes); nothing is added.

    The connection ends behind it, unless the bytes are a head that says where its body ends.
    """

    text: str = "HTTP/1.1 200\n\n"

    def check(self) -> None:
        if any(ord(char) > 0xFF for char in self.text):
            raise BadFault("raw: expected characters up to \\xff, each an octet")


@fault_kind("http", sees="that status", trigger=_PAGE)
class Status(Fault):
    """Answer with a status and a line of text."""

    code: int = 503

    def check(self) -> None:
        if not 200 <= self.code <= 999:
            raise BadFault(f"status: expected 200 to 999, got {self.code}")


@fault_kind("http", sees="one redirection after the other, to the same place", trigger=_PAGE)
class RedirectLoop(Fault):
    """Send the client to where it is."""


@fault_kind("http", sees="204 and a body behind it", trigger=_PAGE, outcome=Outcome.ANY)
class NoContentWithBody(Fault):
    """Say 204 No Content, and send the body all the same."""


@fault_kind("http", sees="Content-Encoding: gzip, and a body that is not", trigger=_PAGE, outcome=Outcome.EITHER)
class BadGzip(Fault):
    """Say that the body is compressed, which it is not."""


@dataclass(frozen=True, slots=True)
class Framing(Fault):
    """A response that lies about where it ends. Of several the first is carried out; a body must be there."""


@fault_kind("http", sees="fewer bytes than Content-Length says, then the end", trigger=_PAGE)
class LongLength(Framing):
    """Content-Length is larger than the body by so many bytes; then the connection ends."""

    by: int = 10


@fault_kind("http", sees="more bytes than Content-Length says", trigger=_PAGE, outcome=Outcome.ANY)
class ShortLength(Framing):
    """Content-Length is smaller than the body by so many bytes, at the least 0."""

    by: int = 10


@fault_kind(
    "http", sees="no Content-Length: the end of the connection is the end", trigger=_PAGE, outcome=Outcome.SUCCESS
)
class NoLength(Framing):
    """Neither Content-Length nor chunks."""


@fault_kind("http", sees="Content-Length twice, the same", trigger=_PAGE, outcome=Outcome.EITHER)
class DoubleLength(Framing):
    """Content-Length two times, and both are right."""


@fault_kind("http", sees="two Content-Lengths that differ, then the end", trigger=_PAGE)
class ConflictingLengths(Framing):
    """Content-Length as it should be, and another one, larger by so many bytes; then the connection ends."""

    by: int = 10


@fault_kind("http", sees="a Content-Length that is no number, then the end", trigger=_PAGE)
class BadLength(Framing):
    """Content-Length is `text`."""

    text: str = "-1"


@fault_kind("http", sees="Content-Length beside Transfer-Encoding: chunked", trigger=_PAGE, outcome=Outcome.EITHER)
class LengthAndChunks(Framing):
    """The body in chunks, and a Content-Length (of the body without them) as well."""


@fault_kind("http", sees="a chunk whose size is not hex", trigger=_PAGE)
class BadChunk(Framing):
    """The size of the first chunk is `text`; then the connection ends."""

    text: str = "zz"


@fault_kind("http", sees="chunks, then the end instead of the last one", trigger=_PAGE)
class NoLastChunk(Framing):
    """The body in a chunk, and the connection ends without the last chunk."""


@fault_kind("http", sees="far too many header fields", trigger=_PAGE, outcome=Outcome.EITHER)
class HeaderBomb(Fault):
    """`count` more fields of 60 bytes each."""

    count: int = 10_000

    def check(self) -> None:
        if self.count > 1_000_000:
            raise BadFault(f"header_bomb: expected up to 1000000 fields, got {self.count}")


@fault_kind("http", sees="far too many interim responses, then the right one", trigger=_PAGE, outcome=Outcome.EITHER)
class InterimStorm(Fault):
    """`count` times 103 Early Hints before the response."""

    count: int = 1000

    def check(self) -> None:
        if self.count > 1_000_000:
            raise BadFault(f"interim_storm: expected up to 1000000 responses, got {self.count}")


@fault_kind(
    "http", sees="the right response, and bytes behind it that belong to nothing", trigger=_PAGE, outcome=Outcome.EITHER
)
class Surplus(Fault):
    """`size` bytes more behind the response."""

    size: int = 16


@fault_kind(
    "http", sees="the right response, then the end, though it did not say so", trigger=_PAGE, outcome=Outcome.SUCCESS
)
class SuddenClose(Fault):
    """Close the connection that was to go on."""
