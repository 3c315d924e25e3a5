"""HTTP/1.1 with keep-alive and pipelining: a few useful pages, routes of one's own, and a record of what was asked.

    with HttpServer({"POST /orders": HttpResponse(201, "made")}) as web:
        order(web.url)                                             # the client under test
        (request,) = web.requests
        assert request.method == "POST" and request.form()[0].name == "item"

`mockservers.http.routes` says what a route may be, `mockservers.http.pages` which pages are there. A request that no
route and no page answers is a 404, one with another method a 405, and both are problems of a strict test. A request
that is broken is answered with 400, 413, 431, 501 or 505, and the connection ends. There is no Date and no Server
field: the same request has the same response, byte for byte. The trigger of a request is `GET /x`, without the query.
"""

import asyncio
import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping

from mockservers.connection import Connection
from mockservers.core import Server, Trigger
from mockservers.faultkinds import Armed
from mockservers.http.faults import Raw
from mockservers.http.message import HttpRequest, HttpResponse
from mockservers.http.pages import default_page
from mockservers.http.reader import BadRequest, RequestReader
from mockservers.http.routes import Answer, Route, allowed_methods, call_route, find_route
from mockservers.http.spoiling import spoil
from mockservers.script import Shots
from mockservers.tls.faults import Truncate
from mockservers.tls.handshake import Tls

KEPT = 10_000
KEPT_BYTES = 256 << 20
"""Requests that are kept, and their bytes; the oldest go first."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_UNREAD = HttpRequest("GET", "/", "HTTP/1.1", (("Connection", "close"),))
"""Stands for a request that could not be read: its response ends the connection."""


class HttpTrigger(Trigger):
    """`server.on("GET /x")`: what is to happen when the request comes."""

    def send(self, raw: bytes, *, times: int | None = None) -> None:
        """Answer with these bytes, which are the whole response."""
        self.fault(Raw(raw.decode("latin-1")), times=times)


class HttpServer(Server):
    """HTTP with keep-alive; inside TLS with `tls=True`. `routes` may be changed while it runs."""

    def __init__(
        self,
        routes: Mapping[str, Route] | None = None,
        *,
        tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        self.routes: dict[str, Route] = dict(routes or {})
        self._record = Record()
        self._tls = Tls() if tls else None
        self.name = self.scheme = "https" if tls else "http"
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return self._tls.ca_file if self._tls else None

    def on(self, trigger: str, *, skip: int = 0) -> HttpTrigger:
        return HttpTrigger(self, trigger, skip)

    @property
    def requests(self) -> list[HttpRequest]:
        """The requests that have come, whole, in their order."""
        return self._record.requests()

    def wait_for_request(self, trigger: str, timeout: float = 2.0) -> HttpRequest:
        """The first request such as `POST /x` that came or comes within `timeout` seconds. `TimeoutError`."""
        found = self._record.wait_for(trigger, timeout)
        if found is None:
            raise TimeoutError(f"no {trigger} within {timeout:g} s; what happened:\n{self.transcript()}")
        return found

    async def serve(self, client: Connection) -> None:
        if self._tls:
            await client.start_tls(self._tls)
        reader = RequestReader(client)
        going_on = True
        while going_on:
            try:
                request = await self._read(client, reader)
            except BadRequest as bad:
                await client.send(*HttpResponse(bad.status, f"{bad}\n").pieces(_UNREAD))
                return
            # `truncate` is about the end, which here is the client's to choose.
            going_on = await self._respond(client, request) and not client.armed(Truncate)

    async def _read(self, client: Connection, reader: RequestReader) -> HttpRequest:
        request = await reader.request()
        if "100-continue" in request.tokens("Expect") and request.version != "HTTP/1.0":
            await client.send(_CONTINUE)
        request = await reader.with_body(request)
        self._record.add(request)
        return request

    async def _respond(self, client: Connection, request: HttpRequest) -> bool:
        """Answer a request. Whether the connection goes on."""
        path, target = f"{request.method} {request.path}", f"{request.method} {request.target}"
        shots = await self.trigger(client, request.method, path, target)
        if shots.answered:
            return request.keep_alive
        if raw := shots.first(Raw):
            return await self._send(client, request, raw.text.encode("latin-1"), shots)
        return await self._send(client, request, await self._look_up(request), shots)

    async def _look_up(self, request: HttpRequest) -> Answer:
        route = find_route(self.routes, request)
        if route is not None:
            return await call_route(route, request)
        if methods := allowed_methods(self.routes, request):
            self.problem(f"no such method: {request.method} {request.target}")
            return HttpResponse(405, "no such method\n", [("Allow", ", ".join(methods))])
        page = default_page(request)
        if page is None:
            self.problem(f"no such page: {request.method} {request.target}")
            return HttpResponse(404, "no such page\n")
        return page

    async def _send(self, client: Connection, request: HttpRequest, answer: Answer, shots: Shots) -> bool:
        """Send a response, write by write. Whether the connection goes on."""
        if isinstance(answer, bytes):
            await client.send(answer)
            return request.keep_alive and not ends(answer)
        response = HttpResponse(200, answer) if isinstance(answer, str) else answer
        if response.delay:
            await asyncio.sleep(response.delay)
        outgoing = spoil(request, response, shots)
        for number, piece in enumerate(outgoing.pieces):
            if number and response.pause:
                await asyncio.sleep(response.pause)
            await client.send(piece)
        return not outgoing.closes


def ends(raw: bytes) -> bool:
    """Whether raw bytes are a response whose end is that of the connection: they say so, or they say no length."""
    head, _, rest = raw.lower().partition(b"\r\n\r\n")
    while rest and re.match(rb"http/1\.1 1\d\d", head):  # interim: the response is behind it
        head, _, rest = rest.partition(b"\r\n\r\n")
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    fields = {name.strip(): value.strip() for name, _, value in lines}
    if fields.get(b"connection") == b"close":
        return True
    framed = b"content-length" in fields or b"transfer-encoding" in fields
    return not framed and head[9:12] not in (b"204", b"304")


class Record:
    """The requests that have come. Written on the servers' thread, read and waited for on any."""

    def __init__(self) -> None:
        self._requests: deque[HttpRequest] = deque()
        self._bytes = 0
        self._changed = threading.Condition()

    def add(self, request: HttpRequest) -> None:
        """One more."""
        with self._changed:
            self._requests.append(request)
            self._bytes += len(request.raw) + len(request.body)
            while len(self._requests) > KEPT or (self._bytes > KEPT_BYTES and len(self._requests) > 1):
                oldest = self._requests.popleft()
                self._bytes -= len(oldest.raw) + len(oldest.body)
            self._changed.notify_all()

    def requests(self) -> list[HttpRequest]:
        """All that are kept."""
        with self._changed:
            return list(self._requests)

    def wait_for(self, trigger: str, timeout: float) -> HttpRequest | None:
        """The first `METHOD /path`; None when it does not come in time."""

        def look() -> HttpRequest | None:
            return next(
                (item for item in self._requests if trigger in (item.method, f"{item.method} {item.path}")), None
            )

        with self._changed:
            return self._changed.wait_for(look, timeout)
