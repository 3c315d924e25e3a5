"""Both directions of a connection at once."""

import os
import socket
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.pairs import Pair

from inetcli.errors import LocalRead, ReceiveFailed, TimedOut
from inetcli.net.duplex import send_and_receive
from mockservers import TlsServer

BIG = os.urandom(1 << 16) * 128
"""Eight megabytes: more than the buffers of both ends of a connection hold."""


def read_all(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1 << 16), b""))


def source_of(data: bytes, tmp_path: os.PathLike[str]) -> int:
    path = os.path.join(tmp_path, "source")
    with open(path, "wb") as file:
        file.write(data)
    return os.open(path, os.O_RDONLY)


@pytest.fixture
def source(tmp_path: os.PathLike[str]) -> int:
    return source_of(BIG, tmp_path)


def test_a_peer_that_answers_while_it_is_sent_to_gets_everything_and_is_heard(
    connect: Callable[..., Pair], background: Callable[..., threading.Thread], source: int
) -> None:
    """An echo stops reading when nobody takes its answer: sending all first would end in a standstill."""
    pair = connect()

    def echo() -> None:
        while data := pair.peer.recv(1 << 16):
            pair.peer.sendall(data)
        pair.peer.shutdown(socket.SHUT_WR)

    background(echo)
    received: list[bytes] = []
    send_and_receive(pair.stream, source, "source", received.append)
    os.close(source)
    assert b"".join(received) == BIG


def test_the_end_of_the_source_is_the_half_close(
    connect: Callable[..., Pair], background: Callable[..., threading.Thread], tmp_path: os.PathLike[str]
) -> None:
    pair, got = connect(), []

    def answer_at_the_end() -> None:
        got.append(read_all(pair.peer))
        pair.peer.sendall(b"done")
        pair.peer.shutdown(socket.SHUT_WR)

    background(answer_at_the_end)
    received: list[bytes] = []
    send_and_receive(pair.stream, source_of(b"one\ntwo", tmp_path), "source", received.append)
    assert (got, received) == ([b"one\ntwo"], [b"done"])


def test_what_the_reader_holds_when_the_source_ends_is_not_lost(
    connect: Callable[..., Pair], background: Callable[..., threading.Thread], tmp_path: os.PathLike[str]
) -> None:
    pair = connect()

    def end_after_the_half_close() -> None:
        read_all(pair.peer)
        pair.peer.shutdown(socket.SHUT_WR)

    background(end_after_the_half_close)
    pair.stream.reader.feed(b"early")
    received: list[bytes] = []
    send_and_receive(pair.stream, source_of(b"", tmp_path), "source", received.append)
    assert received == [b"early"]


def test_a_peer_that_ends_first_ends_it(connect: Callable[..., Pair], background: Callable[..., object]) -> None:
    """The source is a pipe that stays open and silent: nobody waits for it."""
    pair = connect()
    reading, writing = os.pipe()
    pair.peer.sendall(b"bye")
    pair.peer.shutdown(socket.SHUT_WR)
    received: list[bytes] = []
    send_and_receive(pair.stream, reading, "source", received.append)
    assert b"".join(received) == b"bye"
    os.close(reading)
    os.close(writing)


def test_silence_counts_only_when_the_source_has_ended(
    connect: Callable[..., Pair], background: Callable[..., threading.Thread]
) -> None:
    pair = connect()
    pair.stream.limits = replace(pair.stream.limits, silence_s=0.05)
    reading, writing = os.pipe()
    ended = threading.Event()

    def slow_source() -> None:
        """Longer than the silence limit: the peer is asked nothing meanwhile."""
        ended.wait(0.2)
        os.close(writing)

    background(slow_source)
    with pytest.raises(TimedOut, match=r"silent for 0\.05 s"):
        send_and_receive(pair.stream, reading, "source", lambda data: None)
    assert pair.peer.recv(1) == b""
    os.close(reading)


def test_a_reset_is_told(connect: Callable[..., Pair]) -> None:
    pair = connect()
    reading, writing = os.pipe()
    pair.reset()
    with pytest.raises(ReceiveFailed, match="reset"):
        send_and_receive(pair.stream, reading, "source", lambda data: None)
    os.close(reading)
    os.close(writing)


def test_a_source_that_cannot_be_read_is_told(connect: Callable[..., Pair]) -> None:
    pair = connect()
    folder = os.open("/", os.O_RDONLY)
    with pytest.raises(LocalRead, match="source: cannot be read: Is a directory"):
        send_and_receive(pair.stream, folder, "source", lambda data: None)
    os.close(folder)


def test_tls_in_both_directions() -> None:
    """Session tickets arrive before the first answer: readable, and nothing to be read."""
    from support.cutting import session_for

    from inetcli.net.session import no_greeting
    from inetcli.net.trust import TlsMode

    with TlsServer() as server:
        session = session_for(server)
        stream = session.open(server.host, server.port, tls=TlsMode.IMPLICIT, greet=no_greeting)
        received: list[bytes] = []
        lines = b"".join(b"%d\n" % number for number in range(10_000))
        reading, writing = os.pipe()
        writer = threading.Thread(target=lambda: (os.write(writing, lines), os.close(writing)))
        writer.start()
        send_and_receive(stream, reading, "source", received.append)
        writer.join()
        stream.close()
        os.close(reading)
    assert b"".join(received) == lines
