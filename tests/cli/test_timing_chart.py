"""The chart of `--timing`."""

import pytest

from inetcli.cli.timing_chart import draw_timing_chart
from inetcli.net.trace import Span

PHASES = {"first_byte": Span(0.06, 0.04), "resolve": Span(0.0, 0.02), "connect": Span(0.02, 0.04)}


def test_phases_are_bars_on_one_scale_in_the_order_of_their_starts() -> None:
    assert draw_timing_chart(PHASES, 0.1, width=44, blocks=False) == [
        "resolve        20.0 ms ####",
        "connect        40.0 ms     ########",
        "first byte     40.0 ms             ########",
        "total         100.0 ms",
    ]


def test_bars_are_blocks_where_they_can_be_shown() -> None:
    drawn = draw_timing_chart(PHASES, 0.1, width=44)
    assert drawn[0] == "resolve        20.0 ms ████"
    assert [line.replace("█", "#") for line in drawn] == draw_timing_chart(PHASES, 0.1, width=44, blocks=False)


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
@pytest.mark.parametrize(
    ("phases", "total"),
    [
        (PHASES, 0.1),
        ({"resolve": Span(0.0, 0.0)}, 0.0),
        ({"tls": Span(5.0, 1e-9)}, 5.0),
        ({"connect": Span(0.0, 3600.0)}, 3600.0),
        ({"first_byte": Span(0.2, 0.5)}, 0.1),  # the answer had come before: bytes behind it
    ],
)
def test_a_bar_is_never_empty_and_never_too_wide(phases: dict[str, Span], total: float, width: int) -> None:
    *bars, last = draw_timing_chart(phases, total, width=width, blocks=False)
    assert [bar for bar in bars if not bar.startswith("before ")] == bars[-len(phases) :]
    assert last.startswith("total")
    for bar in bars:
        assert "#" in bar
        assert len(bar) <= max(34, width)


def test_chart_without_phases_has_a_total() -> None:
    assert draw_timing_chart({}, 0.0) == ["total           0.0 ms"]


def test_login_and_commands_stand_between_tls_and_the_first_byte() -> None:
    """The phases follow one another, so that they add up to the total."""
    names = ["resolve", "connect", "tls", "login", "commands", "first_byte"]
    phases = {name: Span(0.01 * at, 0.01) for at, name in enumerate(names)}
    *bars, total = draw_timing_chart(dict(reversed(phases.items())), 0.06, width=84, blocks=False)
    assert bars == [
        f"{name.replace('_', ' '):<10}     10.0 ms {' ' * 10 * at}{'#' * 10}" for at, name in enumerate(names)
    ]
    assert total == "total          60.0 ms"
    assert sum(float(bar.split(" ms ")[0].split()[-1]) for bar in bars) == 60.0


def test_a_long_label_widens_the_column() -> None:
    drawn = draw_timing_chart({"data_connection": Span(0.0, 0.5), "tls": Span(0.5, 0.5)}, 1.0, width=49, blocks=False)
    assert drawn == [
        "data connection    500.0 ms ##########",
        "tls                500.0 ms           ##########",
        "total             1000.0 ms",
    ]


def test_time_after_the_first_byte_is_the_transfer_so_that_the_phases_add_up() -> None:
    phases = {"connect": Span(0.0, 0.01), "first_byte": Span(0.01, 0.01)}
    *bars, total = draw_timing_chart(phases, 0.05, width=74, blocks=False)
    assert [bar.split(" ms ")[0] for bar in bars] == [
        "connect        10.0",
        "first byte     10.0",
        "transfer       30.0",
    ]
    assert total == "total          50.0 ms"


def test_time_before_the_first_phase_is_shown_so_that_the_phases_add_up() -> None:
    """The start of the program, or an earlier try and the pause behind it."""
    phases = {"commands": Span(0.03, 0.01), "first_byte": Span(0.04, 0.01)}
    drawn = draw_timing_chart(phases, 0.05, width=74, blocks=False)
    assert [bar.split(" ms ")[0].removesuffix(" ms") for bar in drawn] == [
        "before         30.0",
        "commands       10.0",
        "first byte     10.0",
        "total          50.0",
    ]
