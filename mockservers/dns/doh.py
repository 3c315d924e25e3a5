"""DNS over HTTPS: the query in an HTTP request, and what is said to a request that holds none (RFC 8484 section 4).

GET /dns-query?dns=BASE64URL         without padding
POST /dns-query                      the query as application/dns-message
"""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qs

PATH = "/dns-query"
KIND = "application/dns-message"
MAX_QUERY = 0xFFFF


class Refused(Exception):
    """A request that is no query; the status and the message are its response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_query(headers: Mapping[str, str], body: bytes) -> bytes:
    """The DNS message in a request, whose pseudo-header fields are among `headers`. `Refused` when there is none."""
    path, _, query = headers.get(":path", "").partition("?")
    if path != PATH:
        raise Refused(404, f"expected {PATH}")
    match headers.get(":method"):
        case "POST":
            if headers.get("content-type", "").lower() != KIND:
                raise Refused(415, f"expected {KIND}")
            data = body
        case "GET":
            data = _decode(parse_qs(query).get("dns", []))
        case _:
            raise Refused(405, "expected GET or POST")
    if len(data) > MAX_QUERY:
        raise Refused(413, f"expected at most {MAX_QUERY} bytes")
    return data


def _decode(values: list[str]) -> bytes:
    if len(values) != 1:
        raise Refused(400, f"expected one dns=BASE64URL, got {len(values)}")
    (value,) = values
    if "=" in value:
        raise Refused(400, "expected base64url without padding")
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(400, f"expected base64url: {error}") from None
