"""How a TCP connection may end, on the socket itself."""

import asyncio
import socket
import struct
import sys

_SIOCOUTQ = 0x5411
"""Linux: how many bytes the peer has not taken yet (tcp(7)); termios calls it TIOCOUTQ."""

_POLL_S = 0.001


def shut(sock: socket.socket) -> None:
    """FIN: nothing more goes out."""
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def reset(sock: socket.socket) -> None:
    """RST: SO_LINGER with no time, and close. asyncio's `abort` is a FIN when everything is sent."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    sock.close()


async def wait_until_sent(sock: socket.socket, seconds: float) -> None:
    """Until the peer's kernel has everything: a reset throws away what is still on its way."""
    if sys.platform != "linux":
        return
    import fcntl

    deadline = asyncio.get_running_loop().time() + seconds
    try:
        while int.from_bytes(fcntl.ioctl(sock.fileno(), _SIOCOUTQ, bytes(4)), sys.byteorder):
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(_POLL_S)
    except OSError:
        pass
