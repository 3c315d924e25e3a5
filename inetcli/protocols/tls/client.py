"""One hello:

    client: ClientHello (SNI, ALPN)      server: ServerHello ... Certificate ... Finished
    client: what --send says             server: its reply, until it closes, is silent, or has said enough

A certificate that is not good does not end in an error here: a verdict is the answer that was asked for. What keeps a
handshake from happening at all (refused, silent, no TLS, a client certificate wanted) does.
"""

from collections.abc import Sequence
from dataclasses import replace

from inetcli.errors import CertificateProblem, EmptyReply, TimedOut
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.tlsfacts import TlsFacts
from inetcli.net.tlsstream import TlsStream, start_tls
from inetcli.protocols.tls.judge import judge, primary_error
from inetcli.protocols.tls.model import Hello
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
    """The hello, and the error that its verdict stands for. With a bad certificate nothing is sent, except under
    `--insecure`.

    Errors: those of connecting and of the handshake; after `send` those of receiving, `EmptyReply`, `TimedOut`.
    """
    stream, problem = session.wait_for_server(lambda: _shake_hands(session, host, port, server_name, alpn))
    facts = stream.facts if isinstance(stream, TlsStream) else problem.facts if problem else None
    assert isinstance(facts, TlsFacts)
    now = session.network.clock.now()
    chain = tuple(parse_certificate(der) for der in facts.chain)
    problems = judge(chain, problem, now)
    hello = Hello(
        host=host,
        port=port,
        address=stream.peer.host,
        facts=facts,
        chain=chain,
        problems=problems,
        now=now,
        handshake_s=session.trace.phases["tls"].duration,
    )
    if isinstance(stream, TlsStream):
        try:
            if send is not None:
                hello = replace(hello, reply=_ask(stream, send, reply_limit))
            session.trace.freeze_timing()
        finally:
            stream.close()
        return hello, None
    assert problem is not None
    return hello, primary_error(problems, problem, server_name)


def _shake_hands(
    session: Session, host: str, port: int, server_name: str, alpn: Sequence[str]
) -> tuple[SocketStream, CertificateProblem | None]:
    """A stream with TLS on it; or, when the certificate is not good, the closed stream. And what is wrong with the
    certificate, also where `--insecure` lets it pass."""
    deadline = session.connect_deadline()
    stream: SocketStream | None = None
    problem: CertificateProblem | None = None

    def attempt(trusting: Session) -> SocketStream:
        nonlocal stream, problem
        stream = trusting.connect(host, port, deadline=deadline)
        try:
            return start_tls(trusting, stream, server_name, deadline=deadline, alpn=alpn)
        except CertificateProblem as found:
            problem = found
            raise

    try:
        return session.with_verification(attempt), problem
    except CertificateProblem as found:
        if stream is None or found.facts is None:
            raise
        return stream, found


def _ask(stream: TlsStream, send: bytes, limit: int) -> bytes:
    """Send, and take the reply until its end, `limit` bytes, or silence after at least a byte."""
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
