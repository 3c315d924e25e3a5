"""The object of talk: one line and its reply."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineExchange:
    """A sent line and its reply, without line ends. `sent` is None for lines that the peer sends after our last line.

    `rtt_s` is the time from the last byte of the line to the first byte of the reply, in seconds.
    """

    sent: bytes | None
    received: bytes
    rtt_s: float | None
