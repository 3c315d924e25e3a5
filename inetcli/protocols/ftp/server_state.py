"""A server, how to speak to it, and what has been learned of it, for all connections to it."""

from collections.abc import Callable
from dataclasses import dataclass

from inetcli.net.credentials import Credentials
from inetcli.net.peers import PeerState
from inetcli.net.trust import TlsMode
from inetcli.protocols.ftp.model import Features
from inetcli.secret import Secret

ANONYMOUS = Credentials("anonymous", Secret("anonymous@"), "anonymous")


@dataclass(frozen=True, slots=True)
class ServerKey:
    """A server, and how to speak to it: targets with the same key share its connections.

    `encoding` is that of names, where the server does not say that they are UTF-8.
    """

    host: str
    port: int
    tls: TlsMode = TlsMode.OFF
    credentials: Credentials = ANONYMOUS
    active: bool = False
    trust_pasv_address: bool = False
    encoding: str | None = None


class ServerState(PeerState):
    """The facts that have been learned of a server."""

    def __init__(self, on_login: Callable[[], object] = lambda: None) -> None:
        super().__init__(on_login)
        self.pipelines = True
        """Commands may be sent together."""
        self.epsv = True
        self.mlsd = True
        self.data_connected = False
        """A passive data connection has come about: nothing blocks them."""
        self.features: Features | None = None
