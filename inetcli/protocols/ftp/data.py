"""Data connections: passive ones (EPSV, and PASV after it), active ones (EPRT, and PORT after it), and TLS on them.

    passive    EPSV -> 229, or a refusal, or a port that cannot be reached: then PASV -> 227     (IPv4 only)
    active     EPRT -> 200, or a refusal: then PORT -> 200                                       (IPv4 only)

A connector knows how the connection is to come about: its `command` goes out first, and `begin_transfer` is given the
reply. Out comes the data connection, which carries the replies of its transfer.

A command that has failed once is not tried again with that server. The first passive connection is made before its
transfer is asked for, because there may be no way through, and then PASV is next; after that, while the transfer is
under way.

The address is that of the control connection, in both directions. Under TLS the session of the control connection is
resumed, which servers demand (vsftpd's require_ssl_reuse, ProFTPD's default): it proves that both connections have one
owner. And the certificate must be the same: else somebody else is at the other end.
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
    """A data connection, and the replies of the transfer that it is for. Use it in a `with`, which closes it."""

    def __init__(self, control: Control, stream: SocketStream, start: Reply) -> None:
        self._control = control
        self.stream = stream
        self.start = start
        """The first reply: the transfer begins (150), or has taken place (226)."""
        self.resumed = False
        """The TLS session of the control connection is resumed here."""

    @property
    def secure(self) -> bool:
        """Whether TLS is to be spoken here."""
        return self._control.secure

    def start_tls(self) -> None:
        """Do the TLS handshake if the control connection is inside TLS: after the 150, where the server starts, too."""
        if not self.secure:
            return
        above = self._control.stream
        secured = self._control.session.start_tls(self.stream, self._control.server_key.host, resume_from=above)
        self.stream = secured
        self.resumed = secured.facts.session_reused
        same_owner = above.facts is not None and secured.facts.chain[:1] == above.facts.chain[:1]
        if not self.resumed and not same_owner:
            secured.close()
            raise ProtocolViolation("the data connection shows another certificate than the control connection")

    def final_reply(self) -> Reply | InetError:
        """Return the reply behind the data, or why there is none."""
        if self.start.first == 2:
            return self.start
        try:
            return self._control.reply()
        except InetError as error:
            return error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stream.close()


class Passive:
    """A connector with which we connect. `command` asks where to."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.command = Command("EPSV" if control.server_state.epsv or _is_ipv6(control) else "PASV")

    def begin_transfer(self, transfer: Command, reply: Reply) -> DataConnection | Reply:
        """Ask for the transfer, and connect; `reply` is that to `command`. A reply instead = the transfer is refused.

        Errors: `Refused` when the server offers no way that works, `Unreachable`, `TimedOut`.
        """
        control = self._control
        address = self._address(self.command.verb, reply)
        if control.server_state.data_connected and address is not None:
            control.send([transfer])
            try:
                stream = self._connect(address)
            except ReceiveFailed as error:
                raise self._broken(error) from error
            except InetError:
                control.forbid_reuse()
                raise
        else:
            stream = self._find_way(address)
            control.server_state.data_connected = True
            try:
                control.send([transfer])
            except BaseException:
                stream.close()
                raise
        try:
            first = control.reply()
        except BaseException:
            stream.close()
            raise
        if first.first in (1, 2):
            return DataConnection(control, stream, first)
        stream.close()
        return first

    def close(self) -> None:
        """No-op: nothing is open before the transfer is asked for."""

    def _broken(self, error: ReceiveFailed) -> Incomplete:
        """The connection was there, and reset before anything came of it: the transfer has ended, too."""
        try:
            while (end := self._control.reply()).first == 1:
                pass
            words = f'the server said "{end}"'
        except InetError as lost:
            words = f"no final reply: {lost.message}"
        return Incomplete(f"incomplete: {error.message}, {words}")

    def _find_way(self, address: Address | None) -> SocketStream:
        """Connect there, or by PASV where EPSV leads nowhere."""
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
        """Return where to connect to; None = EPSV was refused, and PASV is next."""
        control = self._control
        peer = control.stream.peer
        if verb == "PASV":
            expect_reply(reply, 227, lambda reply: reply_error("the server offers no data connection", reply))
            host, port = parse_pasv(reply)
            return Address(IPV4, (host, port)) if control.server_key.trust_pasv_address else peer.with_port(port)
        if reply.code == 229:
            return peer.with_port(parse_epsv(reply))
        if _is_ipv6(control):
            raise reply_error("EPSV refused, and PASV has no IPv6", reply)
        if control.server_state.epsv:
            control.session.note(f'EPSV refused ("{reply}"); using PASV')
        return None

    def _connect(self, address: Address) -> SocketStream:
        return self._control.session.connect_address([address], channel=DATA, interactive=False)


class Active:
    """A connector with which the server connects. `command` tells it where to."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._acceptor = Acceptor(control.stream)
        ours = self._acceptor.address
        self.command = encode_eprt(ours.host, ours.port)

    def begin_transfer(self, transfer: Command, reply: Reply) -> DataConnection | Reply:
        """Ask for the transfer, and let the server connect; see `Passive`. `TimedOut` when it does not."""
        control = self._control
        with self._acceptor:
            if reply.first != 2 and not _is_ipv6(control):
                control.session.note(f'EPRT refused ("{reply}"); using PORT')
                ours = self._acceptor.address
                reply = control.ask_all([encode_port(ours.host, ours.port)])[0]
            expect_reply(reply, 2, lambda reply: reply_error("the server makes no data connection to us", reply))
            control.send([transfer])
            first = control.reply()
            if first.first not in (1, 2):
                return first
            return DataConnection(control, control.session.accept(self._acceptor, channel=DATA), first)

    def close(self) -> None:
        """Stop listening, also where the transfer is not asked for after all."""
        self._acceptor.close()


Connector = Passive | Active
"""How a data connection comes about."""


def data_connector(control: Control) -> Connector:
    """Return how the next data connection is to come about."""
    return Passive(control) if not control.server_key.active else Active(control)


def begin_transfer(control: Control, transfer: Command) -> DataConnection | Reply:
    """Ask for a data connection and then for a transfer on it. A reply instead = the transfer is refused."""
    with closing(data_connector(control)) as connector:
        (reply,) = control.ask_all([connector.command])
        return connector.begin_transfer(transfer, reply)


def _is_ipv6(control: Control) -> bool:
    return ":" in control.stream.peer.host
