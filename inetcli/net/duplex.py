"""Transfer in both directions of a connection at once: a local descriptor to the peer, and the peer to the caller.

A peer may answer while data is still being sent to it, and may stop reading until its answer is taken. Therefore one
poll watches the source and both directions of the connection, and neither direction waits for the other.

    source -> stream     up to the end of the source, then the half-close
    stream -> write      up to the end of the peer

The silence limit counts while data waits to be sent, and after the source has ended. A slow source (a terminal, a pipe)
is not the silence of the peer.
"""

import os
from collections.abc import Callable

from inetcli.errors import read_error
from inetcli.net.stream import SocketStream
from inetcli.net.wait import READ, WRITE, wait_any

PIECE = 4096
"""The number of bytes per write: poll(2) reports a socket as writable only if it accepts so many without blocking."""

BUFFER = 1 << 16
"""The number of bytes per read."""


def send_and_receive(stream: SocketStream, source: int, name: str, write: Callable[[bytes], object]) -> None:
    """Send everything from a descriptor, half-close, and give `write` everything that the peer sends until its end.

    `name` is the source in messages. Raises `LocalRead`, and the errors of the stream and of `write`.
    """
    reading = stream.sock.fileno()
    writing = os.dup(reading)  # poll reports a descriptor once: the second one tells "writable" from "readable"
    try:
        _transfer(stream, reading, writing, source, name, write)
    finally:
        os.close(writing)


def _transfer(
    stream: SocketStream, reading: int, writing: int, source: int, name: str, write: Callable[[bytes], object]
) -> None:
    limits = stream.limits
    silence = f"timed out: the peer was silent for {limits.silence_s:g} s (--timeout)"
    pending: bytes | None = b""  # None: the source has ended
    with memoryview(bytearray(BUFFER)) as buffer:
        while _hand_over(stream, buffer, write):
            waits_for_source = pending == b""
            wanted = {reading: READ}
            if pending:
                wanted[writing] = WRITE
            elif waits_for_source:
                wanted[source] = READ
            limit = limits.deadline.within(None if waits_for_source else limits.silence_s, silence)
            ready = wait_any(wanted, limit, limits.cancel)
            if not ready:
                raise limit.timeout_error()
            if writing in ready and pending:
                stream.send(pending)
                pending = b""
            elif source in ready and waits_for_source:
                pending = _read(source, name) or None
                if pending is None:
                    stream.finish_sending()
                    if early := stream.reader.drain():  # TLS decrypts what has come before it closes its half
                        write(early)


def _hand_over(stream: SocketStream, buffer: memoryview, write: Callable[[bytes], object]) -> bool:
    """Pass all received bytes to `write`. False = the peer has ended its side."""
    while (size := stream.receive_available(buffer)) is not None:
        if not size:
            return False
        write(bytes(buffer[:size]))
    return True


def _read(source: int, name: str) -> bytes:
    """Read the next bytes of the source; empty at its end."""
    try:
        return os.read(source, PIECE)
    except OSError as error:
        raise read_error(name, error) from error
