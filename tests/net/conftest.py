"""The fixtures of the tests of `inetcli.net`."""

from support.clock import clock
from support.pairs import background, cancel, connect, limits, listener, pair, sockets

__all__ = ["background", "cancel", "clock", "connect", "limits", "listener", "pair", "sockets"]
