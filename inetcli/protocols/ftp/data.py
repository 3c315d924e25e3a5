"""Data connections: passive, EPSV first and PASV after it, and inside TLS like the control connection.

    EPSV -> 229, or a refusal, or a port that cannot be reached: then PASV -> 227     (IPv4 only)

The address is always that of the control connection. Under TLS the session of the control connection is resumed, which
servers demand (vsftpd's require_ssl_reuse, ProFTPD's default): it proves that both connections have one owner. And the
certificate must be the same: else somebody else is at the other end.
"""

from inetcli.errors import ProtocolViolation, TimedOut, Unreachable
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control, failed
from inetcli.protocols.ftp.wire import parse_epsv, parse_pasv

DATA = "data"


def open_data(control: Control) -> SocketStream:
    """A TCP connection for the next transfer. `Refused` when the server offers no way that works."""
    reply = control.ask("EPSV")
    if reply.code == 229:
        try:
            return _connect(control, parse_epsv(reply))
        except (Unreachable, TimedOut) as error:
            if _is_ipv6(control) or control.session.deadline.passed:
                raise
            control.session.note(f"EPSV: {error.message}; using PASV")
    elif _is_ipv6(control):
        raise failed("EPSV refused, and PASV has no IPv6", reply)
    else:
        control.session.note(f'EPSV refused ("{reply}"); using PASV')
    reply = control.ask("PASV")
    if reply.code != 227:
        raise failed("the server offers no data connection", reply)
    return _connect(control, parse_pasv(reply))


def secure_data(control: Control, stream: SocketStream) -> SocketStream:
    """The data connection inside TLS, if the control connection is: after the 150, where the server starts, too."""
    if not control.secure:
        return stream
    from inetcli.net.tlsstream import TlsStream, start_tls

    above = control.stream
    assert isinstance(above, TlsStream)
    secured = start_tls(control.session, stream, control.host, resume=above.tls.session, context=above.context)
    if not secured.facts.session_reused and secured.facts.chain[:1] != above.facts.chain[:1]:
        secured.close()
        raise ProtocolViolation("the data connection shows another certificate than the control connection")
    return secured


def _connect(control: Control, port: int) -> SocketStream:
    address = control.stream.peer.with_port(port)
    return control.session.connect_address([address], channel=DATA, interactive=False)


def _is_ipv6(control: Control) -> bool:
    return ":" in control.stream.peer.host
