"""A control connection from its dial to its greeting, and into TLS where it is to be.

    ftp      220 | 120 then 220
    ftpes    likewise, AUTH TLS -> 234, the handshake     (RFC 4217 section 4)
    ftps     the handshake, then likewise

Nothing is sent before the greeting, or between AUTH TLS and the handshake. The login is `control`'s.
"""

from inetcli.errors import TlsHandshake
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control, ServerKey, ServerState
from inetcli.protocols.ftp.errors import failed
from inetcli.protocols.ftp.model import Security
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import parse_reply


def open_control(session: Session, endpoint: ServerKey, manners: ServerState | None = None) -> Control:
    """A control connection that has been greeted, and is inside TLS if it is to be; the login comes with the first
    command. Errors: those of connecting and TLS, `Refused`."""
    known = manners or ServerState()
    if known.denied:
        raise known.denied
    return session.wait_for_server(
        lambda: session.with_verification(lambda trusting: _greet(trusting, endpoint, known))
    )


def _greet(session: Session, endpoint: ServerKey, manners: ServerState) -> Control:
    """Connect, secure, and take the greeting."""
    deadline = session.connect_deadline()
    stream = session.connect(endpoint.host, endpoint.port, deadline=deadline)
    try:
        if endpoint.security is Security.IMPLICIT:
            from inetcli.net.tlsstream import start_tls

            stream = start_tls(session, stream, endpoint.host, deadline=deadline)
        control = Control(session, stream, endpoint, manners)
        greeting = stream.read(parse_reply)
        while greeting.code == 120:
            greeting = stream.read(parse_reply)
        if greeting.code != 220:
            raise failed("the server does not want us", greeting)
        if endpoint.security is Security.EXPLICIT:
            control.stream = stream = _auth_tls(control)
    except BaseException:
        stream.close()
        raise
    return control


def _auth_tls(control: Control) -> SocketStream:
    from inetcli.net.tlsstream import start_tls

    control.send(Command("AUTH", "TLS"))
    reply = control.reply()
    if reply.code != 234:
        raise TlsHandshake(f'AUTH TLS refused: "{reply}"', reply_code=reply.code, reply=str(reply))
    return start_tls(control.session, control.stream, control.endpoint.host)
