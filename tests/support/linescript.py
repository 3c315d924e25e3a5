"""A server for line protocols that follows a script: the expected conversation, which is compared with the real one.

    S 220 hello              send a line with CRLF; consecutive S lines are sent in one write
    SR 5\\r\\nhello            send raw bytes, written with the escapes of Python, without a line end
    C USER anonymous         expect a line; consecutive C lines must arrive before the next reply; `*` is a wildcard
    CR                       expect any raw bytes, as many as one read returns
    T                        start TLS: at once, or after the reply to STARTTLS or AUTH TLS
    TX                       start TLS, and expect the client to abort the handshake
    E                        expect the client to close its side of the connection, with no further data
    A                        accept any data up to the end of the stream, for a client of another protocol
    X                        close the connection (with TLS: with close_notify)
    F                        close the connection by FIN alone (with TLS: without close_notify)
    R                        reset the connection
    W                        wait until the test calls `go`, which returns when the script of this connection is done

`$name` in place of bytes is a key of `data`. Each script is for one connection, in this order. `support.ftpdata` adds
the data connections of FTP, `support.datagramscript` has scripts for UDP, and `support.dnsscript` DNS messages as text.

When the client sends too early, or something else than the script expects, the server records that in the transcript
and closes the connection. Then the transcript differs from the script, and the test fails.
"""

import fnmatch
import socket
import ssl
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from support.pairs import reset

LIMIT_S = 10.0
"""The time in seconds that a script waits for its client. Only a faulty client makes it wait so long."""


