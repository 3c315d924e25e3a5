"""`--timing`: the phases of a target as bars on one time scale.

before          0.5 ms █
resolve         0.8 ms █
connect         0.4 ms  █
tls            21.2 ms   ██████████████████
login           8.1 ms                     ███████
commands        2.0 ms                            ██
first byte     12.0 ms                              ██████████
transfer        0.4 ms                                        █
total          45.4 ms

`before` is the start, and the earlier tries with their pauses.
"""

from collections.abc import Mapping

from inetcli.net.trace import Span

BLOCKS = "█"
HASHES = "#"

_SHOWN_S = 0.00005
"""Seconds that are rounded to 0.1 ms, the smallest duration in the chart."""

_LABEL = 10
"""Columns of the label column; a longer label widens it."""


def draw_timing_chart(phases: Mapping[str, Span], total_s: float, *, width: int = 80, blocks: bool = True) -> list[str]:
    """Format one line for each phase, in the order of their starts, and one for the total."""
    mark = BLOCKS if blocks else HASHES
    phases = _whole(phases, total_s)
    labels = {name: name.replace("_", " ") for name in phases}
    column = max([_LABEL, *map(len, labels.values())])
    width_left = max(10, width - column - 14)
    scale = width_left / total_s if total_s > 0 else 0.0
    lines = []
    for name, span in sorted(phases.items(), key=lambda item: item[1].start):
        start = min(width_left - 1, round(span.start * scale))
        length = max(1, min(width_left - start, round(span.duration * scale)))
        lines.append(f"{labels[name]:<{column}} {span.duration * 1000:8.1f} ms " + " " * start + mark * length)
    return [*lines, f"{'total':<{column}} {total_s * 1000:8.1f} ms"]


def _whole(phases: Mapping[str, Span], total_s: float) -> Mapping[str, Span]:
    """Add the time before the first phase (start, earlier tries and their pauses) and the time from the first byte to
    the end of the result, so that the phases add up to the total."""
    if not phases:
        return phases
    whole = {"before": Span(0.0, min(span.start for span in phases.values())), **phases}
    if first_byte := phases.get("first_byte"):
        end = first_byte.start + first_byte.duration
        whole["transfer"] = Span(end, total_s - end)
    return {name: span for name, span in whole.items() if name in phases or span.duration >= _SHOWN_S}
