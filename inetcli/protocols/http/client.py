"""One request and all that comes back:

    client: request        server: 1xx ... , then the response

The received bytes are handed on as they come: `raw` gets every byte of the connection, in order, `head` those of heads
alone, and `body` the content without its framing. So nothing is lost when a response breaks off or makes no sense.
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
    encode_request,
    framing_of,
    parse_chunk_end,
    parse_chunk_size,
    parse_fields,
    parse_head,
    parse_piece,
)

Sink = Callable[[bytes], object]


def connect(session: Session, host: str, port: int, tls: TlsMode) -> SocketStream:
    """Open a stream to the server. Errors: those of connecting and TLS."""
    return session.open(host, port, tls=tls, greet=no_greeting, alpn=["http/1.1"], interactive=False)


class Conversation:
    """One request over one stream. `exchange` fills up as things come, and stands also when it fails."""

    def __init__(
        self, stream: Stream, *, raw: Sink | None = None, head: Sink | None = None, body: Sink | None = None
    ) -> None:
        self._stream = stream
        self._raw = raw
        self._head = head
        self._body = body
        self.exchange = Exchange()

    def ask(self, request: Request) -> Response:
        """Send the request and take everything up to the end of its final response.

        Errors: `EmptyReply`, `ProtocolViolation` with the offset, `Incomplete`, those of the stream. What came before
        has been handed on.
        """
        data = encode_request(request)
        self._stream.send(data, shown=encode_request(request, masked=True))
        self.exchange.sent_bytes = len(data)
        reader = self._stream.reader
        try:
            while True:
                response = self._response(request.method)
                self.exchange.responses.append(response)
                if not response.head.interim:
                    break
                if len(self.exchange.responses) > MAX_INTERIM:
                    raise ProtocolViolation(f"over {MAX_INTERIM} interim responses came")
        finally:
            self.exchange.received_bytes = reader.received
            self.exchange.surplus = len(reader)
            reader.drain()  # what has arrived behind the response is shown, and never waited for
        return response

    def _response(self, method: str) -> Response:
        findings = self.exchange.findings
        self._stream.reader.tee = self._head or self._raw
        head = self._stream.read(lambda reader: parse_head(reader, findings))
        self._stream.reader.tee = self._raw
        framing, length = framing_of(head, method, findings)
        trailers: Fields = ()
        match framing:
            case Framing.NONE:
                size = 0
            case Framing.CONTENT_LENGTH:
                size = self._sized(length)
            case Framing.CHUNKED:
                size, trailers = self._chunked()
            case Framing.CLOSE:
                size = self._to_the_end()
        return Response(head, framing, size, trailers, self._stream.reader.position)

    def _sized(self, length: int) -> int:
        left = length
        while left:
            piece = self._stream.read(partial(parse_piece, left=left))
            self._hand_on(piece)
            left -= len(piece)
        return length

    def _chunked(self) -> tuple[int, Fields]:
        findings = self.exchange.findings
        total = 0
        while size := self._stream.read(lambda reader: parse_chunk_size(reader, findings)):
            total += self._sized(size)
            self._stream.read(parse_chunk_end)
        start = self._stream.reader.position
        return total, self._stream.read(lambda reader: parse_fields(reader, start, findings))

    def _to_the_end(self) -> int:
        total = 0
        while piece := self._stream.read(lambda reader: reader.some(PIECE)):
            self._hand_on(piece)
            total += len(piece)
        return total

    def _hand_on(self, piece: bytes) -> None:
        if self._body:
            self._body(piece)
