"""Happy Eyeballs: TCP connection attempts to all addresses of a name (RFC 8305 sections 4 and 5).

A name with an IPv6 and an IPv4 address often works over only one of them, and a broken path may give no answer at all.
Trying one address after the other, each with its own limit, makes users wait for the broken one; trying all at once
puts load on the server. Therefore the addresses are interleaved by family. An attempt starts 250 ms after the one
before it, or at once when that one has failed. The first attempt that connects is used, and the others are closed.

The message of a failure reports every attempt, because each of them may have its own cause. If an attempt is still
unanswered when the limit passes, the failure is a timeout, because waiting longer might have helped.
"""

import errno
import os
import socket
from collections.abc import Iterable

from inetcli.errors import ReceiveFailed, TimedOut, Unreachable
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.wait import WRITE, Cancel, wait_any

STAGGER_S = 0.25
"""The Connection Attempt Delay that RFC 8305 section 5 recommends."""


def interleave(addresses: Iterable[Address]) -> list[Address]:
    """Alternate the address families, starting with that of the first address. Keep the order within each family."""
    queue = list(addresses)
    if not queue:
        return []
    first = [address for address in queue if address.family == queue[0].family]
    second = [address for address in queue if address.family != queue[0].family]
    mixed: list[Address] = []
    while first or second:
        mixed += first[:1] + second[:1]
        del first[:1], second[:1]
    return mixed


def race(addresses: list[Address], deadline: Deadline, cancel: Cancel) -> tuple[socket.socket, Address]:
    """Connect to the first address that answers. Returns a non-blocking socket with TCP_NODELAY, and its address.

    Errors: `Unreachable` when all attempts have failed, `TimedOut` when the deadline passes before that; both messages
    name each attempt. `ReceiveFailed` when the peer reset all connections right after they were established: depending
    on timing, such a reset is seen here or by the first read, and both must give the same exit code.
    """
    waiting = interleave(addresses)
    trying: dict[int, tuple[socket.socket, Address]] = {}
    failures: list[str] = []
    resets = 0
    stagger = deadline
    try:
        while waiting or trying:
            if waiting and (not trying or stagger.passed):
                address = waiting.pop(0)
                try:
                    sock = _start(address)
                except OSError as error:
                    failures.append(f"{address}: {_reason(error.errno)}")
                    continue
                trying[sock.fileno()] = sock, address
                stagger = deadline.within(STAGGER_S, "")
            ready = wait_any(dict.fromkeys(trying, WRITE), stagger if waiting else deadline, cancel)
            for descriptor in ready:
                sock, address = trying.pop(descriptor)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code and not _is_connected_to_itself(sock):
                    return sock, address
                sock.close()
                resets += code == errno.ECONNRESET
                failures.append(f"{address}: {_reason(code or errno.ECONNREFUSED)}")
                stagger = deadline.within(0, "")
            if not ready and deadline.passed:
                silent = [f"{address}: no answer" for _, address in trying.values()]
                untried = [f"{address}: not tried" for address in waiting]
                raise TimedOut(f"{deadline.reason}: " + "; ".join([*failures, *silent, *untried]))
        raise (ReceiveFailed if resets == len(failures) else Unreachable)("; ".join(failures))
    finally:
        for sock, _ in trying.values():
            sock.close()


def _start(address: Address) -> socket.socket:
    """Start a connection attempt. OSError when it fails at once: no route, no IPv6 in this kernel, no descriptor."""
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(address.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
    except OSError:
        sock.close()
        raise
    return sock


def _is_connected_to_itself(sock: socket.socket) -> bool:
    """Return whether both ends of the connection are the same socket (TCP simultaneous open, RFC 9293 section 3.5).

    The kernel may choose, as local port, the very port of this host that is being connected to and on which no program
    listens. `--wait`, which connects again and again to a server that is starting, meets this case sooner or later.
    """
    try:
        return bool(sock.getsockname() == sock.getpeername())
    except OSError:  # The connection was reset meanwhile; the first read reports that.
        return False


def _reason(code: int | None) -> str:
    """Return the text for an errno, such as "refused"."""
    texts = {
        errno.ECONNREFUSED: "refused",
        errno.EHOSTUNREACH: "no route",
        errno.ENETUNREACH: "no route to that network",
        errno.ECONNRESET: "the peer reset the connection",
    }
    return texts.get(code or 0) or os.strerror(code or 0).lower()
