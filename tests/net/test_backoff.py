"""The pauses between attempts."""

from itertools import islice

import pytest

from inetcli.net.backoff import RETRY_S, WAIT_S, pauses


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (RETRY_S, [0.25, 0.5, 1, 2, 4, 8, 8, 8]),
        (WAIT_S, [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1, 1]),
        ((3.0, 2.0), [3, 2, 2, 2, 2, 2, 2, 2]),
    ],
)
def test_each_pause_is_twice_the_one_before_up_to_a_limit(limits: tuple[float, float], expected: list[float]) -> None:
    assert list(islice(pauses(*limits), 8)) == pytest.approx(expected)
