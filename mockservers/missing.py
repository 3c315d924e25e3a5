"""The failure of whoever needs a library that is not installed."""


class Missing(RuntimeError):
    """A library that this server needs is not installed; the message says how to get it."""
