"""A control connection from its dial to its greeting, and into TLS where that is wanted.

    ftp      220 | 120 then 220
    ftpes    likewise, AUTH TLS -> 234, the handshake     (RFC 4217 section 4)
    ftps     the handshake, then likewise

Nothing is sent before the greeting, or between AUTH TLS and the handshake. The login comes with the first command
(`control`).
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
"""One server, and the connections to it."""

FtpPeers = Peers[ServerKey, ServerState, Control]
"""The servers of one command."""

CLOSING = 421
"""The reply of a server that has too many connections, or too many users."""


def ftp_peers(max_connections: int) -> FtpPeers:
    """Make the servers of one command, with at most `max_connections` to each."""
    return Peers(open_control, ServerState, _rejects_extra, max_connections=max_connections)


def _rejects_extra(error: InetError) -> bool:
    return error.reply_code == CLOSING


def open_control(session: Session, key: ServerKey, state: ServerState) -> Control:
    """Open a control connection, greeted, and inside TLS where that is wanted.

    Errors: those of connecting and TLS, `Refused`.
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
    control.session.trace.lap("login")  # the handshake is a phase of its own
    return control.session.start_tls(control.stream, control.server_key.host)
