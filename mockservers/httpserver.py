"""HTTP/1.1: a few useful pages, and raw bytes on demand (RFC 9112).

    /            a short text                 /status/N    that status
    /chunked     three chunks and a trailer   /bytes/N     N bytes, at most 64 MiB
    /json        a small JSON object          /upload      what was sent, as chunked JSON

`routes` adds pages: a path to bytes that are the whole response, sent as they are. The trigger of a request is
`GET /x`; `reply(...)` sends its text and a line end, whatever that makes of the response.
"""

import json
from collections.abc import Iterable, Mapping

from mockservers.certs import authority
from mockservers.connection import Connection
from mockservers.core import Server
from mockservers.faultkinds import Armed

MAX_BYTES = 64 << 20
MAX_FIELDS = 200
_REASONS = {200: "OK", 204: "No Content", 304: "Not Modified", 404: "Not Found", 500: "Internal Server Error"}
_WELCOME = b"Hello from the mock server.\n"


class HttpServer(Server):
    """HTTP with keep-alive; inside TLS with `tls=True`."""

    def __init__(
        self,
        routes: Mapping[str, bytes] | None = None,
        *,
        tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        self._routes = dict(routes or {})
        self._context = authority().context() if tls else None
        self.name = self.scheme = "https" if tls else "http"
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return authority().ca_file if self._context else None

    async def serve(self, client: Connection) -> None:
        if self._context:
            await client.start_tls(self._context)
        while True:
            method, _, rest = (await client.line()).decode("latin-1").partition(" ")
            target = rest.rpartition(" ")[0] or rest
            fields = await _read_fields(client)
            body = await _read_body(client, fields)
            path = target.partition("?")[0]
            if not await self.command(client, f"{method} {path}"):
                await client.send(self._respond(method, path, body, fields))
            if fields.get("connection", "").lower() == "close":
                return

    def _respond(  # noqa: PLR0911 - a page each
        self, method: str, path: str, body: bytes, fields: Mapping[str, str]
    ) -> bytes:
        if path in self._routes:
            return self._routes[path]
        page, _, number = path.removeprefix("/").partition("/")
        match page, number.isdigit():
            case "", False:
                return response(200, _WELCOME, method=method)
            case "chunked", False:
                return chunked(b"one", b"two, too", b"three", trailer="X-Sum: 3")
            case "json", False:
                return response(200, b'{"hello": "world"}\n', "application/json", method=method)
            case "status", True:
                return response(int(number), b"" if number in ("204", "304") else f"{number}\n".encode(), method=method)
            case "bytes", True if int(number) <= MAX_BYTES:
                data = bytes(range(256)) * (int(number) // 256 + 1)
                return response(200, data[: int(number)], "application/octet-stream", method=method)
            case "upload", False:
                parsed = {"method": method, "bytes": len(body), "fields": dict(fields)}
                return chunked(json.dumps(parsed).encode(), kind="application/json")
            case _:
                self.problem(f"no such page: {method} {path}")
                return response(404, b"no such page\n", method=method)


def response(status: int, body: bytes, kind: str = "text/plain", *, method: str = "GET") -> bytes:
    """A response with Content-Length."""
    head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\nContent-Type: {kind}\r\n"
    if status not in (204, 304):
        head += f"Content-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode("latin-1") + (b"" if method == "HEAD" else body)


def chunked(*chunks: bytes, kind: str = "text/plain", trailer: str = "") -> bytes:
    """A response in chunks, with a trailer field if one is given."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode("latin-1")
    body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return head + body + b"0\r\n" + (f"{trailer}\r\n".encode("latin-1") if trailer else b"") + b"\r\n"


async def _read_fields(client: Connection) -> dict[str, str]:
    fields: dict[str, str] = {}
    for _ in range(MAX_FIELDS):
        line = (await client.line()).decode("latin-1")
        if not line:
            break
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields


async def _read_body(client: Connection, fields: Mapping[str, str]) -> bytes:
    length = fields.get("content-length", "0")
    if fields.get("expect", "").lower() == "100-continue":
        await client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    if fields.get("transfer-encoding", "").lower() != "chunked":
        return await client.exact(min(int(length), MAX_BYTES)) if length.isdigit() else b""
    body = b""
    while size := int((await client.line()).partition(b";")[0], 16):
        if len(body) + size > MAX_BYTES:
            break
        body += await client.exact(size)
        await client.line()
    await _read_fields(client)
    return body
