"""The fixtures of the tests of `inetcli.wire`."""

from support.arrival import parses, refuses

__all__ = ["parses", "refuses"]
