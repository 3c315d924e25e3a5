"""The identity of a server, and the state that all connections to it share."""

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
    """The identity of a server and the options of its connections. Targets with the same key share connections.

    `encoding` is the encoding of names if the server does not report UTF-8.
    """

    host: str
    port: int
    tls: TlsMode = TlsMode.OFF
    credentials: Credentials = ANONYMOUS
    active: bool = False
    trust_pasv_address: bool = False
    encoding: str | None = None


class ServerState(PeerState):
    """The facts about a server that earlier connections have found."""

    def __init__(self, on_login: Callable[[], object] = lambda: None) -> None:
        super().__init__(on_login)
        self.pipelines = True
        """Whether the server supports pipelining."""
        self.epsv = True
        self.mlsd = True
        self.data_connected = False
        """Whether a passive data connection has succeeded, so that no firewall blocks them."""
        self.features: Features | None = None