def parse_script(text: str) -> list[str]:
    """Return the lines of a script."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class Framing(Protocol):
    """The conversion between the lines of a script and the bytes on the connection."""

    def take(self, buffer: bytes) -> tuple[str, bytes] | None:
        """Return the first message in the form of the script, and the bytes after it; None if it is incomplete."""

    def encode(self, text: str) -> bytes:
        """Return the bytes of a message that has the form of the script."""


class CrlfLines:
    """Lines of text that end with CRLF; a bare LF is accepted, too."""

    def take(self, buffer: bytes) -> tuple[str, bytes] | None:
        raw, end, rest = buffer.partition(b"\n")
        return (raw.removesuffix(b"\r").decode("utf-8", "backslashreplace"), rest) if end else None

    def encode(self, text: str) -> bytes:
        return text.encode() + b"\r\n"


class LineScript:
    """A server with one script for each connection. `seen`: the transcripts of the connections.

    `tls` is the context of the server for `T`, `listener` a socket that listens already, `framing` makes a framing for
    each connection.
    """

    framing: type[Framing] = CrlfLines

    def __init__(
        self,
        *scripts: str,
        data: Mapping[str, bytes] | None = None,
        tls: ssl.SSLContext | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        self.scripts = [parse_script(text) for text in scripts]
        self.seen: list[list[str]] = []
        self.waiting, self.done = threading.Event(), threading.Event()
        self.tls = tls
        self._data = dict(data or {})
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT_S)
        self.port: int = self._listener.getsockname()[1]
        self.sockets = [self._listener]
        """The sockets that are closed at the end."""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is None:
            self._thread.join(LIMIT_S)
            self._note_unexpected_connections()
        for sock in self.sockets:
            sock.close()
        if kind is None:
            assert self.seen == self.scripts

    @property
    def address(self) -> str:
        """The address of the server as a target: host and port."""
        return f"127.0.0.1:{self.port}"

    def go(self) -> None:
        """Continue the script after its `W`, and wait until the script of that connection is done."""
        self.waiting.set()
        assert self.done.wait(LIMIT_S)

    def bytes_of(self, text: str) -> bytes:
        """Return the bytes for a text of a script."""
        return (
            self._data[text[1:]] if text.startswith("$") else text.encode().decode("unicode_escape").encode("latin-1")
        )

    def fill(self, text: str) -> str:
        """Return the text to send, with the placeholders replaced by the values of this server."""
        return text

    def note(self, text: str) -> None:
        """Inspect a line that was received; subclasses use this."""

    def act(self, kind: str, text: str) -> str:
        """Carry out a line of another kind, and return its line for the transcript."""
        raise AssertionError(f"no such line in a script: {kind} {text}")

    def _note_unexpected_connections(self) -> None:
        self._listener.settimeout(0)
        try:
            while True:
                self.sockets.append(self._listener.accept()[0])
                self.seen.append(["(a connection without a script)"])
        except BlockingIOError:
            pass

    def _serve(self) -> None:
        for lines in self.scripts:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.sockets.append(sock)
            seen: list[str] = []
            self.seen.append(seen)
            _Conversation(sock, lines, seen, self).run()


class _Conversation:
    """The run of a script on one connection."""

    def __init__(self, sock: socket.socket, lines: list[str], seen: list[str], server: LineScript) -> None:
        self._sock = sock
        self._lines = lines
        self._seen = seen
        self._server = server
        self._framing = server.framing()
        self._buffer = b""
        sock.settimeout(LIMIT_S)

    def run(self) -> None:
        try:
            self._follow()
            self._server.done.set()
            # The client may send more lines before it closes the connection.
            while self._sock.fileno() >= 0 and (line := self._line()) is not None:
                self._seen.append(f"C {line}".strip())
        except OSError as error:
            if not isinstance(error, _CLIENT_LEFT):
                self._seen.append(f"({type(error).__name__})")
        finally:
            self._sock.close()

    def _follow(self) -> None:
        pending: list[str] = []
        for place, line in enumerate(self._lines):
            kind, _, text = line.partition(" ")
            if kind in _SENT:
                pending.append(line)
                if self._lines[place + 1 : place + 2] and self._lines[place + 1].partition(" ")[0] in _SENT:
                    continue
                self._say(pending)
                pending = []
            elif kind == "C":
                if not self._hear(text):
                    return
            elif kind == "W":
                self._seen.append(line)
                self._server.waiting.wait(LIMIT_S)
            elif kind in ("T", "TX"):
                if not self._start_tls(kind):
                    return
            elif kind == "CR":
                self._buffer = self._buffer or self._sock.recv(1 << 16)
                self._seen.append("CR" if self._buffer else "(the end)")
                self._buffer = b""
            elif kind == "A":
                self._pass_over()
            elif kind == "E":
                if not self._hear_end():
                    return
            elif kind in ("X", "F", "R"):
                self._seen.append(line)
                self._end(kind)
                return
            else:
                self._seen.append(self._server.act(kind, text))

    def _say(self, lines: list[str]) -> None:
        self._note_early_bytes()
        self._seen += lines
        self._sock.sendall(b"".join(map(self._encode, lines)))

    def _encode(self, line: str) -> bytes:
        kind, _, text = line.partition(" ")
        raw = kind == "SR" or text.startswith("$")
        return self._server.bytes_of(text) if raw else self._framing.encode(self._server.fill(text))

    def _note_early_bytes(self) -> None:
        """Record data that the client sent too early."""
        self._sock.setblocking(False)
        try:
            self._buffer += self._sock.recv(1 << 16)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        self._sock.settimeout(LIMIT_S)
        if self._buffer:
            self._seen.append(f"(too early) {self._buffer!r}")

    def _hear(self, pattern: str) -> bool:
        line = self._line()
        if line is None:
            self._seen.append("(the end)")
            return False
        matches = "*" in pattern and fnmatch.fnmatchcase(line, pattern)
        self._seen.append(f"C {pattern if matches else line}".strip())
        self._server.note(line)
        return matches or line == pattern

    def _hear_end(self) -> bool:
        line = self._line()
        self._seen.append("E" if line is None else f"C {line}".strip())
        return line is None

    def _line(self) -> str | None:
        """Read the next line; None at the end of the connection."""
        while (taken := self._framing.take(self._buffer)) is None:
            piece = self._sock.recv(1 << 16)
            if not piece:
                if self._buffer:
                    self._seen.append(f"(cut) {self._buffer!r}")
                    self._buffer = b""
                return None
            self._buffer += piece
        line, self._buffer = taken
        return line

    def _start_tls(self, kind: str) -> bool:
        assert self._server.tls, "a script with T is given a context"
        if self._buffer:
            self._seen.append(f"(too early) {self._buffer!r}")
        try:
            self._sock = self._server.tls.wrap_socket(self._sock, server_side=True)
        except OSError as error:
            self._seen.append("TX" if kind == "TX" else f"({type(error).__name__} in the handshake)")
            self._sock.close()
            return False
        self._seen.append("T")
        return kind == "T"

    def _pass_over(self) -> None:
        self._buffer = b""
        try:
            while self._sock.recv(1 << 16):
                pass
        except ConnectionError:
            pass  # The client closed the connection with unread data.
        self._seen.append("A")

    def _end(self, kind: str) -> None:
        if kind == "X" and isinstance(self._sock, ssl.SSLSocket):
            self._sock.setblocking(False)
            try:
                self._sock.unwrap()
            except OSError:
                pass  # The close_notify is sent; that of the client is not awaited.
        if kind == "R":
            reset(self._sock)
        self._sock.close()


_CLIENT_LEFT = (ConnectionError, ssl.SSLZeroReturnError, ssl.SSLEOFError)

_SENT = ("S", "SR")
"""The kinds of lines that send data."""
