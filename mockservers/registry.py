"""All servers by their names: what `mockservers run ftp nntps` starts."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Protocol

import mockservers
from mockservers.families import known_server, known_servers
from mockservers.faultkinds import Armed, BadFault


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


KINDS: Mapping[str, tuple[str, dict[str, object]]] = {
    "ftp": ("FtpServer", {}),
    "ftpes": ("FtpServer", {"tls": "explicit"}),
    "ftps": ("FtpServer", {"tls": "implicit"}),
    "pyftpdlib": ("PyftpdlibServer", {}),
    "nntp": ("NntpServer", {}),
    "nntps": ("NntpServer", {"tls": "implicit"}),
    "http": ("HttpServer", {}),
    "https": ("HttpServer", {"tls": True}),
    "tls": ("TlsServer", {}),
    "dns": ("DnsServer", {}),
    "dot": ("DnsServer", {"tls": True}),
    "doh": ("DnsServer", {"https": True}),
    "time": ("TimeServer", {}),
}
"""The class of each, in `mockservers`, and what makes it that one."""


def make_server(name: str, *args: object, **options: object) -> AnyServer:
    """A server by its name, with its class's arguments. `BadFault`, `Missing`, OSError when the port is taken."""
    kind, given = KINDS[known_server(name)]
    server: AnyServer = getattr(mockservers, kind)(*args, **(given | options))
    return server


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
