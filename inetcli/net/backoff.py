"""The pauses between attempts: each twice as long as the one before it, up to a limit.

`--retries` begins with a quarter of a second: what fails at once fails again at once. `--wait` begins with 50 ms,
because a server on the way up is there within a second or two; no pause of it is longer than one, so that it is seen
soon.
"""

from collections.abc import Iterator

RETRY_S = 0.25, 8.0
WAIT_S = 0.05, 1.0


def pauses(first_s: float, longest_s: float) -> Iterator[float]:
    """Seconds to wait before the second attempt, the third, and so on; without end."""
    pause = first_s
    while True:
        yield pause
        pause = min(2 * pause, longest_s)
