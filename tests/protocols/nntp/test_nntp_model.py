"""The words of NNTP: a group and its marks."""

import pytest

from inetcli.protocols.nntp.model import Group


@pytest.mark.parametrize(
    ("count", "low", "high", "empty"),
    [
        (5, 1, 5, False),
        (1, 7, 7, False),
        (0, 4000, 3999, True),
        (0, 0, 0, True),
        (0, 4000, 4321, True),
        (1, 1, 0, True),
    ],
)
def test_a_group_is_empty_in_each_of_the_forms_of_rfc_3977(count: int, low: int, high: int, empty: bool) -> None:
    assert Group("g", count, low, high).empty is empty
