"""The fixtures that the tests of all protocols share."""

from support.arrival import parses, refuses

__all__ = ["parses", "refuses"]
