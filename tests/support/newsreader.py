"""A news reader that knows nothing: lines over a socket, lock-step, as they are on the wire."""

import socket
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from mockservers import NntpServer

LIMIT_S = 5.0


class Reader:
    """Lock-step lines over a socket; `greeting` has come already."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.stream = sock.makefile("rwb")
        self.greeting = self.line()

    def line(self) -> str:
        return self.stream.readline().decode("utf-8", "surrogateescape").removesuffix("\r\n")

    def say(self, *lines: str) -> str:
        """Say these lines in one packet; the first line of the reply."""
        self.stream.write(b"".join(line.encode("utf-8", "surrogateescape") + b"\r\n" for line in lines))
        self.stream.flush()
        return self.line()

    def block(self, command: str) -> list[str]:
        """The status line, and the lines of the block."""
        rows = [self.say(command)]
        while (row := self.stream.readline()) != b".\r\n":
            assert row, f"the end, within the block {rows}"
            rows.append(row.decode("utf-8", "surrogateescape").removesuffix("\r\n"))
        return rows

    def post(self, article: str) -> str:
        """POST it; the last reply, or nothing at the end."""
        assert self.say("POST").startswith("340")
        return self.say(*article.removesuffix("\r\n").split("\r\n"), ".")

    def the_end(self) -> bool:
        """Whether the connection has ended, cleanly, with nothing more to read."""
        return self.stream.read() == b""

    def silence(self, seconds: float) -> bool:
        """Whether nothing comes for so long, and the connection is open."""
        self.sock.settimeout(seconds)
        try:
            self.stream.read(1)
            return False
        except TimeoutError:
            return True

    def close(self) -> None:
        """Leave the socket to somebody else."""
        self.stream.close()


@contextmanager
def reading(server: NntpServer) -> Iterator[Reader]:
    """A reader of this server."""
    with socket.create_connection((server.host, server.port), LIMIT_S) as sock, closing(Reader(sock)) as reader:
        yield reader


def nntplib() -> Any:
    """The standard library's client; from Python 3.13 on it is a package of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nntplib as module
    return module
