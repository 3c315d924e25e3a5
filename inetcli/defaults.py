"""The default limits, which the command line and the network share. Loads nothing, for a fast start of the help."""

CONNECT_S: float = 15
"""Seconds for name look-up, TCP and TLS together."""

SILENCE_S: float = 30
"""Seconds without data from the peer."""

MIN_RATE = 16
"""Bytes per second, averaged over 60 s: a slower transfer ends."""
