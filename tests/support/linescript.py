"""An FTP server that follows a script: the whole conversation is in the test, and is compared with what took place.

    S 220 hello              is sent; lines that follow one another go out in one write
    C USER anonymous         must come; lines that follow one another must come before anything is answered, `*` matches
    D some bytes             a data connection is accepted, or made to where the client said; this is sent; it ends
    DR some bytes            the same, and it is reset
    DN                       a data connection is accepted, and nothing happens on it
    U some bytes             a data connection is accepted; this must come on it, up to its end
    X                        the connection ends
    R                        the connection is reset
    W                        the test has said `go`, which returns when the rest of this connection's script is done

`{port}` stands for the port of the data connections, `{pasv}` for it as PASV tells it, `{dead}` for a port where nobody
listens; `$name` in place of bytes is looked up. Each script is for one connection, one after the other.

A server that is spoken to before its turn, or otherwise than the script has it, writes that down and hangs up: then the
transcript is not the script.
"""

import fnmatch
import socket
import struct
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

LIMIT_S = 10.0
"""How long the script waits for its client: only one that is wrong makes it wait."""


def script(text: str) -> list[str]:
    """The lines of a script."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class Scripted:
    """A server for as many connections as there are scripts. `seen` is what took place, a transcript for each."""

    def __init__(self, *scripts: str, data: Mapping[str, bytes] | None = None) -> None:
        self.scripts = [script(text) for text in scripts]
        self.seen: list[list[str]] = []
        self.waiting, self.done = threading.Event(), threading.Event()
        self._data = dict(data or {})
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._passive = self._listener
        self._dead = socket.socket()
        self._dead.bind(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._listener.settimeout(LIMIT_S)
        self._open = [self._listener, self._dead]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self._thread.join(LIMIT_S)
        for sock in self._open:
            sock.close()
        if kind is None:
            assert self.seen == self.scripts

    def go(self) -> None:
        """Let the script go on behind its `W`, to the end of that connection."""
        self.waiting.set()
        assert self.done.wait(LIMIT_S)

    def _serve(self) -> None:
        for lines in self.scripts:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(sock)
            seen: list[str] = []
            self.seen.append(seen)
            _Turn(sock, lines, seen, self).run()

    def fill(self, line: str) -> str:
        """A line of a script with the ports in it: a new one for each data connection."""
        if "{port}" in line or "{pasv}" in line:
            self._passive = socket.create_server(("127.0.0.1", 0))
            self._passive.settimeout(LIMIT_S)
            self._open.append(self._passive)
        port = self._passive.getsockname()[1]
        values = {
            "{port}": str(port),
            "{pasv}": f"127,0,0,1,{port >> 8},{port & 255}",
            "{dead}": str(self._dead.getsockname()[1]),
        }
        for name, value in values.items():
            line = line.replace(name, value)
        return line

    def bytes_of(self, text: str) -> bytes:
        """The bytes that a line of a script means."""
        return (
            self._data[text[1:]] if text.startswith("$") else text.encode().decode("unicode_escape").encode("latin-1")
        )

    def data_connection(self, active: tuple[str, int] | None) -> socket.socket:
        """The next data connection."""
        sock = socket.create_connection(active, LIMIT_S) if active else self._passive.accept()[0]
        sock.settimeout(LIMIT_S)
        self._open.append(sock)
        return sock


class _Turn:
    """One connection."""

    def __init__(self, sock: socket.socket, lines: list[str], seen: list[str], server: Scripted) -> None:
        self._sock = sock
        self._lines = lines
        self._seen = seen
        self._server = server
        self._buffer = b""
        self._active: tuple[str, int] | None = None
        sock.settimeout(LIMIT_S)

    def run(self) -> None:
        try:
            self._follow()
            self._server.done.set()
            while self._sock.fileno() >= 0 and (line := self._line()):  # the client leaves, and says no more
                self._seen.append(f"C {line}")
        except OSError as error:
            if not isinstance(error, ConnectionError):
                self._seen.append(f"({type(error).__name__})")
        finally:
            self._sock.close()

    def _follow(self) -> None:
        pending: list[str] = []
        for place, line in enumerate(self._lines):
            kind, _, text = line.partition(" ")
            if kind == "S":
                pending.append(line)
                if place + 1 < len(self._lines) and self._lines[place + 1].startswith("S "):
                    continue
                self._say(pending)
                pending = []
            elif kind == "C":
                if not self._hear(text):
                    return
            elif kind == "W":
                self._seen.append(line)
                self._server.waiting.wait(LIMIT_S)
            elif kind in ("X", "R"):
                self._seen.append(line)
                if kind == "R":
                    self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._sock.close()
                return
            else:
                self._seen.append(self._transfer(kind, text))

    def _say(self, lines: list[str]) -> None:
        self._sock.setblocking(False)
        try:
            self._buffer += self._sock.recv(1 << 16)
        except BlockingIOError:
            pass
        self._sock.settimeout(LIMIT_S)
        if self._buffer:
            self._seen.append(f"(too early) {self._buffer!r}")
        self._seen += lines
        self._sock.sendall(
            b"".join(
                self._server.bytes_of(text) if text.startswith("$") else self._server.fill(text).encode() + b"\r\n"
                for text in (line[2:] for line in lines)
            )
        )

    def _hear(self, pattern: str) -> bool:
        line = self._line()
        if line is None:
            self._seen.append("(the end)")
            return False
        if "*" in pattern and fnmatch.fnmatchcase(line, pattern):
            self._seen.append(f"C {pattern}")
        else:
            self._seen.append(f"C {line}")
        self._note_port(line)
        return self._seen[-1] == f"C {pattern}"

    def _line(self) -> str | None:
        while b"\n" not in self._buffer:
            piece = self._sock.recv(1 << 16)
            if not piece:
                return None
            self._buffer += piece
        raw, _, self._buffer = self._buffer.partition(b"\n")
        return raw.removesuffix(b"\r").decode("utf-8", "backslashreplace")

    def _note_port(self, line: str) -> None:
        if line.startswith("EPRT"):
            _, _, host, port, _ = line.split("|")
            self._active = host, int(port)
        elif line.startswith("PORT"):
            *host, high, low = line[5:].split(",")
            self._active = ".".join(host), int(high) << 8 | int(low)

    def _transfer(self, kind: str, text: str) -> str:
        sock = self._server.data_connection(self._active)
        if kind == "DN":
            return kind
        wanted = self._server.bytes_of(text)
        if kind == "U":
            came = b"".join(iter(lambda: sock.recv(1 << 16), b""))
            sock.close()
            return f"{kind} {text}" if came == wanted else f"{kind} {came!r}"
        try:
            sock.sendall(wanted)
        except ConnectionError:
            pass  # a client that has seen enough
        if kind == "DR":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        return f"{kind} {text}".strip()
