"""Which server has which faults, and the list of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec

from mockservers.faultkinds import (
    DATAGRAM_KINDS,
    FAMILIES,
    FAULTS,
    Armed,
    BadFault,
    Fault,
    Reply,
    load_families,
    near,
)

SERVERS: dict[str, tuple[str, ...]] = {
    "ftp": ("any", "ftp"),
    "ftpes": ("any", "ftp", "ftps", "tls"),
    "ftps": ("any", "ftp", "ftps", "tls"),
    "pyftpdlib": (),
    "nntp": ("any", "nntp"),
    "nntps": ("any", "nntp", "tls"),
    "http": ("any", "http"),
    "https": ("any", "http", "tls"),
    "tls": ("any", "line", "tls"),
    "dns": ("any", "dns"),
    "dot": ("any", "dns", "tls"),
    "doh": ("any", "dns", "tls"),
    "time": ("any", "line"),
}
"""The names of all servers, with the families of their faults."""

UDP_SERVERS = ("dns", "time")

_REPLIES = {
    "ftp": Armed("RETR", Reply("550 no")),
    "nntp": Armed("GROUP", Reply("411 no")),
    "http": Armed("GET /", Reply("HTTP/1.1 500 no\r\nContent-Length: 0\r\n")),
    "line": Armed("*", Reply("no")),
}
"""An example of a reply, by family."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `mockservers faults`: `server` is "any" for what every TCP server has, "tls" where TLS is spoken."""

    server: str
    name: str
    args: list[str]
    sees: str
    example: str


def families_of(server: str, *, tls: bool) -> tuple[str, ...]:
    """The families of a server's faults; one of an unknown name is a line server."""
    known = SERVERS.get(server, ("any", "line"))
    return (*known, "tls") if tls and "tls" not in known else known


def kinds_of(families: Sequence[str]) -> list[tuple[str, type[Fault]]]:
    """All kinds of these families, each with the family that brings it; in the families' order."""
    load_families(name for name in FAMILIES if name in families)
    return [(name, kind) for name in families for kind in FAULTS.values() if name in kind.families]


def known_servers(names: Iterable[str]) -> list[str]:
    """The names, checked; all servers when there is none, `doh` only where its extra is installed."""
    return [known_server(name) for name in names] or [name for name in SERVERS if name != "doh" or find_spec("h2")]


def known_server(name: str) -> str:
    """The name, when there is such a server."""
    if name not in SERVERS:
        raise BadFault(f"no server is called {name!r}; {near(name, SERVERS)}")
    return name


def rows(server: str | None = None) -> list[Row]:
    """What can go wrong on a server; without one, each fault once for each family that has it."""
    if server is not None:
        families = SERVERS[known_server(server)]
        return [_row(family, kind, server) for family, kind in kinds_of(families)]
    found: dict[tuple[str, str], Row] = {}
    for row in (row for name in SERVERS for row in rows(name)):
        found.setdefault((row.server, row.name), row)
    return list(found.values())


def faults(server: str | None = None) -> list[str]:
    """Every fault of a server as text, with a trigger that fits it: for `parametrize`, and into `faults=[...]`."""
    return list(dict.fromkeys(row.example for row in rows(server)))


def example(kind: type[Fault], family: str, server: str) -> Armed:
    """A fault as it may be armed on that server."""
    if kind is Reply:
        return _REPLIES[family]
    # Who asks over UDP does not connect.
    over_udp = server in UDP_SERVERS and kind in DATAGRAM_KINDS
    return Armed("*" if over_udp else kind.trigger, kind())


def _row(family: str, kind: type[Fault], server: str) -> Row:
    names = [item.name for item in fields(kind)]
    args = [name for name in names if name != "at"] + (["@BYTES"] if "at" in names else [])
    shown = server if family == "line" else family
    return Row(shown, kind.name, args, kind.sees, str(example(kind, family, server)))
