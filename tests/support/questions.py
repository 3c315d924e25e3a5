"""A minimal DNS client with `struct` and a raw socket, for the tests of name servers."""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass

LIMIT_S = 5.0
A, TXT, OPT, AXFR = 1, 16, 41, 252


def question(
    name: str = "www.example.test",
    kind: int = A,
    *,
    number: int = 0x1234,
    flags: int = 0,
    klass: int = 1,
    edns: int | None = None,
    version: int = 0,
    edns_flags: int = 0,
    options: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """Encode a query. With `edns`, the query has an OPT record with this UDP size."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    head = struct.pack(">6H", number, flags, 1, 0, 0, int(edns is not None))
    opt = b""
    if edns is not None:
        opt = b"\0" + struct.pack(">HHBBHH", OPT, edns, 0, version, edns_flags, len(options)) + options
    return head + labels + b"\0" + struct.pack(">HH", kind, klass) + opt + extra


@dataclass(frozen=True)
class Header:
    """The header of a reply, and its OPT record if there is one: (size, upper rcode bits, version, flags, data)."""

    number: int
    flags: int
    rcode: int
    counts: tuple[int, int, int, int]
    opt: tuple[int, int, int, int, bytes] | None

    @property
    def tc(self) -> bool:
        """Whether the reply is truncated."""
        return bool(self.flags & 0x0200)

    @property
    def aa(self) -> bool:
        """Whether the answer is authoritative."""
        return bool(self.flags & 0x0400)


def header(reply: bytes) -> Header:
    """Parse the header of a reply, and the OPT record at its end."""
    number, flags, *counts = struct.unpack_from(">6H", reply)
    opt = None
    at = reply.rfind(b"\0\0\x29")
    if counts[3] and at >= 12:
        size, upper, version, bits, length = struct.unpack_from(">HBBHH", reply, at + 3)
        opt = (size, upper, version, bits, reply[at + 11 : at + 11 + length])
    rcode = flags & 15 | (opt[1] << 4 if opt else 0)
    return Header(number, flags, rcode, (counts[0], counts[1], counts[2], counts[3]), opt)


def over_udp(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    """Send one datagram, and return the reply."""
    with udp_client(port, host) as client:
        client.send(data)
        return client.recv(65535)


def udp_client(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Make a connected UDP socket."""
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(LIMIT_S)
    client.connect((host, port))
    return client


def over_tcp(port: int, *queries: bytes, host: str = "127.0.0.1", expect: int | None = None) -> list[bytes]:
    """Send all queries in one write. Returns one reply for each query, or `expect` replies."""
    with socket.create_connection((host, port), LIMIT_S) as client:
        client.sendall(b"".join(len(data).to_bytes(2, "big") + data for data in queries))
        with client.makefile("rb") as stream:
            return [read_message(stream.read) for _ in range(len(queries) if expect is None else expect)]


def read_message(read: Callable[[int], bytes]) -> bytes:
    """Read a message with its length in front; shorter if the stream ends early."""
    return read(int.from_bytes(read(2), "big"))
