"""A client without a protocol: a socket, Python's `ssl`, and for each server what to say and where its reply ends."""

import re
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mockservers.core import Server

LIMIT_S = 5.0

Recv = Callable[[int], bytes]


def line(recv: Recv) -> bytes:
    """Byte by byte up to a line's end, or the end."""
    got = b""
    while not got.endswith(b"\n") and (byte := recv(1)):
        got += byte
    return got


def everything(recv: Recv) -> bytes:
    """All there is up to the end."""
    return b"".join(iter(lambda: recv(65536), b""))


def counted(recv: Recv) -> bytes:
    """A DNS message behind its length."""
    got = b""
    while len(got) < 2 or len(got) < 2 + int.from_bytes(got[:2], "big"):
        piece = recv(1)
        if not piece:
            break
        got += piece
    return got


QUERY = bytes.fromhex("123401000001000000000000") + b"\3www\7example\4test\0\0\1\0\1"


@dataclass(frozen=True)
class Probe:
    """How a server is met: what it is to be told (nothing: it speaks first), and how its reply is read."""

    ask: bytes = b""
    read: Callable[[Recv], bytes] = line
    tls: bool = False
    start: bytes = b""
    """What asks for TLS in the conversation, after the greeting."""


_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_COUNTED = len(QUERY).to_bytes(2, "big") + QUERY

PROBES = {
    "ftp": Probe(),
    "ftpes": Probe(),
    "ftps": Probe(tls=True),
    "nntp": Probe(),
    "nntps": Probe(tls=True),
    "http": Probe(_GET, everything),
    "https": Probe(_GET, everything, tls=True),
    "tls": Probe(b"hello\n", tls=True),
    "dns": Probe(_COUNTED, counted),
    "dot": Probe(_COUNTED, counted, tls=True),
    "time": Probe(b"hello\n"),
}
"""Every server that has faults, by name."""

SECURE = {
    **{name: probe for name, probe in PROBES.items() if probe.tls},
    "ftpes": Probe(b"NOOP\r\n", tls=True, start=b"AUTH TLS\r\n"),
    "nntp+starttls": Probe(b"DATE\r\n", tls=True, start=b"STARTTLS\r\n"),
}
"""Every way to TLS."""


def connect(server: Server, timeout: float = LIMIT_S) -> socket.socket:
    """A connection. The connect itself blocks, within a limit: with a timeout Python polls for it, and what a server
    resets at once would then be told as a connect that failed, whatever it had sent before."""
    client = socket.socket(socket.AF_INET6 if ":" in server.host else socket.AF_INET)
    try:
        seconds = int(timeout)
        client.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, int((timeout - seconds) * 1e6))
        )
        client.connect((server.host, server.port))
    except BlockingIOError:
        client.close()
        raise TimeoutError(f"no connection within {timeout} s") from None
    except OSError:
        client.close()
        raise
    client.settimeout(timeout)
    return client


@contextmanager
def opened(
    server: Server, probe: Probe, *, name: str = "localhost", context: ssl.SSLContext | None = None
) -> Iterator[socket.socket]:
    """A connection to the server, inside TLS where the probe wants it; an end without close_notify raises."""
    with connect(server) as plain:
        if not probe.tls:
            yield plain
            return
        if probe.start:
            line(plain.recv)
            plain.sendall(probe.start)
            line(plain.recv)
        trusting = context or ssl.create_default_context(cafile=server.ca_file)
        with trusting.wrap_socket(plain, server_hostname=name, suppress_ragged_eofs=False) as client:
            yield client


def exactly(client: socket.socket, count: int) -> bytes:
    """Up to `count` bytes, fewer at the end."""
    got = b""
    while len(got) < count and (piece := client.recv(count - len(got))):
        got += piece
    return got


def reply(server: Server, probe: Probe) -> bytes:
    """What an honest server says to the probe."""
    with opened(server, probe) as client:
        client.sendall(probe.ask)
        return undated(probe.read(client.recv))


def undated(data: bytes) -> bytes:
    """Without the time of day."""
    return re.sub(rb"Date: [^\r]*|\[[A-Z][a-z]{2} [^]]*\]", b"", data)
