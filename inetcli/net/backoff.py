"""The pauses between attempts (exponential back-off): each pause is twice as long as the one before, up to a limit.

The pauses of `--retries` begin with 0.25 s, because an attempt that failed at once is likely to fail at once again.
The pauses of `--wait` begin with 50 ms and are at most 1 s long, because a server that is starting is usually ready
within a second or two, and the program should notice that soon.
"""

from collections.abc import Iterator

RETRY_S = 0.25, 8.0
"""The first and the longest pause of `--retries`, in seconds."""

WAIT_S = 0.05, 1.0
"""The first and the longest pause of `--wait`, in seconds."""


def pauses(first_s: float, longest_s: float) -> Iterator[float]:
    """Yield the pauses in seconds before the second attempt, the third, and so on, without end."""
    pause = first_s
    while True:
        yield pause
        pause = min(2 * pause, longest_s)
