"""Two ways to talk, in lock-step:

    TCP  client: line        server: its reply, a line      (again and again)
         client: half-close  server: what is left, then its end
    UDP  client: datagram    server: a datagram             (again and again)

Datagrams get lost: a reply that does not come within the silence limit is a `TimedOut`, and nothing is sent again.
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
from inetcli.protocols.talk.model import Turn
from inetcli.protocols.talk.wire import LF, encode_line, parse_farewell, parse_reply


def connect(session: Session, host: str, port: int, tls: TlsMode) -> SocketStream:
    """Open a stream to the peer. Errors: those of connecting and TLS."""
    return session.open(host, port, tls=tls, greet=no_greeting)


def talk(stream: Stream, lines: Iterable[bytes], end: bytes = LF) -> Iterator[Turn]:
    """Send each line when the reply to the one before is here; then half-close, and read to the peer's end.

    Errors: those of the stream; `EmptyReply` when the peer ends instead of replying, `Incomplete` when it ends inside
    a reply, after a turn with what came of it.
    """
    for line in lines:
        asked = stream.instant()
        stream.send(encode_line(line, end))
        try:
            reply = stream.read(parse_reply)
        except Incomplete:
            yield Turn(line, stream.reader.drain(), stream.instant() - asked)
            raise
        yield Turn(line, reply, stream.instant() - asked)
    stream.finish_sending()
    while (rest := stream.read(parse_farewell)) is not None:
        yield Turn(None, rest, None)


def talk_stream(stream: SocketStream, payload: Payload, write: Callable[[bytes], object]) -> None:
    """Send a whole payload, half-close, and give `write` the bytes of the peer as they come, until it ends.

    Errors: those of the stream, `LocalRead`; `TimedOut` when the peer is silent.
    """
    send_and_receive(stream, payload.fd, payload.path, write)


def talk_datagrams(session: Session, host: str, port: int, lines: Iterable[bytes]) -> Iterator[Turn]:
    """Send each line as a datagram of its own when the reply to the one before is here.

    Errors: `TimedOut` when no reply comes, `Unreachable` when nobody listens on the port. `--wait` waits for somebody
    to listen: a refused line was read by nobody, and goes out again. One that met with silence may have been read.
    """
    until = session.wait_deadline()
    with session.wait_for_server(lambda: session.datagrams(host, port), until) as peer:
        met = False
        for line in lines:
            turn = partial(_turn, peer, line)
            yield turn() if met else session.wait_for_server(turn, until, only=Unreachable)
            met = True


def _turn(peer: Datagrams, line: bytes) -> Turn:
    clock = peer.limits.deadline.clock
    asked = clock.monotonic()
    peer.send(line)
    reply = peer.receive()
    return Turn(line, reply, clock.monotonic() - asked)
