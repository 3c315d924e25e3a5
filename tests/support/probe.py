"""A generic client: a socket, Python's `ssl`, and for each server the request to send and the end of its reply."""

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
    """Read byte by byte up to the end of a line, or of the stream."""
    got = b""
    while not got.endswith(b"\n") and (byte := recv(1)):
        got += byte
    return got


def everything(recv: Recv) -> bytes:
    """Read up to the end of the stream."""
    return b"".join(iter(lambda: recv(65536), b""))


def counted(recv: Recv) -> bytes:
    """Read a DNS message with its two bytes of length."""
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
    """The conversation with a server: the request (empty = the server speaks first), and the reader of the reply."""

    ask: bytes = b""
    read: Callable[[Recv], bytes] = line
    tls: bool = False
    start: bytes = b""
    """The command that starts TLS after the greeting."""


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
"""The probe of every server that has faults, by name."""

SECURE = {
    **{name: probe for name, probe in PROBES.items() if probe.tls},
    "ftpes": Probe(b"NOOP\r\n", tls=True, start=b"AUTH TLS\r\n"),
    "nntp+starttls": Probe(b"DATE\r\n", tls=True, start=b"STARTTLS\r\n"),
}
"""The probes of all servers with TLS, implicit or by a command."""


def connect(server: Server, timeout: float = LIMIT_S) -> socket.socket:
    """Connect to a server with a blocking connect(2) that has a time limit.

    With a socket timeout Python polls for the connection. If the server then resets it at once, Python reports a failed
    connect, and the data that the server sent before is lost.
    """
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
    """Connect to the server, with TLS if the probe requires it. An end without close_notify raises an error."""
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
    """Read `count` bytes, or fewer at the end of the stream."""
    got = b""
    while len(got) < count and (piece := client.recv(count - len(got))):
        got += piece
    return got


def reply(server: Server, probe: Probe) -> bytes:
    """Return the reply of a server to the probe."""
    with opened(server, probe) as client:
        client.sendall(probe.ask)
        return undated(probe.read(client.recv))


def undated(data: bytes) -> bytes:
    """Remove the date and time from a reply."""
    return re.sub(rb"Date: [^\r]*|\[[A-Z][a-z]{2} [^]]*\]", b"", data)
