"""All servers by their names: what `mockservers run ftp nntps` starts."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Protocol

from mockservers.faultkinds import Armed, BadFault, known_servers


class AnyServer(Protocol):
    """What all servers have in common, pyftpdlib's included."""

    name: str
    host: str
    port: int

    @property
    def url(self) -> str: ...

    @property
    def ca_file(self) -> str | None: ...

    def env(self) -> dict[str, str]: ...

    def problems(self) -> list[str]: ...

    def transcript(self) -> str: ...

    def stop(self) -> None: ...


def make_server(name: str, *, port: int = 0, faults: Iterable[Armed] = ()) -> AnyServer:
    """A server by its name, with its default content. `BadFault`, `Missing`, OSError when the port is taken."""
    return _makers()[name](port, tuple(faults))


def start_servers(stack: ExitStack, names: Iterable[str], faults: Iterable[Armed], port: int = 0) -> list[AnyServer]:
    """The servers, stopped with the stack. A fault that names no server is for all that are started; one that names a
    server which is not started is a `BadFault`. `port` is the first one's; 0 = the kernel's choice for all."""
    chosen = known_servers(names)
    faults = list(faults)
    for armed in faults:
        if armed.server is not None and armed.server not in chosen:
            raise BadFault(f"{armed}: the server {armed.server} is not started")
    servers: list[AnyServer] = []
    for name in chosen:
        mine = [armed for armed in faults if armed.server in (None, name)]
        server = make_server(name, port=port if not servers else 0, faults=mine)
        stack.callback(server.stop)
        servers.append(server)
    return servers


def _makers() -> Mapping[str, Callable[[int, tuple[Armed, ...]], AnyServer]]:
    from mockservers.dnsserver import DnsServer
    from mockservers.ftpserver import FtpServer
    from mockservers.httpserver import HttpServer
    from mockservers.nntpserver import NntpServer
    from mockservers.pyftpd import PyftpdlibServer
    from mockservers.timestamps import TimeServer
    from mockservers.tlsserver import TlsServer

    return {
        "ftp": lambda port, faults: FtpServer(port=port, faults=faults),
        "ftpes": lambda port, faults: FtpServer(tls="explicit", port=port, faults=faults),
        "ftps": lambda port, faults: FtpServer(tls="implicit", port=port, faults=faults),
        "pyftpdlib": lambda port, faults: PyftpdlibServer(port=port, faults=faults),
        "nntp": lambda port, faults: NntpServer(port=port, faults=faults),
        "nntps": lambda port, faults: NntpServer(tls="implicit", port=port, faults=faults),
        "http": lambda port, faults: HttpServer(port=port, faults=faults),
        "https": lambda port, faults: HttpServer(tls=True, port=port, faults=faults),
        "tls": lambda port, faults: TlsServer(port=port, faults=faults),
        "dns": lambda port, faults: DnsServer(port=port, faults=faults),
        "dot": lambda port, faults: DnsServer(tls=True, port=port, faults=faults),
        "time": lambda port, faults: TimeServer(port=port, faults=faults),
    }
