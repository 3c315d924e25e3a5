"""Errors for HTTP statuses (RFC 9110 section 15): `HttpStatus` from 400 on, none below."""

from inetcli.errors import HttpStatus

FIRST_FAILURE = 400
"""The lowest status of the classes 4xx and 5xx, which report failures."""


def status_error(status: int, reason: str) -> HttpStatus | None:
    """Return the error for a status; None if the status is not a failure."""
    return HttpStatus(f"status {status} {reason}".rstrip()) if status >= FIRST_FAILURE else None
