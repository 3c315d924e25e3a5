"""Which status is a failure."""

import pytest

from inetcli.protocols.http.errors import status_error


@pytest.mark.parametrize("status", [100, 200, 304, 399])
def test_below_400_is_no_failure(status: int) -> None:
    assert status_error(status, "OK") is None


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [(400, "Bad Request", "status 400 Bad Request"), (503, "", "status 503"), (999, "x", "status 999 x")],
)
def test_from_400_on_it_is_one_with_its_reason(status: int, reason: str, message: str) -> None:
    error = status_error(status, reason)
    assert error is not None
    assert error.message == message
