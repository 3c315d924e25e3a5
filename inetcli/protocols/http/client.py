"""One request and all its responses:

    client: request        server: 1xx ... , then the response

The received bytes are passed on as they arrive: `raw` gets every byte of the connection, in order, `head` the bytes of
heads only, `body` the content without its framing. So nothing is lost if a response ends early or is invalid.
"""

from collections.abc import Callable
from functools import partial

from inetcli.errors import ProtocolViolation
from inetcli.net.session import Session, no_greeting
from inetcli.net.stream import SocketStream, Stream
from inetcli.net.trust import TlsMode
from inetcli.protocols.http.model import Exchange, Framing, Request, Response
from inetcli.protocols.http.wire import (
    MAX_INTERIM,
    PIECE,
    Fields,
    determine_framing,
    encode_request,
    parse_chunk_end,
    parse_chunk_size,
    parse_fields,
    parse_head,
    parse_piece,
)

ByteSink = Callable[[bytes], object]


def connect(session: Session, host: str, port: int, tls: TlsMode) -> SocketStream:
    """Open a stream to the server. Errors: those of connecting and TLS."""
    return session.open(host, port, tls=tls, greet=no_greeting, alpn=["http/1.1"], interactive=False)


class Conversation:
    """One request over one stream. `exchange` is filled as data arrives, and is also valid after a failure."""

    def __init__(
        self, stream: Stream, *, raw: ByteSink | None = None, head: ByteSink | None = None, body: ByteSink | None = None
    ) -> None:
        self._stream = stream
        self._raw = raw
        self._head = head
        self._body = body
        self.exchange = Exchange()

    def send(self, request: Request) -> Response:
        """Send the request and read up to the end of its final response.

        Errors: `EmptyReply`, `ProtocolViolation` with the offset, `Incomplete`, those of the stream. Data received
        before an error has been passed on.
        """
        data = encode_request(request)
        self._stream.send(data, shown=encode_request(request, masked=True))
        self.exchange.sent_bytes = len(data)
        reader = self._stream.reader
        try:
            while True:
                response = self._read_response(request.method)
                self.exchange.responses.append(response)
                if not response.head.interim:
                    break
                if len(self.exchange.responses) > MAX_INTERIM:
                    raise ProtocolViolation(f"more than {MAX_INTERIM} interim responses")
        finally:
            self.exchange.received_bytes = reader.received
            self.exchange.surplus = len(reader)
            reader.drain()  # passes on bytes that arrived after the response, without waiting for more
        return response

    def _read_response(self, method: str) -> Response:
        findings = self.exchange.findings
        self._stream.reader.tee = self._head or self._raw
        head = self._stream.read(lambda reader: parse_head(reader, findings))
        self._stream.reader.tee = self._raw
        framing, length = determine_framing(head, method, findings)
        trailers: Fields = ()
        match framing:
            case Framing.NONE:
                size = 0
            case Framing.CONTENT_LENGTH:
                size = self._read_sized(length)
            case Framing.CHUNKED:
                size, trailers = self._read_chunked()
            case Framing.CLOSE:
                size = self._read_to_close()
        return Response(head, framing, size, trailers, self._stream.reader.position)

    def _read_sized(self, length: int) -> int:
        remaining = length
        while remaining:
            piece = self._stream.read(partial(parse_piece, left=remaining))
            self._deliver(piece)
            remaining -= len(piece)
        return length

    def _read_chunked(self) -> tuple[int, Fields]:
        findings = self.exchange.findings
        total = 0
        while size := self._stream.read(lambda reader: parse_chunk_size(reader, findings)):
            total += self._read_sized(size)
            self._stream.read(parse_chunk_end)
        start = self._stream.reader.position
        return total, self._stream.read(lambda reader: parse_fields(reader, start, findings))

    def _read_to_close(self) -> int:
        total = 0
        while piece := self._stream.read(lambda reader: reader.some(PIECE)):
            self._deliver(piece)
            total += len(piece)
        return total

    def _deliver(self, piece: bytes) -> None:
        if self._body:
            self._body(piece)
