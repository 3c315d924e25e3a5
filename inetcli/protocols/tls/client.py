"""One handshake:

    client: ClientHello (SNI, ALPN)      server: ServerHello ... Certificate ... Finished
    client: the text of --send           server: its reply, until it closes, is silent, or the limit is reached

A bad certificate is not an error here: the verdict is the requested result. A failure of the handshake itself is an
error (connection refused, silence, no TLS, client certificate required).
"""

from collections.abc import Sequence
from dataclasses import replace

from inetcli.errors import CertificateProblem, EmptyReply, TimedOut
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.tlsfacts import TlsFacts
from inetcli.net.tlsstream import TlsStream
from inetcli.net.trust import TlsMode
from inetcli.protocols.tls.model import Hello
from inetcli.protocols.tls.problems import find_problems, primary_error
from inetcli.protocols.tls.wire import parse_certificate
from inetcli.wire.reader import Parser, Reader


def say_hello(
    session: Session,
    host: str,
    port: int,
    *,
    server_name: str,
    alpn: Sequence[str] = (),
    send: bytes | None = None,
    reply_limit: int,
) -> tuple[Hello, CertificateProblem | None]:
    """Do a handshake; return the hello, and the error for its verdict. With a bad certificate nothing is sent, except
    under `--insecure`.

    Errors: those of connecting and of the handshake; after `send` those of receiving, `EmptyReply`, `TimedOut`.
    """
    problem: CertificateProblem | None = None
    stream: TlsStream | None = None
    try:
        stream = session.open(host, port, tls=TlsMode.IMPLICIT, greet=_as_tls, server_name=server_name, alpn=alpn)
        facts, tolerated = stream.facts, stream.tolerated
    except CertificateProblem as error:
        if not isinstance(error.facts, TlsFacts):
            raise
        problem, facts, tolerated = error, error.facts, error
    now = session.network.clock.now()
    chain = tuple(parse_certificate(der) for der in facts.chain)
    hello = Hello(
        host=host,
        port=port,
        facts=facts,
        chain=chain,
        problems=find_problems(chain, tolerated, now),
        now=now,
    )
    if stream is not None:
        try:
            if send is not None:
                hello = replace(hello, reply=_send_and_read(stream, send, reply_limit))
            session.trace.freeze_timing()
        finally:
            stream.close()
    return hello, primary_error(hello.problems, problem, server_name) if problem else None


def _as_tls(_session: Session, stream: SocketStream) -> TlsStream:
    assert isinstance(stream, TlsStream)
    return stream


def _send_and_read(stream: TlsStream, send: bytes, limit: int) -> bytes:
    """Send, and read the reply until its end, `limit` bytes, or silence after at least one byte."""
    stream.send(send)

    def parse(reader: Reader) -> Parser[bytes]:
        while len(reader) < limit and not reader.ended:
            yield
        if not len(reader):
            raise EmptyReply("the server closed the connection before the first byte of a reply")
        return (yield from reader.some(limit))

    try:
        return stream.read(parse)
    except TimedOut:
        if len(stream.reader):
            return stream.reader.drain()
        raise
