"""The default limits of the command line and of the code behind it. Loads nothing, for a fast start of the help."""

CONNECT_S: float = 15
"""Seconds for name look-up, TCP and TLS together."""

SILENCE_S: float = 30
"""Seconds without data from the peer."""

MIN_RATE = 16
"""Bytes per second, averaged over 60 s: a slower transfer ends."""

MAX_DEPTH = 64
MAX_FILES = 1_000_000
"""The default limits, folders included, larger than any tree that people copy (--max-depth, --max-files)."""

LINES = 20
"""Meaningful lines of an article that are printed, as in the book."""
