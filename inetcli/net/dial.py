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

from inetcli.errors import TimedOut, Unreachable
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import Address
from inetcli.net.wait import WRITE, Cancel, wait_any

STAGGER_S = 0.25
"""The Connection Attempt Delay that RFC 8305 section 5 recommends."""

_IN_PROGRESS = {errno.EINPROGRESS, errno.EAGAIN, errno.EINTR}


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
    """
    waiting = interleave(addresses)
    trying: dict[int, tuple[socket.socket, Address]] = {}
    failures: list[str] = []
    stagger = deadline
    try:
        while waiting or trying:
            if waiting and (not trying or stagger.passed):
                _start(waiting.pop(0), trying, failures)
                stagger = deadline.within(STAGGER_S, "")
            if not trying:
                continue
            ready = wait_any(dict.fromkeys(trying, WRITE), stagger if waiting else deadline, cancel)
            for descriptor in ready:
                sock, address = trying.pop(descriptor)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    return sock, address
                sock.close()
                failures.append(f"{address}: {_reason(code)}")
                stagger = deadline.within(0, "")
            if not ready and deadline.passed:
                silent = [f"{address}: no answer" for _, address in trying.values()]
                untried = [f"{address}: not tried" for address in waiting]
                raise TimedOut(f"{deadline.reason}: " + "; ".join([*failures, *silent, *untried]))
        raise Unreachable("; ".join(failures))
    finally:
        for sock, _ in trying.values():
            sock.close()


def _start(address: Address, trying: dict[int, tuple[socket.socket, Address]], failures: list[str]) -> None:
    try:
        sock = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:  # no IPv6 in this kernel, or no descriptor left
        failures.append(f"{address}: {_reason(error.errno)}")
        return
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        code = sock.connect_ex(address.sockaddr)
    except OSError as error:
        code = error.errno or errno.EINVAL
    if code and code not in _IN_PROGRESS:
        sock.close()
        failures.append(f"{address}: {_reason(code)}")
        return
    trying[sock.fileno()] = sock, address


def _reason(code: int | None) -> str:
    words = {
        errno.ECONNREFUSED: "refused",
        errno.EHOSTUNREACH: "no route",
        errno.ENETUNREACH: "no route to that network",
    }
    return words.get(code or 0) or os.strerror(code or 0).lower()
