"""Carrying out HTTP's own faults: what goes out instead of the honest response, and whether the connection ends."""

from dataclasses import dataclass, replace

from mockservers.http import faults as kinds
from mockservers.http.message import HttpRequest, HttpResponse, encode_chunk, encode_fields, encode_status
from mockservers.script import Shots

_LENGTH, _CODING = "Content-Length", "Transfer-Encoding"
_LAST_CHUNK = b"0\r\n\r\n"
_HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
_BOMB = "x" * 42


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes out, write by write, and whether the connection ends with it."""

    pieces: list[bytes]
    closes: bool


def spoil(request: HttpRequest, response: HttpResponse, shots: Shots) -> Outgoing:
    """What goes out instead of the response."""
    response = _spoil_response(request, response, shots)
    framing = next((fault for fault in shots if isinstance(fault, kinds.Framing)), None)
    if framing and response.has_body(request) and response.plain():
        shots.first(type(framing))
        outgoing = _misframed(request, response, framing)
    elif request.method != "HEAD" and shots.first(kinds.NoContentWithBody):
        head = encode_status(204) + encode_fields(response.given())
        outgoing = Outgoing([head + b"\r\n" + response.plain()], response.closes(request))
    else:
        outgoing = Outgoing(response.pieces(request), response.closes(request))
    return _surround(outgoing, shots)


def _spoil_response(request: HttpRequest, response: HttpResponse, shots: Shots) -> HttpResponse:
    """The faults that make another response."""
    if status := shots.first(kinds.Status):
        response = HttpResponse(status.code, f"{status.code}\n")
    if shots.first(kinds.RedirectLoop):
        response = HttpResponse(302, "again\n", [("Location", request.target)])
    if response.has_body(request) and shots.first(kinds.BadGzip):
        response = replace(response, headers=[*response.given(), ("Content-Encoding", "gzip")])
    return response


def _misframed(request: HttpRequest, response: HttpResponse, fault: kinds.Framing) -> Outgoing:
    """The response with a frame that does not fit."""
    body = response.plain()
    right, chunked = (_LENGTH, str(len(body))), (_CODING, "chunked")
    frame, closes = [right], True
    match fault:
        case kinds.LongLength(by):
            frame = [(_LENGTH, str(len(body) + by))]
        case kinds.ShortLength(by):
            frame, closes = [(_LENGTH, str(max(0, len(body) - by)))], False
        case kinds.NoLength():
            frame = []
        case kinds.DoubleLength():
            frame, closes = [right, right], False
        case kinds.ConflictingLengths(by):
            frame = [right, (_LENGTH, str(len(body) + by))]
        case kinds.BadLength(text):
            frame = [(_LENGTH, text)]
        case kinds.LengthAndChunks():
            frame, closes, body = [right, chunked], False, encode_chunk(body) + _LAST_CHUNK
        case kinds.BadChunk(text):
            size = text.encode("utf-8", "surrogateescape")
            frame, body = [chunked], size + b"\r\n" + body + b"\r\n" + _LAST_CHUNK
        case kinds.NoLastChunk():
            frame, body = [chunked], encode_chunk(body)
    others = [item for item in response.fields(request) if item[0].lower() not in (_LENGTH.lower(), _CODING.lower())]
    head = encode_status(response.status, response.reason) + encode_fields([*others, *frame]) + b"\r\n"
    return Outgoing([head + body], closes or response.closes(request))


def _surround(outgoing: Outgoing, shots: Shots) -> Outgoing:
    """The faults that leave the response whole, and put something around it or into its head."""
    data, closes = outgoing.pieces, outgoing.closes
    if bomb := shots.first(kinds.HeaderBomb):
        line, end, rest = data[0].partition(b"\r\n")
        fields = encode_fields((f"X-Bomb-{number:07}", _BOMB) for number in range(bomb.count))
        data = [line + end + fields + rest, *data[1:]]
    if storm := shots.first(kinds.InterimStorm):
        data = [_HINT * storm.count + data[0], *data[1:]]
    if surplus := shots.first(kinds.Surplus):
        data = [*data[:-1], data[-1] + b"x" * surplus.size]
    if not closes and shots.first(kinds.SuddenClose):
        closes = True
    return Outgoing(data, closes)
