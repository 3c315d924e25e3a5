"""A UDP server that follows a script, like `support.linescript` for TCP.

    C hello                  expect a datagram; `*` is a wildcard
    S hello                  send a datagram to the sender of the last one
    SR \\x00hello             send a raw datagram, written with the escapes of Python

An unexpected datagram, also after the end of the script, is recorded in `seen`. Then the transcript differs from the
script, and the test fails.
"""

import contextlib
import fnmatch
import socket
import threading
from types import TracebackType
from typing import Protocol, Self

from support.linescript import LIMIT_S, parse_script

MAX_DATAGRAM = 1 << 16


class Codec(Protocol):
    """The conversion between the lines of a script and datagrams."""

    def decode(self, data: bytes) -> str:
        """Return a received datagram in the form of the script."""

    def encode(self, text: str) -> bytes:
        """Return the datagram for a text of the script."""


class Text:
    """Datagrams of text."""

    def decode(self, data: bytes) -> str:
        return data.decode("utf-8", "backslashreplace")

    def encode(self, text: str) -> bytes:
        return text.encode()


class DatagramScript:
    """A server for one conversation. `seen`: the transcript."""

    codec: type[Codec] = Text

    def __init__(self, text: str, *, sock: socket.socket | None = None) -> None:
        self.script = parse_script(text)
        self.seen: list[str] = []
        self._codec = self.codec()
        self._sock = sock or udp_socket()
        self._sock.settimeout(LIMIT_S)
        self.port: int = self._sock.getsockname()[1]
        self._peer: tuple[str, int] | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self._thread.join(LIMIT_S)
            self._sock.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._hear("")
        self._sock.close()
        if kind is None:
            assert self.seen == self.script

    @property
    def address(self) -> str:
        """The address of the server as a target: host and port."""
        return f"127.0.0.1:{self.port}"

    def _follow(self) -> None:
        for line in self.script:
            kind, _, text = line.partition(" ")
            if kind == "C":
                try:
                    self._hear(text)
                except OSError as error:
                    self.seen.append(f"({type(error).__name__})")
                if self.seen[-1] != line:
                    return
            else:
                data = text.encode().decode("unicode_escape").encode("latin-1") if kind == "SR" else None
                assert self._peer, "a datagram comes first"
                self.seen.append(line)
                self._sock.sendto(self._codec.encode(text) if data is None else data, self._peer)

    def _hear(self, pattern: str) -> None:
        data, self._peer = self._sock.recvfrom(MAX_DATAGRAM)
        text = self._codec.decode(data)
        self.seen.append(f"C {pattern if fnmatch.fnmatchcase(text, pattern) else text}".strip())


def udp_socket(port: int = 0) -> socket.socket:
    """Return a UDP socket on loopback."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind(("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    return sock


def one_port() -> tuple[socket.socket, socket.socket]:
    """Return a UDP socket and a TCP listener with the same port number. The caller must close both."""
    while True:
        listener = socket.create_server(("127.0.0.1", 0))
        try:
            return udp_socket(listener.getsockname()[1]), listener
        except OSError:
            listener.close()  # Another program has the UDP port.
