"""`--timing`: the phases of a target as bars on one scale of time.

resolve         0.8 ms ██
connect         0.4 ms   █
tls            31.2 ms   ████████████████████████████
first byte     12.0 ms                               ██████████
total          45.1 ms
"""

from collections.abc import Mapping

from inetcli.net.trace import Span

BLOCKS = "█"
HASHES = "#"

_LABEL = 10


def draw_timing_chart(phases: Mapping[str, Span], total_s: float, *, width: int = 80, blocks: bool = True) -> list[str]:
    """One line for each phase, in the order of their starts, and one for the total."""
    ink = BLOCKS if blocks else HASHES
    room = max(10, width - _LABEL - 14)
    scale = room / total_s if total_s > 0 else 0.0
    lines = []
    for name, span in sorted(phases.items(), key=lambda item: item[1].start):
        start = min(room - 1, round(span.start * scale))
        length = max(1, min(room - start, round(span.duration * scale)))
        label = name.replace("_", " ")
        lines.append(f"{label:<{_LABEL}} {span.duration * 1000:8.1f} ms " + " " * start + ink * length)
    return [*lines, f"{'total':<{_LABEL}} {total_s * 1000:8.1f} ms"]
