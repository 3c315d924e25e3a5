"""Which error of ours a status is (RFC 9110 section 15): `HttpStatus` from 400 on, none below."""

from inetcli.errors import HttpStatus

FIRST_FAILURE = 400
"""The lowest status of the two classes that say that a request has failed."""


def status_error(status: int, reason: str) -> HttpStatus | None:
    """The error for a status; None for one that is no failure."""
    return HttpStatus(f"status {status} {reason}".rstrip()) if status >= FIRST_FAILURE else None
