"""Reading requests from a connection (RFC 9112 sections 2 to 7).

    request = method SP target SP "HTTP/1." DIGIT CRLF { name ":" value CRLF } CRLF [body]

A line may end in LF alone (section 2.2). Refused, with the status that goes with it: a head over 64 KiB or 1000 fields
(431); a request line or field that is none, a line that continues the one before, no or several Host, a length that is
no number, several lengths, one beside Transfer-Encoding, a broken chunk (400); a body over 64 MiB (413); another
transfer coding than chunked (501); another version (505).
"""

import re
from dataclasses import replace

from mockservers.connection import Connection, Over, TooLong
from mockservers.http.message import Fields, HttpRequest

MAX_HEAD = 64 << 10
MAX_FIELDS = 1000
MAX_BODY = 64 << 20
_PIECE = 1 << 16

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rf"({_TOKEN}) ([!-~\x80-\xff]+) (HTTP/\d\.\d)")
_NAME = re.compile(_TOKEN)
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)


class BadRequest(Exception):
    """A request that is answered with an error before it is looked at; the connection ends then."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RequestReader:
    """The requests of one client, one after the other, and the bytes that each was made of."""

    def __init__(self, client: Connection) -> None:
        self._client = client
        self._raw = bytearray()
        self._head = 0

    async def request(self) -> HttpRequest:
        """The next request without its body. `Over` when the client has left, `BadRequest` when it is none."""
        self._raw = bytearray()
        self._head = MAX_HEAD
        line = await self._line()
        if not line:  # RFC 9112 section 2.2: an empty line before the request is ignored
            self._raw.clear()
            line = await self._line()
        text = line.decode("latin-1")
        match = _LINE.fullmatch(text)
        if not match:
            raise BadRequest(400, f"expected METHOD TARGET HTTP/1.1, got {_shown(text)}")
        method, target, version = match.groups()
        if not version.startswith("HTTP/1."):
            raise BadRequest(505, f"expected HTTP/1.0 or HTTP/1.1, got {version}")
        request = HttpRequest(method, target, version, await self._fields(), raw=bytes(self._raw))
        if version != "HTTP/1.0" and len(request.values("Host")) != 1:
            raise BadRequest(400, f"expected one Host field, got {len(request.values('Host'))}")
        return request

    async def with_body(self, request: HttpRequest) -> HttpRequest:
        """The request with its body, once the client may send it."""
        codings, lengths = request.tokens("Transfer-Encoding"), request.values("Content-Length")
        if codings and (lengths or request.version == "HTTP/1.0"):
            raise BadRequest(400, "expected either Content-Length or, in HTTP/1.1, Transfer-Encoding")
        if codings == ["chunked"]:
            body, trailers = await self._chunks()
        elif codings:
            raise BadRequest(501, f"expected the transfer coding chunked, got {', '.join(codings)}")
        else:
            body, trailers = await self._exact(_length(lengths)), ()
        return replace(request, body=body, trailers=trailers, raw=bytes(self._raw))

    async def _chunks(self) -> tuple[bytes, Fields]:
        body = bytearray()
        while True:
            self._head = MAX_HEAD
            line = await self._line()
            match = _SIZE.fullmatch(line)
            if not match:
                raise BadRequest(400, f"expected a chunk's size in hex, got {_shown(line.decode('latin-1'))}")
            size = int(match[1], 16)
            if size == 0:
                return bytes(body), await self._fields()
            if len(body) + size > MAX_BODY:
                raise BadRequest(413, f"expected at most {MAX_BODY} bytes")
            body += await self._exact(size)
            if end := await self._line():
                raise BadRequest(400, f"expected a line end after a chunk, got {_shown(end.decode('latin-1'))}")

    async def _fields(self) -> Fields:
        fields: list[tuple[str, str]] = []
        while line := await self._line():
            text = line.decode("utf-8", "surrogateescape")
            name, colon, value = text.partition(":")
            if not colon or not _NAME.fullmatch(name) or "\0" in value or "\r" in value:
                raise BadRequest(400, f"expected NAME: VALUE, got {_shown(text)}")
            if len(fields) == MAX_FIELDS:
                raise BadRequest(431, f"expected at most {MAX_FIELDS} fields")
            fields.append((name, value.strip(" \t")))
        return tuple(fields)

    async def _line(self) -> bytes:
        try:
            line = await self._client.line_with_end(self._head)
        except TooLong:
            raise BadRequest(431, f"expected a head of at most {MAX_HEAD} bytes") from None
        self._raw += line
        self._head -= len(line)
        return line.removesuffix(b"\n").removesuffix(b"\r")

    async def _exact(self, count: int) -> bytes:
        body = bytearray()
        while len(body) < count:
            piece = await self._client.some(min(_PIECE, count - len(body)))
            if not piece:
                raise Over
            body += piece
        self._raw += body
        return bytes(body)


def _length(values: list[str]) -> int:
    if not values:
        return 0
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,18}", values[0]):
        raise BadRequest(400, f"expected one Content-Length, a number, got {_shown(', '.join(values))}")
    if int(values[0]) > MAX_BODY:
        raise BadRequest(413, f"expected at most {MAX_BODY} bytes, got {values[0]}")
    return int(values[0])


def _shown(text: str) -> str:
    return ascii(text[:80])
