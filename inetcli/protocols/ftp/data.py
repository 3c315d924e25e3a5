"""Data connections: passive (EPSV, then PASV), active (EPRT, then PORT), and TLS on them.

    passive    EPSV -> 229; PASV -> 227 if EPSV is refused or its port cannot be reached     (PASV: IPv4 only)
    active     EPRT -> 200; PORT -> 200 if EPRT is refused                                   (PORT: IPv4 only)

A connector prepares the connection: the caller sends its `command` and passes the reply to `begin_transfer`, which
returns the data connection with the first reply of the transfer.

A command that has failed is not sent to the same server again. The first passive connection to a server is made before
its transfer command is sent, because a firewall may block it; then PASV is tried. After one success, later connections
are made after the transfer command, while the server prepares the transfer.

The address is that of the control connection, in both directions. With TLS, the data connection resumes the session of
the control connection. Servers require this (vsftpd's require_ssl_reuse, ProFTPD's default), because it proves that one
client has opened both connections. The certificate must also be the same: another one may be that of an attacker.
"""

from contextlib import closing
from types import TracebackType
from typing import Self

from inetcli.errors import Incomplete, InetError, ProtocolViolation, ReceiveFailed, TimedOut, Unreachable
from inetcli.net.listen import Acceptor
from inetcli.net.resolve import IPV4, Address
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.errors import expect_reply, reply_error
from inetcli.protocols.ftp.wire import Command, encode_eprt, encode_port, parse_epsv, parse_pasv
from inetcli.wire.replies import Reply

DATA = "data"


class DataConnection:
    """A data connection and the replies of its transfer. Use it in a `with`, which closes the connection."""

    def __init__(self, control: Control, stream: SocketStream, first_reply: Reply) -> None:
        self._control = control
        self.stream = stream
        self.first_reply = first_reply
        """The first reply to the transfer command: the transfer begins (150) or is complete (226)."""
        self.session_resumed = False
        """Whether the TLS session of the control connection was resumed."""

    @property
    def uses_tls(self) -> bool:
        """Whether the data connection must use TLS."""
        return self._control.uses_tls

    def start_tls(self) -> None:
        """Do the TLS handshake if the control connection uses TLS, after the 150, when the server starts it, too."""
        if not self.uses_tls:
            return
        control = self._control.stream
        secured = self._control.session.start_tls(self.stream, self._control.server_key.host, resume_from=control)
        self.stream = secured
        self.session_resumed = secured.facts.session_reused
        same_certificate = control.facts is not None and secured.facts.chain[:1] == control.facts.chain[:1]
        if not self.session_resumed and not same_certificate:
            secured.close()
            raise ProtocolViolation("the data connection has another certificate than the control connection")

    def read_final_reply(self) -> Reply | InetError:
        """Read the final reply of the transfer and return it, or return the error of reading it."""
        if self.first_reply.first == 2:
            return self.first_reply
        try:
            return self._control.read_reply()
        except InetError as error:
            return error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stream.close()


