"""A server of any line protocol that follows a script: the test holds the whole conversation, and compares all of it.

    S 220 hello              is sent with CRLF; lines that follow one another go out in one write
    SR 5\\r\\nhello            raw: is sent as it stands, with the escapes of Python and without a line end
    C USER anonymous         must come; lines that follow one another must come before anything is answered, `*` matches
    CR                       raw: bytes must come, whichever they are, as many as one write brings
    T                        TLS begins: at once, or after the reply to STARTTLS or AUTH TLS
    TX                       TLS begins, and the client breaks the handshake off
    E                        the client must have ended its side of the connection, with nothing left unread
    A                        anything may come, up to the client's end: for a client of another protocol
    X                        the connection ends (inside TLS with close_notify)
    F                        the connection ends by FIN alone, inside TLS without close_notify
    R                        the connection is reset
    W                        the test has said `go`, which returns when the rest of this connection's script is done

`$name` in place of bytes is looked up. Each script is for one connection, one after the other. `support.ftpdata` adds
the data connections of FTP, `support.datagramscript` has scripts for UDP, `support.dnsscript` DNS messages as text.

A server that is spoken to before its turn, or otherwise than the script has it, writes that down and hangs up: then the
transcript is not the script.
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
"""How long the script waits for its client. Only a client that is wrong makes a script wait."""


def parse_script(text: str) -> list[str]:
    """Return the lines of a script."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class Framing(Protocol):
    """How the lines of a script are bytes on the connection."""

    def take(self, buffer: bytes) -> tuple[str, bytes] | None:
        """Return the first message as the script writes it, and the bytes behind it; None when it is not whole."""

    def encode(self, text: str) -> bytes:
        """Return the bytes of a message that the script writes so."""


class CrlfLines:
    """Lines of text, ended by CRLF; a bare LF is taken, too."""

    def take(self, buffer: bytes) -> tuple[str, bytes] | None:
        raw, end, rest = buffer.partition(b"\n")
        return (raw.removesuffix(b"\r").decode("utf-8", "backslashreplace"), rest) if end else None

    def encode(self, text: str) -> bytes:
        return text.encode() + b"\r\n"


class LineScript:
    """A server for as many connections as there are scripts. `seen` is what took place, a transcript for each.

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
        """What is closed at the end."""
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
        """The server as a target: host and port."""
        return f"127.0.0.1:{self.port}"

    def go(self) -> None:
        """Let the script go on behind its `W`, to the end of that connection."""
        self.waiting.set()
        assert self.done.wait(LIMIT_S)

    def bytes_of(self, text: str) -> bytes:
        """Return the bytes that a line of a script means."""
        return (
            self._data[text[1:]] if text.startswith("$") else text.encode().decode("unicode_escape").encode("latin-1")
        )

    def fill(self, text: str) -> str:
        """Return the text that is sent, with the values of this server in it."""
        return text

    def note(self, text: str) -> None:
        """Look at a line that came."""

    def act(self, kind: str, text: str) -> str:
        """Carry out a line of another kind, and return the line as it took place."""
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
    """One connection."""

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
            while self._sock.fileno() >= 0 and (line := self._line()) is not None:  # the client leaves
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
        """Write down what has come before the client's turn."""
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
        """The next line; None at the end of the connection."""
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
            pass  # the client has left with something unread
        self._seen.append("A")

    def _end(self, kind: str) -> None:
        if kind == "X" and isinstance(self._sock, ssl.SSLSocket):
            self._sock.setblocking(False)
            try:
                self._sock.unwrap()
            except OSError:
                pass  # close_notify is out; the client's is not waited for
        if kind == "R":
            reset(self._sock)
        self._sock.close()


_CLIENT_LEFT = (ConnectionError, ssl.SSLZeroReturnError, ssl.SSLEOFError)

_SENT = ("S", "SR")
"""The kinds of lines that are sent."""
