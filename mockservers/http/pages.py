"""The pages that are there without a word of configuration.

    /            a short text                 /status/N    that status, 200 to 599
    /chunked     three chunks and a trailer   /bytes/N     N bytes, at most 64 MiB; also by ranges
    /json        a small JSON object          /upload      what was sent and what was understood of it, as chunked JSON

`/upload` tells `method`, `target`, `fields` (the header, names in lower case), `bytes` and `sha256` of the body, and
`form`: a list of `{name, filename, content_type, headers, bytes, sha256, text}`; `text` is null when the data are not
UTF-8 or over 64 KiB. A form that is broken is a 400 that says how.
"""

import hashlib
import json
import re
from typing import Any

from mockservers.http.form import BadForm, Part
from mockservers.http.message import HttpRequest, HttpResponse

MAX_BYTES = 64 << 20
MAX_TEXT = 64 << 10
_JSON = ("Content-Type", "application/json")
_CHUNK = 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def default_page(request: HttpRequest) -> HttpResponse | None:  # noqa: PLR0911 - a page each
    """The page of a request; None = there is none."""
    page, _, number = request.path.removeprefix("/").partition("/")
    count = int(number) if re.fullmatch(r"[0-9]{1,8}", number) else None
    match page, count:
        case "", None if not number:
            return HttpResponse(200, "Hello from the mock server.\n")
        case "chunked", None if not number:
            return HttpResponse(chunks=["one", "two, too", "three"], trailers=[("X-Sum", "3")])
        case "json", None if not number:
            return HttpResponse(200, b'{"hello": "world"}\n', [_JSON])
        case "upload", None if not number:
            return _upload(request)
        case "status", int() if 200 <= count <= 599:
            return _status(count)
        case "bytes", int() if count <= MAX_BYTES:
            return _bytes(request, count)
        case _:
            return None


def _status(status: int) -> HttpResponse:
    """A response of that status, with the field that such a one must have."""
    needed = {401: ("WWW-Authenticate", 'Basic realm="mock"'), 405: ("Allow", "GET, HEAD"), 426: ("Upgrade", "TLS/1.3")}
    fields = (
        [needed[status]] if status in needed else [("Location", "/")] if status in (301, 302, 303, 307, 308) else []
    )
    return HttpResponse(status, f"{status}\n", fields)


def _bytes(request: HttpRequest, count: int) -> HttpResponse:
    """0, 1, 2 ... 255, 0, ...; one range of them when asked for (RFC 9110 section 14)."""
    data = (bytes(range(256)) * (count // 256 + 1))[:count]
    fields = [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes")]
    match = _RANGE.fullmatch(request.value("Range") or "")
    if not match or match.groups() == ("", "") or request.method not in ("GET", "HEAD"):
        return HttpResponse(200, data, fields)
    first, last = match.groups()
    start = int(first) if first else max(0, count - int(last))
    end = min(count, int(last) + 1) if first and last else count
    if start >= count or start >= end:
        return HttpResponse(416, b"", [("Content-Range", f"bytes */{count}")])
    return HttpResponse(206, data[start:end], [*fields, ("Content-Range", f"bytes {start}-{end - 1}/{count}")])


def _upload(request: HttpRequest) -> HttpResponse:
    try:
        form = request.form()
    except BadForm as error:
        return HttpResponse(400, f"bad form: {error}\n")
    parsed = {
        "method": request.method,
        "target": request.target,
        "fields": {name.lower(): value for name, value in request.headers},
        **_measured(request.body),
        "form": [_part(part) for part in form],
    }
    text = json.dumps(parsed).encode() + b"\n"
    return HttpResponse(200, headers=[_JSON], chunks=[text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)])


def _part(part: Part) -> dict[str, Any]:
    try:
        text = part.data.decode("utf-8") if len(part.data) <= MAX_TEXT else None
    except UnicodeDecodeError:
        text = None
    named = {"name": part.name, "filename": part.filename, "content_type": part.content_type}
    return {**named, "headers": part.headers, **_measured(part.data), "text": text}


def _measured(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
