"""Opening a control connection: the greeting, and the start of TLS.

    ftp      220 | 120 then 220
    ftpes    the same, then AUTH TLS -> 234 and the handshake     (RFC 4217 section 4)
    ftps     the handshake, then the same

The client sends nothing before the greeting, and nothing between AUTH TLS and the handshake. The login is sent together
with the first command (`control`).
"""

from inetcli.errors import InetError, TlsHandshake
from inetcli.net.peers import Peer, Peers
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.trust import TlsMode
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.errors import reply_error
from inetcli.protocols.ftp.server_state import ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import parse_reply

FtpPeer = Peer[ServerKey, ServerState, Control]
"""One FTP server and the pool of connections to it."""

FtpPeers = Peers[ServerKey, ServerState, Control]
"""The FTP servers of one command."""

SERVICE_NOT_AVAILABLE = 421
"""The reply of a server that has too many connections or users (RFC 959: "service not available")."""


def ftp_peers(max_connections: int) -> FtpPeers:
    """Make the servers of one command, with at most `max_connections` connections to each."""
    return Peers(open_control, ServerState, _rejects_extra, max_connections=max_connections)


def _rejects_extra(error: InetError) -> bool:
    return error.reply_code == SERVICE_NOT_AVAILABLE


def open_control(session: Session, key: ServerKey, state: ServerState) -> Control:
    """Open a control connection, read its greeting, and start TLS if the TLS mode requires it.

    Errors: those of connecting and of TLS, `Refused`.
    """

    def greet(session: Session, stream: SocketStream) -> Control:
        control = Control(session, stream, key, state)
        greeting = stream.read(parse_reply)
        while greeting.code == 120:
            greeting = stream.read(parse_reply)
        if greeting.code != 220:
            raise reply_error("connection rejected", greeting)
        if key.tls is TlsMode.EXPLICIT:
            control.stream = _auth_tls(control)
        return control

    return session.open(key.host, key.port, tls=key.tls, greet=greet)


def _auth_tls(control: Control) -> SocketStream:
    reply = control.exchange(Command("AUTH", "TLS"))
    if reply.code != 234:
        raise TlsHandshake.from_reply("AUTH TLS refused", reply)
    control.session.trace.end_phase("login")  # The handshake is a separate phase.
    return control.session.start_tls(control.stream, control.server_key.host)
