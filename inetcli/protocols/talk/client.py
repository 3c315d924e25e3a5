"""Conversations in lock-step:

    TCP  client: line        server: its reply, a line      (repeated)
         client: half-close  server: remaining lines, then its end
    UDP  client: datagram    server: a datagram             (repeated)

Datagrams get lost: a missing reply within the silence limit is `TimedOut`, and nothing is sent again.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from inetcli.errors import Incomplete, Unreachable
from inetcli.net.datagram import Datagrams
from inetcli.net.duplex import send_and_receive
from inetcli.net.session import Session, no_greeting
from inetcli.net.stream import SocketStream, Stream
from inetcli.net.trust import TlsMode
from inetcli.payload import Payload
from inetcli.protocols.talk.model import LineExchange
from inetcli.protocols.talk.wire import LF, encode_line, parse_final_line, parse_reply


def connect(session: Session, host: str, port: int, tls: TlsMode) -> SocketStream:
    """Open a stream to the peer. Errors: those of connecting and TLS."""
    return session.open(host, port, tls=tls, greet=no_greeting)


def talk(stream: Stream, lines: Iterable[bytes], end: bytes = LF) -> Iterator[LineExchange]:
    """Send each line after the reply to the previous one; then half-close, and read to the peer's end.

    Errors: those of the stream; `EmptyReply` if the peer closes instead of replying; `Incomplete` if the peer closes
    inside a reply, after an exchange with the received part.
    """
    for line in lines:
        sent_at = stream.instant()
        stream.send(encode_line(line, end))
        try:
            reply = stream.read(parse_reply)
        except Incomplete:
            yield LineExchange(line, stream.reader.drain(), stream.instant() - sent_at)
            raise
        yield LineExchange(line, reply, stream.instant() - sent_at)
    stream.finish_sending()
    while (rest := stream.read(parse_final_line)) is not None:
        yield LineExchange(None, rest, None)


def talk_stream(stream: SocketStream, payload: Payload, write: Callable[[bytes], object]) -> None:
    """Send a whole payload, half-close, and pass the bytes of the peer to `write` as they arrive, up to its end.

    Errors: those of the stream, `LocalRead`; `TimedOut` if the peer is silent.
    """
    send_and_receive(stream, payload.fd, payload.path, write)


def talk_datagrams(session: Session, host: str, port: int, lines: Iterable[bytes]) -> Iterator[LineExchange]:
    """Send each line as a datagram after the reply to the previous one.

    Errors: `TimedOut` without a reply, `Unreachable` if the port is closed. `--wait` waits for the port to open: a line
    to a closed port was read by nobody, and is sent again. A line without any response may have been read, and is not
    sent again.
    """
    until = session.wait_deadline()
    with session.wait_for_server(lambda: session.datagrams(host, port), until) as peer:
        peer_replied = False
        for line in lines:
            exchange = partial(_exchange, peer, line)
            yield exchange() if peer_replied else session.wait_for_server(exchange, until, only=Unreachable)
            peer_replied = True


def _exchange(peer: Datagrams, line: bytes) -> LineExchange:
    clock = peer.limits.deadline.clock
    sent_at = clock.monotonic()
    peer.send(line)
    reply = peer.receive()
    return LineExchange(line, reply, clock.monotonic() - sent_at)
