"""Connecting: a race between the addresses of a name (RFC 8305 sections 4 and 5).

A name with an IPv6 and an IPv4 address often works over only one of them, and a broken path may answer with nothing at
all. Trying one address after the other, each with its own limit, makes users wait for the broken one; trying all at
once burdens the server. So the addresses are interleaved by family, an attempt starts 250 ms after the one before it,
or at once when that one has failed, and the first that connects wins. The others are closed.

A failure reports every attempt, because the one that is shown alone is never the one that explains it. As long as one
attempt is unanswered when the limit passes, the failure is a timeout: waiting longer might have helped.
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
    """Alternate the families, starting with that of the first address; the order within a family stays."""
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
    """A connected, non-blocking socket to the first address that answers, with TCP_NODELAY.

    Raises `Unreachable` when all have failed, `TimedOut` when the deadline passes before that; both name each attempt.
    `ReceiveFailed` when all have connected, and were reset before we could look: whether that is seen here or by the
    first read is chance, and must not decide the exit code.
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
                if not code and not _met_itself(sock):
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
    """An attempt that is under way. OSError when it fails at once: no route, no IPv6 in this kernel, no descriptor."""
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


def _met_itself(sock: socket.socket) -> bool:
    """TCP's simultaneous open (RFC 9293 section 3.5): a port of this host that nobody listens on, and that the kernel
    chose for our own end, connects to itself. Polling for a server that is on its way up meets that in the end."""
    try:
        return bool(sock.getsockname() == sock.getpeername())
    except OSError:  # reset meanwhile: the first read says so
        return False


def _reason(code: int | None) -> str:
    words = {
        errno.ECONNREFUSED: "refused",
        errno.EHOSTUNREACH: "no route",
        errno.ENETUNREACH: "no route to that network",
        errno.ECONNRESET: "the peer reset the connection",
    }
    return words.get(code or 0) or os.strerror(code or 0).lower()
