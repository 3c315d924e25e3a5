"""An FTP client over a raw socket, which sends each command as given and returns each reply as received."""

import re
import socket
from types import TracebackType
from typing import Self

from mockservers.core import Server

LIMIT_S = 5.0


class Control:
    """A control connection. `greeting`: the first reply of the server."""

    def __init__(self, server: Server, *login: str) -> None:
        self.sock = socket.create_connection((server.host, server.port), LIMIT_S)
        self.stream = self.sock.makefile("rwb")
        self.greeting = self.reply()
        for line in login:
            self.say(line)

    def send(self, data: bytes) -> None:
        self.stream.write(data)
        self.stream.flush()

    def say(self, line: str) -> str:
        """Send one command, and return its reply."""
        self.send(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.reply()

    def reply(self) -> str:
        """Read the next reply, with its lines separated by LF; empty at the end of the stream."""
        lines = [self._line()]
        if re.match(r"\d{3}-", lines[0]):
            while not lines[-1].startswith(f"{lines[0][:3]} "):
                lines.append(self._line())
        return "\n".join(lines)

    def code(self, line: str) -> int:
        """Send one command, and return the code of its reply."""
        return int(self.say(line)[:3])

    def passive(self) -> socket.socket:
        """Send EPSV, and open the data connection."""
        found = re.search(r"\|\|\|(\d+)\|", self.say("EPSV"))
        assert found
        return socket.create_connection((self.sock.getpeername()[0], int(found[1])), LIMIT_S)

    def fetch(self, line: str) -> tuple[list[str], bytes]:
        """Send a command that returns data. Returns the replies and the data."""
        with self.passive() as data:
            replies = [self.say(line)]
            got = read_all(data) if replies[0].startswith("1") else b""
        if replies[0].startswith("1"):
            replies.append(self.reply())
        return replies, got

    def send_file(self, line: str, content: bytes) -> list[str]:
        """Send a command that takes data, and the data. Returns the replies."""
        with self.passive() as data:
            replies = [self.say(line)]
            if replies[0].startswith("1"):
                data.sendall(content)
        if replies[0].startswith("1"):
            replies.append(self.reply())
        return replies

    def _line(self) -> str:
        return self.stream.readline(1 << 20).decode("utf-8", "surrogateescape").removesuffix("\r\n")

    def close(self) -> None:
        self.stream.close()
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


ANONYMOUS = ("USER anonymous", "PASS x@", "TYPE I")


def read_all(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1 << 16), b""))
