"""What the pytest fixture gives to a test: servers by name, and a home with their credentials."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar, cast

import pytest

from mockservers.registry import AnyServer, make_server

if TYPE_CHECKING:
    from mockservers import (
        DnsServer,
        FtpServer,
        HttpServer,
        NntpServer,
        PyftpdlibServer,
        TimeServer,
        TlsServer,
    )


S = TypeVar("S")


class _Maker(Generic[S]):
    """The class of the server that is called as this attribute is, except that it also stops with the test."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, servers: "Mockservers", owner: type) -> type[S]:
        return cast(type[S], partial(servers.start, self._name))


class Mockservers:
    """Servers that stop with the test: `mockservers.ftp(...)` takes the arguments of `FtpServer`, and so on."""

    ftp: "_Maker[FtpServer]" = _Maker()
    ftpes: "_Maker[FtpServer]" = _Maker()
    ftps: "_Maker[FtpServer]" = _Maker()
    pyftpdlib: "_Maker[PyftpdlibServer]" = _Maker()
    nntp: "_Maker[NntpServer]" = _Maker()
    nntps: "_Maker[NntpServer]" = _Maker()
    http: "_Maker[HttpServer]" = _Maker()
    https: "_Maker[HttpServer]" = _Maker()
    tls: "_Maker[TlsServer]" = _Maker()
    dns: "_Maker[DnsServer]" = _Maker()
    dot: "_Maker[DnsServer]" = _Maker()
    doh: "_Maker[DnsServer]" = _Maker()
    time: "_Maker[TimeServer]" = _Maker()

    def __init__(self, make_home: Callable[[], Path]) -> None:
        self._make_home = make_home
        self._stack = ExitStack()
        self._servers: list[tuple[str, AnyServer]] = []

    def credentials(self, *servers: "FtpServer | PyftpdlibServer | NntpServer") -> Path:
        """A home of its own for the test, with the servers' first users in its netrc; the path of that file.

        HOME and NETRC lead there until the test is over; without servers it is an empty home. netrc knows no ports:
        servers on one address must have one user, else ValueError.
        """
        home = self._make_home()
        logins: dict[str, tuple[str, str]] = {}
        for server in servers:
            login = next(iter(server.users.items()), ("anonymous", "anonymous@"))
            if logins.setdefault(server.host, login) != login:
                raise ValueError(f"two users on {server.host}: netrc has one for each address, whatever the port")
        netrc = home / ".netrc"
        netrc.touch(mode=0o600)
        netrc.write_text(
            "".join(f"machine {host} login {user} password {word}\n" for host, (user, word) in logins.items())
        )
        environment = self._stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("HOME", str(home))
        environment.setenv("NETRC", str(netrc))
        return netrc

    def problems(self) -> list[str]:
        """What a strict test fails for, each with the name of its server."""
        return [f"{name}: {problem}" for name, server in self._servers for problem in server.problems()]

    def transcripts(self) -> list[tuple[str, str]]:
        """What happened on each server that has something to tell."""
        return [(name, text) for name, server in self._servers if (text := server.transcript())]

    def start(self, name: str, *args: object, **options: object) -> AnyServer:
        """A server by its name."""
        server = make_server(name, *args, **options)
        self._stack.callback(server.stop)
        same = sum(other.name == server.name for _, other in self._servers)
        self._servers.append((f"{server.name} {same + 1}" if same else server.name, server))
        return server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()
