"""HTTP messages as a server sees them: the request that came, the response that goes (RFC 9110, RFC 9112).

HttpResponse(404, "not here")                                 Content-Length and a text type are added
HttpResponse(chunks=["one", "two"], pause=0.1)                chunked, with pauses between the chunks
HttpResponse(200, b"...", [("Content-Type", "image/png")])
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from mockservers.http.form import Part, parse_form

Fields = tuple[tuple[str, str], ...]

WITHOUT_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request, parsed; `raw` is all of it as it came, chunk sizes and trailers included."""

    method: str
    target: str
    version: str
    headers: Fields
    body: bytes = b""
    trailers: Fields = ()
    raw: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The target without its query; of an absolute target (a proxy's) what follows the authority."""
        target = self.target.partition("?")[0]
        if target.lower().startswith(("http://", "https://")):
            return "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        return target

    @property
    def query(self) -> str:
        """What follows the first "?" of the target."""
        return self.target.partition("?")[2]

    def values(self, name: str) -> list[str]:
        """The values of all fields of that name, whatever its case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def value(self, name: str) -> str | None:
        """The value of a field, several joined by commas; None when there is none."""
        found = self.values(name)
        return ", ".join(found) if found else None

    def tokens(self, name: str) -> list[str]:
        """A field's list of tokens, in lower case: of `Connection`, `Transfer-Encoding`, `Expect`."""
        words = (word.strip().lower() for value in self.values(name) for word in value.split(","))
        return [word for word in words if word]

    def form(self) -> list[Part]:
        """The parts of a form that was uploaded, multipart or urlencoded. `BadForm` when it is broken; [] = no form."""
        return parse_form(self.value("Content-Type") or "", self.body)

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants to go on with the connection (RFC 9112 section 9.3)."""
        tokens = self.tokens("Connection")
        return "close" not in tokens and (self.version != "HTTP/1.0" or "keep-alive" in tokens)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response. With `chunks` it is chunked, and `trailers` may follow; else `body` goes with its length.

    `delay` seconds pass before the head. `pause` seconds pass before each chunk, which is then a write of its own;
    without a pause all is one write. Fields that are given are sent as they are, in their order; Content-Type,
    Content-Length, Transfer-Encoding and Connection are added where they belong, unless they are among them.
    """

    status: int = 200
    body: bytes | str = b""
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    chunks: Sequence[bytes | str] | None = None
    trailers: Sequence[tuple[str, str]] = ()
    reason: str | None = None
    delay: float = 0.0
    pause: float = 0.0

    def pieces(self, request: HttpRequest) -> list[bytes]:
        """What goes out, write by write."""
        head = encode_status(self.status, self.reason) + encode_fields(self.fields(request)) + b"\r\n"
        pieces = [head, *self._encoded(request)] if self.has_body(request) else [head]
        return pieces if self.pause else [b"".join(pieces)]

    def has_body(self, request: HttpRequest) -> bool:
        """Whether a body may follow the head."""
        return request.method != "HEAD" and self.status not in WITHOUT_BODY

    def plain(self) -> bytes:
        """The body, without chunks."""
        return octets(self.body) if self.chunks is None else b"".join(map(octets, self.chunks))

    def closes(self, request: HttpRequest) -> bool:
        """Whether the connection ends with this response."""
        given = [(name.lower(), value.lower()) for name, value in self.given()]
        ended = self.chunks is not None and request.version == "HTTP/1.0" and request.method != "HEAD"
        return not request.keep_alive or ended or ("connection", "close") in given

    def fields(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The header: what was given, and what belongs there."""
        fields = self.given()
        names = {name.lower() for name, _ in fields}
        bodiless = self.status in WITHOUT_BODY
        if "content-type" not in names and (self.body or self.chunks) and not bodiless:
            text = "text/plain; charset=utf-8" if self._is_text() else "application/octet-stream"
            fields.append(("Content-Type", text))
        if not bodiless and not names & {"content-length", "transfer-encoding"}:
            if self._chunked(request):
                fields.append(("Transfer-Encoding", "chunked"))
            elif self.chunks is None:
                fields.append(("Content-Length", str(len(octets(self.body)))))
        if "connection" not in names:
            if self.closes(request):
                fields.append(("Connection", "close"))
            elif request.version == "HTTP/1.0":
                fields.append(("Connection", "keep-alive"))
        return fields

    def given(self) -> list[tuple[str, str]]:
        """The fields that were given."""
        return list(self.headers.items() if isinstance(self.headers, Mapping) else self.headers)

    def _chunked(self, request: HttpRequest) -> bool:
        """Not in HTTP/1.0: there the end of the connection is the end. Nor where a length was given."""
        given = {name.lower() for name, _ in self.given()}
        return self.chunks is not None and request.version != "HTTP/1.0" and "content-length" not in given

    def _encoded(self, request: HttpRequest) -> list[bytes]:
        if self.chunks is None:
            return [octets(self.body)]
        chunks = [octets(chunk) for chunk in self.chunks if chunk]
        if not self._chunked(request):
            return chunks
        return [*map(encode_chunk, chunks), b"0\r\n" + encode_fields(self.trailers) + b"\r\n"]

    def _is_text(self) -> bool:
        return isinstance(self.body, str) or (self.chunks is not None and all(isinstance(c, str) for c in self.chunks))


def octets(text: bytes | str) -> bytes:
    """A body's bytes; text is UTF-8."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)


def encode_status(status: int, reason: str | None = None) -> bytes:
    """A status line."""
    if reason is None:
        try:
            reason = HTTPStatus(status).phrase
        except ValueError:
            reason = "Status"
    return b"HTTP/1.1 %d " % status + reason.encode("utf-8", "surrogateescape") + b"\r\n"


def encode_fields(fields: Iterable[tuple[str, str]]) -> bytes:
    """Header or trailer fields, a line each."""
    return b"".join(f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in fields)


def encode_chunk(data: bytes) -> bytes:
    """A chunk with its size."""
    return b"%x\r\n%s\r\n" % (len(data), data)
