"""What talk talks about: a turn of the conversation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """One line out and its reply in, without line ends. What the peer says after our last line has nothing sent.

    `rtt_s` is the time from the last byte of the line to the first of the reply, in seconds.
    """

    sent: bytes | None
    received: bytes
    rtt_s: float | None
