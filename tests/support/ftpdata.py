"""Scripts for FTP: `support.linescript` with data connections.

    D some bytes             accept a data connection, or make one to the client's address; send the bytes; close it
    DR some bytes            the same, but reset the data connection
    DN                       accept a data connection, and do nothing with it
    U some bytes             accept a data connection, and expect exactly these bytes on it

`{port}` stands for the port of the data connections, `{pasv}` for its PASV form, and `{dead}` for a port that refuses
connections.
"""

import socket
from collections.abc import Mapping

from support.linescript import LIMIT_S, LineScript
from support.pairs import reset


class FtpScript(LineScript):
    """A scripted FTP server."""

    def __init__(self, *scripts: str, data: Mapping[str, bytes] | None = None) -> None:
        super().__init__(*scripts, data=data)
        self._passive = self.sockets[0]
        self._active: tuple[str, int] | None = None
        self._dead = socket.socket()
        self._dead.bind(("127.0.0.1", 0))
        self.sockets.append(self._dead)

    def fill(self, text: str) -> str:
        """Replace the port placeholders of a line. Each `{port}` or `{pasv}` opens a new port for data connections."""
        if "{port}" in text or "{pasv}" in text:
            self._passive = socket.create_server(("127.0.0.1", 0))
            self._passive.settimeout(LIMIT_S)
            self.sockets.append(self._passive)
            self._active = None
        port = self._passive.getsockname()[1]
        values = {
            "{port}": str(port),
            "{pasv}": f"127,0,0,1,{port >> 8},{port & 255}",
            "{dead}": str(self._dead.getsockname()[1]),
        }
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    def note(self, text: str) -> None:
        """Record the address at which an active client listens."""
        if text.startswith("EPRT"):
            _, _, host, port, _ = text.split("|")
            self._active = host, int(port)
        elif text.startswith("PORT"):
            *numbers, high, low = text[5:].split(",")
            self._active = ".".join(numbers), int(high) << 8 | int(low)

    def act(self, kind: str, text: str) -> str:
        """Carry out a line with a data connection."""
        if kind not in ("D", "DR", "DN", "U"):
            return super().act(kind, text)
        sock = self._data_connection()
        if kind == "DN":
            return kind
        wanted = self.bytes_of(text)
        if kind == "U":
            came = b"".join(iter(lambda: sock.recv(1 << 16), b""))
            sock.close()
            return f"{kind} {text}" if came == wanted else f"{kind} {came!r}"
        try:
            sock.sendall(wanted)
        except ConnectionError:
            pass  # The client closed the connection early.
        if kind == "DR":
            reset(sock)
        sock.close()
        return f"{kind} {text}".strip()

    def _data_connection(self) -> socket.socket:
        sock = socket.create_connection(self._active, LIMIT_S) if self._active else self._passive.accept()[0]
        sock.settimeout(LIMIT_S)
        self.sockets.append(sock)
        return sock
