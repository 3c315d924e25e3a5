"""The sockets of a server: TCP and UDP, one address family or both, all on one port; refusing, and swallowing, for
real.

A port of the kernel's choice is bound twice, the second time by its number: only so does it stay ours while nobody
listens on it. Refusing is a bound socket that does not listen, or a UDP socket that is connected to itself: datagrams
of others find no socket then, and the kernel says so (ICMP). Swallowing is a queue of connections that is full: Linux
drops what comes.
"""

import socket

BACKLOG = 128
PORT_TRIES = 50
"""TCP and UDP, or both families, must be free on one port: how many ports are tried."""


class Listening:
    """Listening sockets in `tcp`, datagram sockets in `udp`; OSError when the port is taken."""

    def __init__(self, host: str, port: int, *, tcp: bool, udp: bool) -> None:
        self._wants = (tcp, udp)
        self._hosts = ("127.0.0.1", "::1") if host == "dual" else (host,)
        self.tcp: list[socket.socket] = []
        self.udp: list[socket.socket] = []
        self._fillers: list[socket.socket] = []
        self.refusing = False
        self.swallowing = False
        self.port = self._bind(port)

    def close(self) -> None:
        """Give the port back."""
        for sock in [*self.tcp, *self.udp, *self._fillers]:
            sock.close()

    def refuse(self) -> None:
        """Refuse from now on, and keep the port."""
        self.refusing = True
        for listener in self.tcp:
            # Without SO_REUSEADDR on it nobody else can bind the port meanwhile.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            listener.shutdown(socket.SHUT_RDWR)
        for sock in self.udp:
            sock.connect(sock.getsockname())

    def listen_again(self) -> None:
        """The end of `refuse`. Datagram sockets are new ones."""
        self.refusing = False
        for listener in self.tcp:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.listen(BACKLOG)
        self.udp = [_fresh(sock) for sock in self.udp]

    def swallow(self) -> None:
        """Let connections come to nothing from now on, and datagrams, too."""
        self.swallowing = True
        for listener in self.tcp:
            listener.listen(0)
            filler = socket.socket(listener.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            self._fillers.append(filler)

    def _bind(self, port: int) -> int:
        several = all(self._wants) or len(self._hosts) > 1
        for _ in range(PORT_TRIES):
            try:
                return self._bind_once(port)
            except OSError as error:
                self.close()
                self.tcp, self.udp = [], []
                if port or not several:
                    raise OSError(error.errno, f"{' and '.join(self._hosts)}, port {port}: {error.strerror}") from error
        raise OSError(f"no port is free for all of TCP, UDP and both families after {PORT_TRIES} tries")

    def _bind_once(self, port: int) -> int:
        tcp, udp = self._wants
        for address in self._hosts:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            if tcp:
                sock = bound(family, socket.SOCK_STREAM, address, port)
                self.tcp.append(sock)
                port = sock.getsockname()[1]
                sock.listen(BACKLOG)
            if udp:
                sock = bound(family, socket.SOCK_DGRAM, address, port)
                self.udp.append(sock)
                port = sock.getsockname()[1]
        return port


def bound(family: int, kind: int, host: str, port: int) -> socket.socket:
    """A bound, non-blocking socket."""
    sock = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    if port == 0 and kind == socket.SOCK_STREAM:
        try:
            return bound(family, kind, host, sock.getsockname()[1])
        finally:
            sock.close()
    return sock


def _fresh(old: socket.socket) -> socket.socket:
    """A datagram socket in the old one's place. Both are there for a moment, so that the port is never free."""
    new = socket.socket(old.family, socket.SOCK_DGRAM)
    try:
        if old.family == socket.AF_INET6:
            new.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for sock in (old, new):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        new.bind(old.getsockname()[:2])
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
    except OSError:
        new.close()
        raise
    new.setblocking(False)
    old.close()
    return new
