"""Host names to addresses, by the system's resolver: getaddrinfo, with a limit.

getaddrinfo has no timeout of its own, so it runs on a daemon thread; nobody waits for one that is stuck, not even the
end of the program. Address literals are not looked up at all.
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
"""Bytes of a label, RFC 1035 section 2.3.4."""

_FAMILY_NAMES: dict[int, str] = {IPV4: "IPv4", IPV6: "IPv6"}


@dataclass(frozen=True, slots=True)
class Address:
    """A numeric address and port; `sockaddr` is what connect(2) takes."""

    family: int
    sockaddr: tuple[Any, ...]

    @property
    def host(self) -> str:
        """The numeric address, with its zone where it has one."""
        return str(self.sockaddr[0])

    @property
    def port(self) -> int:
        return int(self.sockaddr[1])

    def with_port(self, port: int) -> "Address":
        """The same host, another port."""
        return Address(self.family, (self.sockaddr[0], port, *self.sockaddr[2:]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.family == IPV6 else f"{self.host}:{self.port}"


def resolve(host: str, port: int, family: int, deadline: Deadline, cancel: Cancel) -> list[Address]:
    """The addresses of a host, in the resolver's order, at least one.

    Raises `Unresolved` with the resolver's reason, `TimedOut` when the deadline passes first, `Cancelled`.
    """
    literal = _look_up(host, port, family, socket.AI_NUMERICHOST)
    if isinstance(literal, list):
        return literal
    if _is_literal(host):
        raise Unresolved(f"{host}: expected an {_FAMILY_NAMES[family]} address, got one of the other family")
    answer: list[list[Address] | Unresolved] = []
    done, tell = os.pipe()

    def look_up() -> None:
        try:
            answer.append(_look_up(host, port, family, 0))
        finally:
            os.close(tell)

    # The reading end may be gone when a stuck look-up comes back at last: closing the other end cannot fail for that.
    threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
    try:
        if not wait_any({done: READ}, deadline, cancel):
            raise TimedOut(f"{host}: the name look-up has not answered: {deadline.reason}")
    finally:
        os.close(done)
    if not answer:
        raise Unresolved(f"{host}: the name look-up failed")
    if isinstance(answer[0], Unresolved):
        raise answer[0]
    return answer[0]


def _is_literal(host: str) -> bool:
    return isinstance(_look_up(host, 0, ANY, socket.AI_NUMERICHOST), list)


def _look_up(host: str, port: int, family: int, flags: int) -> list[Address] | Unresolved:
    if not all(0 < len(label) <= MAX_LABEL for label in host.removesuffix(".").split(".")):
        return Unresolved(f"{host}: no host name: a label is empty or longer than {MAX_LABEL} bytes")
    # As bytes: text would go through the codec "idna", which takes a millisecond to load, and leaves ASCII as it is.
    name = host.encode("ascii") if host.isascii() else host
    try:
        rows = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM, flags=flags)
    except socket.gaierror as error:
        # EAI_* numbers differ between systems: the words do not.
        return Unresolved(f"{host}: {_reason(error, family)}")
    except UnicodeError:
        return Unresolved(f"{host}: no host name")
    # glibc gives the address of "localhost" once for each line of /etc/hosts that has the name.
    return list(dict.fromkeys(Address(row[0], row[4]) for row in rows))


def _reason(error: socket.gaierror, family: int) -> str:
    unknown = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None), getattr(socket, "EAI_ADDRFAMILY", None)}
    if error.errno in unknown:
        return "name unknown" + (f", or it has no {_FAMILY_NAMES[family]} address" if family != ANY else "")
    return f"the name look-up failed: {error.strerror}"
