"""A listening port that accepts only one peer."""

import socket

import pytest

from inetcli.errors import TimedOut
from inetcli.net.deadline import Deadline
from inetcli.net.listen import Acceptor
from inetcli.net.wait import Cancel, Cancelled


def connect(acceptor: Acceptor, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(acceptor.address.sockaddr[:2], 5, source_address=(source, 0))


def test_the_peer_is_accepted(pair, cancel: Cancel) -> None:
    with Acceptor(pair.stream) as acceptor, connect(acceptor) as theirs:
        sock, address = acceptor.accept(Deadline(), cancel)
        with sock:
            assert address.host == "127.0.0.1"
            assert sock.getpeername() == theirs.getsockname()
            assert not sock.getblocking()
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_port_is_on_the_local_address_of_the_connection(pair) -> None:
    with Acceptor(pair.stream) as acceptor:
        assert acceptor.address.host == pair.stream.sock.getsockname()[0]
        port = acceptor.address.sockaddr[1]
    with socket.socket() as late, pytest.raises(ConnectionRefusedError):
        late.connect(("127.0.0.1", port))


def test_connections_from_other_addresses_are_closed_and_the_peer_is_accepted(pair, cancel: Cancel) -> None:
    with (
        Acceptor(pair.stream) as acceptor,
        connect(acceptor, "127.0.0.2") as one,
        connect(acceptor, "127.0.0.3"),
        connect(acceptor) as theirs,
    ):
        sock, _ = acceptor.accept(Deadline(), cancel)
        with sock:
            assert sock.getpeername() == theirs.getsockname()
        assert one.recv(1) == b""


def test_connections_from_other_addresses_do_not_extend_the_deadline(pair, cancel: Cancel) -> None:
    with Acceptor(pair.stream) as acceptor, connect(acceptor, "127.0.0.2"), pytest.raises(TimedOut, match="over"):
        acceptor.accept(Deadline().within(0.02, "over"), cancel)


def test_cancel_ends_the_wait(pair, cancel: Cancel) -> None:
    cancel.set()
    with Acceptor(pair.stream) as acceptor, pytest.raises(Cancelled):
        acceptor.accept(Deadline(), cancel)
