"""A minimal NNTP client: lines over a socket, one command at a time, unchanged from the wire."""

import socket
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from mockservers import NntpServer

LIMIT_S = 5.0


class Reader:
    """A client that sends one command at a time. `greeting`: the first line of the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.stream = sock.makefile("rwb")
        self.greeting = self.line()

    def line(self) -> str:
        """Read a line, without its CRLF."""
        return self.stream.readline().decode("utf-8", "surrogateescape").removesuffix("\r\n")

    def say(self, *lines: str) -> str:
        """Send these lines in one write, and return the first line of the reply."""
        self.stream.write(b"".join(line.encode("utf-8", "surrogateescape") + b"\r\n" for line in lines))
        self.stream.flush()
        return self.line()

    def block(self, command: str) -> list[str]:
        """Send a command, and return the status line and the lines of the block."""
        rows = [self.say(command)]
        while (row := self.stream.readline()) != b".\r\n":
            assert row, f"the end, within the block {rows}"
            rows.append(row.decode("utf-8", "surrogateescape").removesuffix("\r\n"))
        return rows

    def post(self, article: str) -> str:
        """Send an article by POST, and return the last reply; empty at the end of the stream."""
        assert self.say("POST").startswith("340")
        return self.say(*article.removesuffix("\r\n").split("\r\n"), ".")

    def the_end(self) -> bool:
        """Return whether the connection has ended cleanly, with nothing more to read."""
        return self.stream.read() == b""

    def silence(self, seconds: float) -> bool:
        """Return whether the connection stays open without any data for so many seconds."""
        self.sock.settimeout(seconds)
        try:
            self.stream.read(1)
            return False
        except TimeoutError:
            return True

    def close(self) -> None:
        """Close the stream, but not the socket, which belongs to the caller."""
        self.stream.close()


@contextmanager
def reading(server: NntpServer) -> Iterator[Reader]:
    """Connect a client to the server, for the time of the `with`."""
    with socket.create_connection((server.host, server.port), LIMIT_S) as sock, closing(Reader(sock)) as reader:
        yield reader


def nntplib() -> Any:
    """Import nntplib, which is a separate package from Python 3.13 on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nntplib as module
    return module