class PassiveConnector:
    """A connector that connects to the server. `command` requests the port."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.command = Command("EPSV" if control.server_state.epsv or _is_ipv6(control) else "PASV")

    def begin_transfer(self, transfer: Command, reply: Reply) -> DataConnection | Reply:
        """Send the transfer command and connect. Returns a reply instead of a connection if the transfer is refused.

        `reply` is the reply to `command`. Errors: `Refused` if the server offers no usable data connection,
        `Unreachable`, `TimedOut`.
        """
        control = self._control
        address = self._address(self.command.verb, reply)
        if control.server_state.data_connected and address is not None:
            control.send([transfer])
            try:
                stream = self._connect(address)
            except ReceiveFailed as error:
                raise self._reset_error(error) from error
            except InetError:
                control.forbid_reuse()
                raise
        else:
            stream = self._connect_first(address)
            control.server_state.data_connected = True
            try:
                control.send([transfer])
            except BaseException:
                stream.close()
                raise
        try:
            first = control.read_reply()
        except BaseException:
            stream.close()
            raise
        if first.first in (1, 2):
            return DataConnection(control, stream, first)
        stream.close()
        return first

    def close(self) -> None:
        """No-op: nothing is open before `begin_transfer`."""

    def _reset_error(self, error: ReceiveFailed) -> Incomplete:
        """Return the error for a data connection that the server reset at once; the transfer has ended, too."""
        try:
            while (final_reply := self._control.read_reply()).first == 1:
                pass
            reply_text = f'the server said "{final_reply}"'
        except InetError as failure:
            reply_text = f"no final reply: {failure.message}"
        return Incomplete(f"incomplete: {error.message}, {reply_text}")

    def _connect_first(self, address: Address | None) -> SocketStream:
        """Connect to the address of EPSV, or use PASV if that does not work."""
        control = self._control
        if self.command.verb == "EPSV" and not _is_ipv6(control):
            try:
                if address is not None:
                    return self._connect(address)
            except (Unreachable, TimedOut) as error:
                if control.session.deadline.passed:
                    raise
                control.session.note(f"EPSV: {error.message}; using PASV")
            control.server_state.epsv = False
            address = self._address("PASV", control.ask("PASV"))
        assert address is not None
        return self._connect(address)

    def _address(self, verb: str, reply: Reply) -> Address | None:
        """Return the address to connect to; None = EPSV was refused, and PASV must be tried."""
        control = self._control
        peer = control.stream.peer
        if verb == "PASV":
            expect_reply(reply, 227, lambda reply: reply_error("PASV refused", reply))
            host, port = parse_pasv(reply)
            return Address(IPV4, (host, port)) if control.server_key.trust_pasv_address else peer.with_port(port)
        if reply.code == 229:
            return peer.with_port(parse_epsv(reply))
        if _is_ipv6(control):
            raise reply_error("EPSV refused, and PASV does not support IPv6", reply)
        if control.server_state.epsv:
            control.session.note(f'EPSV refused ("{reply}"); using PASV')
        return None

    def _connect(self, address: Address) -> SocketStream:
        return self._control.session.connect_address([address], channel=DATA, interactive=False)


class ActiveConnector:
    """A connector that waits for a connection from the server. `command` tells the server the address."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._acceptor = Acceptor(control.stream)
        local_address = self._acceptor.address
        self.command = encode_eprt(local_address.host, local_address.port)

    def begin_transfer(self, transfer: Command, reply: Reply) -> DataConnection | Reply:
        """Send the transfer command and accept the connection; see `PassiveConnector`.

        Errors: `Refused` if the server does not accept the address, `TimedOut` if it does not connect.
        """
        control = self._control
        with self._acceptor:
            verb = self.command.verb
            if reply.first != 2 and not _is_ipv6(control):
                verb = "PORT"
                control.session.note(f'EPRT refused ("{reply}"); using PORT')
                local_address = self._acceptor.address
                reply = control.ask_all([encode_port(local_address.host, local_address.port)])[0]
            expect_reply(reply, 2, lambda reply: reply_error(f"{verb} refused", reply))
            control.send([transfer])
            first = control.read_reply()
            if first.first not in (1, 2):
                return first
            return DataConnection(control, control.session.accept(self._acceptor, channel=DATA), first)

    def close(self) -> None:
        """Stop listening, also if the transfer was never requested."""
        self._acceptor.close()


Connector = PassiveConnector | ActiveConnector
"""The preparation of a data connection, passive or active."""


def data_connector(control: Control) -> Connector:
    """Make the connector for the next data connection, passive or active as the options require."""
    return PassiveConnector(control) if not control.server_key.active else ActiveConnector(control)


def begin_transfer(control: Control, transfer: Command) -> DataConnection | Reply:
    """Request a data connection, then a transfer on it. Returns a reply instead if the transfer is refused."""
    with closing(data_connector(control)) as connector:
        (reply,) = control.ask_all([connector.command])
        return connector.begin_transfer(transfer, reply)


def _is_ipv6(control: Control) -> bool:
    return ":" in control.stream.peer.host
