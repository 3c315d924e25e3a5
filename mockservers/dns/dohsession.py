"""One connection of DNS over HTTPS: HTTP/2 streams, each a question and its reply (RFC 8484, RFC 9113).

Only HTTP/2, as BIND and Unbound have it; whoever does not agree to it by ALPN is told so in HTTP/1.1. What is no query
is answered with 400, 404, 405, 413 or 415; whatever DNS itself has to say comes with 200 (RFC 8484 section 4.2.1). A
response may be kept as long as its shortest-lived record. This is the only module that needs h2.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError, StreamClosedError

from mockservers.connection import Connection
from mockservers.dns.doh import KIND, MAX_QUERY, Refused, read_query
from mockservers.dns.spoiling import Outgoing

Ask = Callable[[bytes], Awaitable[list[Outgoing] | None]]
"""What goes out for a message: nothing for a lost one, None for what is no query."""

_NOT_HTTP2 = (
    b"HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: 35\r\n\r\nexpected HTTP/2, agreed to by ALPN\n"
)


@dataclass(slots=True)
class _Stream:
    """A request that is coming in."""

    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


async def serve_doh(client: Connection, ask: Ask) -> None:
    """The conversation with one client, once TLS stands."""
    if client.tls is None or client.tls.selected_alpn_protocol() != "h2":
        await client.send(_NOT_HTTP2)
        return
    await _Session(client, ask).run()


class _Session:
    """The streams, and the responses that wait until the client has room for them."""

    def __init__(self, client: Connection, ask: Ask) -> None:
        self._client = client
        self._ask = ask
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
        self._streams: dict[int, _Stream] = {}
        self._waiting: dict[int, bytes] = {}

    async def run(self) -> None:
        self._h2.initiate_connection()
        await self._flush()
        while data := await self._client.some():
            try:
                for event in self._h2.receive_data(data):
                    await self._handle(event)
                self._send_waiting()
            except ProtocolError:
                await self._flush()  # h2 has put a GOAWAY there, unless the client has sent its own
                return
            await self._flush()

    async def _handle(self, event: Event) -> None:
        match event:
            case RequestReceived():
                headers = {str(name): str(value) for name, value in event.headers or []}
                self._streams[event.stream_id or 0] = _Stream(headers)
            case DataReceived():
                self._take(event.stream_id or 0, event.data or b"", event.flow_controlled_length or 0)
            case StreamReset():
                self._streams.pop(event.stream_id or 0, None)
                self._waiting.pop(event.stream_id or 0, None)
            case StreamEnded() if stream := self._streams.pop(event.stream_id or 0, None):
                await self._respond(event.stream_id or 0, stream)

    def _take(self, number: int, data: bytes, size: int) -> None:
        self._h2.acknowledge_received_data(size, number)
        stream = self._streams.get(number)
        if stream and len(stream.body) <= MAX_QUERY:
            stream.body += data

    async def _respond(self, number: int, stream: _Stream) -> None:
        try:
            replies = await self._ask(read_query(stream.headers, bytes(stream.body)))
            if replies is None:
                raise Refused(400, "expected a DNS query")
        except Refused as refused:
            self._start(number, refused.status, "text/plain; charset=utf-8", f"{refused}\n".encode())
            return
        for reply in replies[:1]:
            self._start(number, 200, KIND, reply.data, ("cache-control", f"max-age={reply.lifetime}"))

    def _start(self, number: int, status: int, kind: str, body: bytes, *more: tuple[str, str]) -> None:
        fields = [(":status", str(status)), ("content-type", kind), ("content-length", str(len(body))), *more]
        try:
            self._h2.send_headers(number, fields)
        except StreamClosedError:
            return  # the client has reset it meanwhile
        self._waiting[number] = body

    def _send_waiting(self) -> None:
        """As much of the responses as the client has room for (RFC 9113 section 5.2)."""
        for number, body in list(self._waiting.items()):
            left = body
            while left and (room := self._room(number)) > 0:
                self._h2.send_data(number, left[:room])
                left = left[room:]
            self._waiting[number] = left
            if not left:
                self._h2.end_stream(number)
                del self._waiting[number]

    def _room(self, number: int) -> int:
        return min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)

    async def _flush(self) -> None:
        if data := self._h2.data_to_send():
            await self._client.send(data)
