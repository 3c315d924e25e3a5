"""The race between addresses: its order, its winner, and the message of a failure."""

import contextlib
import errno
import os
import socket
from collections.abc import Callable

import pytest
from support.pairs import address_of

from inetcli.errors import TimedOut, Unreachable
from inetcli.net import dial
from inetcli.net.deadline import Deadline
from inetcli.net.dial import interleave, race
from inetcli.net.resolve import IPV4, IPV6, Address
from inetcli.net.wait import Cancel, Cancelled, wait_any

BROADCAST = Address(IPV4, ("255.255.255.255", 9))
"""An address to which a TCP connection fails at once, because there is no route."""


def v4(last: int) -> Address:
    return Address(IPV4, (f"192.0.2.{last}", 80))


def v6(last: int) -> Address:
    return Address(IPV6, (f"2001:db8::{last}", 80, 0, 0))


@pytest.fixture
def there(listener: socket.socket) -> Address:
    return address_of(listener)


@pytest.fixture
def closed(sockets: contextlib.ExitStack) -> Address:
    """A port that refuses connections. The socket is bound, so that no other program gets the port."""
    sock = sockets.enter_context(socket.socket())
    sock.bind(("127.0.0.1", 0))
    return address_of(sock)


@pytest.fixture
def black_hole(sockets: contextlib.ExitStack) -> Callable[[], Address]:
    """Makes ports that never answer: the backlog is full."""

    def make() -> Address:
        sock = sockets.enter_context(socket.socket())
        sock.bind(("127.0.0.1", 0))
        sock.listen(0)
        sockets.enter_context(socket.create_connection(sock.getsockname()))
        return address_of(sock)

    return make


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of pending attempts at each wait."""
    counts: list[int] = []

    def recording(wanted, deadline, cancel):
        counts.append(len(wanted))
        return wait_any(wanted, deadline, cancel)

    monkeypatch.setattr(dial, "wait_any", recording)
    return counts


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([v4(1)], [v4(1)]),
        ([v4(1), v4(2)], [v4(1), v4(2)]),
        ([v6(1), v6(2), v4(1), v4(2)], [v6(1), v4(1), v6(2), v4(2)]),
        ([v4(1), v6(1), v6(2), v6(3)], [v4(1), v6(1), v6(2), v6(3)]),
        ([v4(1), v4(2), v4(3), v6(1)], [v4(1), v6(1), v4(2), v4(3)]),
    ],
)
def test_families_alternate_and_keep_their_order(given: list[Address], expected: list[Address]) -> None:
    assert interleave(given) == expected


def test_a_connection_is_ready_for_use(there: Address, listener: socket.socket, cancel: Cancel) -> None:
    sock, address = race([there], Deadline(), cancel)
    with sock, listener.accept()[0]:
        assert address == there
        assert sock.getpeername() == there.sockaddr
        assert not sock.getblocking()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_refusal_starts_the_next_at_once(closed: Address, there: Address, cancel: Cancel, monkeypatch) -> None:
    monkeypatch.setattr(dial, "STAGGER_S", 1e6)
    sock, address = race([closed, there], Deadline(), cancel)
    sock.close()
    assert address == there


def test_an_attempt_that_fails_at_once_starts_the_next_at_once(
    black_hole, there: Address, cancel, monkeypatch, waits
) -> None:
    monkeypatch.setattr(dial, "STAGGER_S", 0.01)
    sock, address = race([black_hole(), BROADCAST, there], Deadline(), cancel)
    sock.close()
    assert address == there
    assert waits == [1, 2]  # first the black hole alone, then both


def test_an_address_that_does_not_answer_is_overtaken(black_hole, there: Address, cancel, monkeypatch, waits) -> None:
    monkeypatch.setattr(dial, "STAGGER_S", 0.01)
    sock, address = race([black_hole(), black_hole(), there], Deadline(), cancel)
    sock.close()
    assert address == there
    assert waits == [1, 2, 3]


def test_the_message_has_all_failures(closed: Address, cancel: Cancel) -> None:
    with pytest.raises(Unreachable) as caught:
        race([closed, BROADCAST, closed], Deadline(), cancel)
    assert caught.value.message == f"{closed}: refused; {BROADCAST}: no route to that network; {closed}: refused"


def test_silence_up_to_the_limit_is_a_timeout_with_every_attempt(black_hole, closed, cancel, monkeypatch) -> None:
    monkeypatch.setattr(dial, "STAGGER_S", 0.01)
    hole = black_hole()
    deadline = Deadline().within(0.5, "timed out: not connected after 0.5 s (--connect-timeout)")
    with pytest.raises(TimedOut) as caught:
        race([hole, closed], deadline, cancel)
    assert caught.value.message == (
        f"timed out: not connected after 0.5 s (--connect-timeout): {closed}: refused; {hole}: no answer"
    )


def test_the_message_has_the_addresses_that_were_not_tried(black_hole, there: Address, cancel: Cancel) -> None:
    hole = black_hole()
    with pytest.raises(TimedOut) as caught:
        race([hole, there], Deadline().within(0.01, "over (--max-time)"), cancel)
    assert caught.value.message == f"over (--max-time): {hole}: no answer; {there}: not tried"


def test_the_losers_are_closed(black_hole, there: Address, cancel: Cancel, monkeypatch) -> None:
    monkeypatch.setattr(dial, "STAGGER_S", 0.001)
    hole = black_hole()
    before = len(os.listdir("/proc/self/fd"))
    sock, _ = race([hole, there], Deadline(), cancel)
    sock.close()
    with pytest.raises(TimedOut):
        race([hole, hole], Deadline().within(0.01, ""), cancel)
    assert len(os.listdir("/proc/self/fd")) == before


def test_cancel_ends_the_race(black_hole, cancel: Cancel) -> None:
    hole = black_hole()
    cancel.set()
    with pytest.raises(Cancelled):
        race([hole], Deadline(), cancel)


def test_an_unsupported_address_family_is_a_failed_attempt(there: Address, cancel: Cancel, monkeypatch) -> None:
    real = socket.socket

    def only_ipv4(family: int, *arguments: object) -> socket.socket:
        if family == IPV6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return real(family, *arguments)

    monkeypatch.setattr(socket, "socket", only_ipv4)
    sock, address = race([v6(1), there], Deadline(), cancel)
    sock.close()
    assert address == there
    with pytest.raises(Unreachable, match=r"\[2001:db8::1\]:80: address family not supported by protocol"):
        race([v6(1)], Deadline(), cancel)


def test_a_connection_to_itself_is_a_refusal(cancel: Cancel, monkeypatch, sockets: contextlib.ExitStack) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = address_of(free)

    class SamePort(socket.socket):
        def connect_ex(self, peer: object) -> int:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.bind(peer)
            return super().connect_ex(peer)

    monkeypatch.setattr(socket, "socket", SamePort)
    with pytest.raises(Unreachable) as caught:
        race([address], Deadline(), cancel)
    assert caught.value.message == f"{address}: refused"
