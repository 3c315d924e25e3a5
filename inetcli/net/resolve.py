"""Name look-up by the system's resolver: getaddrinfo with a time limit.

getaddrinfo has no timeout of its own, and therefore runs on a daemon thread: a look-up that hangs can be abandoned,
also when the program ends. Address literals are not looked up.
"""

import os
import socket
import threading
from dataclasses import dataclass
from typing import Any

from inetcli.errors import TimedOut, Unresolved
from inetcli.net.deadline import Deadline
from inetcli.net.wait import READ, Cancel, wait_any

ANY = socket.AF_UNSPEC
IPV4 = socket.AF_INET
IPV6 = socket.AF_INET6

MAX_LABEL = 63
"""The maximum length of a label in bytes (RFC 1035 section 2.3.4)."""

_FAMILY_NAMES: dict[int, str] = {IPV4: "IPv4", IPV6: "IPv6"}


@dataclass(frozen=True, slots=True)
class Address:
    """A numeric address and port. `sockaddr` is the argument of connect(2)."""

    family: int
    sockaddr: tuple[Any, ...]

    @property
    def host(self) -> str:
        """The numeric address, with its zone if it has one."""
        return str(self.sockaddr[0])

    @property
    def port(self) -> int:
        """The port number."""
        return int(self.sockaddr[1])

    def with_port(self, port: int) -> "Address":
        """Return an address with the same host and another port."""
        return Address(self.family, (self.sockaddr[0], port, *self.sockaddr[2:]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.family == IPV6 else f"{self.host}:{self.port}"


def resolve(host: str, port: int, family: int, deadline: Deadline, cancel: Cancel) -> list[Address]:
    """Resolve a host to at least one address. The addresses keep the order of the resolver.

    Raises `Unresolved` with the resolver's reason, `TimedOut` when the deadline passes first, `Cancelled`.
    """
    literal = _look_up(host, port, family, socket.AI_NUMERICHOST)
    if isinstance(literal, list):
        return literal
    if _is_literal(host):
        raise Unresolved(f"{host}: expected an {_FAMILY_NAMES[family]} address, got an address of the other family")
    answer: list[list[Address] | Unresolved] = []
    done_reader, done_writer = os.pipe()

    def look_up() -> None:
        try:
            answer.append(_look_up(host, port, family, 0))
        finally:
            os.close(done_writer)

    # An abandoned look-up may end after the reading end was closed; closing the writing end works all the same.
    threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
    try:
        if not wait_any({done_reader: READ}, deadline, cancel):
            raise TimedOut(f"{host}: the name look-up has not answered: {deadline.reason}")
    finally:
        os.close(done_reader)
    if not answer:
        raise Unresolved(f"{host}: the name look-up failed")
    if isinstance(answer[0], Unresolved):
        raise answer[0]
    return answer[0]


def _is_literal(host: str) -> bool:
    return isinstance(_look_up(host, 0, ANY, socket.AI_NUMERICHOST), list)


def _look_up(host: str, port: int, family: int, flags: int) -> list[Address] | Unresolved:
    if not all(0 < len(label) <= MAX_LABEL for label in host.removesuffix(".").split(".")):
        return Unresolved(f"{host}: not a host name: a label is empty or longer than {MAX_LABEL} bytes")
    # ASCII is passed as bytes, because a str would load the codec "idna", which takes a millisecond for no change.
    name = host.encode("ascii") if host.isascii() else host
    try:
        rows = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM, flags=flags)
    except socket.gaierror as error:
        # The text is shown and not the EAI_* number, because the numbers differ between systems.
        return Unresolved(f"{host}: {_reason(error, family)}")
    except UnicodeError:
        return Unresolved(f"{host}: not a host name")
    # glibc returns an address of "localhost" once for each line of /etc/hosts with that name.
    return list(dict.fromkeys(Address(row[0], row[4]) for row in rows))


def _reason(error: socket.gaierror, family: int) -> str:
    unknown = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None), getattr(socket, "EAI_ADDRFAMILY", None)}
    if error.errno in unknown:
        return "name unknown" + (f", or it has no {_FAMILY_NAMES[family]} address" if family != ANY else "")
    return f"the name look-up failed: {error.strerror}"
