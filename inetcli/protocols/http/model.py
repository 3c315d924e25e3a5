"""What HTTP talks about: requests, responses, where a response begins and ends, and what is odd about it."""

from dataclasses import dataclass, field
from enum import StrEnum

from inetcli.secret import Secret


class Framing(StrEnum):
    """How a receiver knows where a body ends (RFC 9112 section 6.3)."""

    CONTENT_LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "close"
    NONE = "none"


class Severity(StrEnum):
    """`error`: a receiver must or ought to reject it; `warning`; `note`: legal, unusual."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def ascii_lower(text: str) -> str:
    """Text for comparing: lower case where it is ASCII. Of the others some have an ASCII lower case, as the Kelvin sign
    has k: a receiver that compares bytes would not take them for it."""
    return text.lower() if text.isascii() else text


@dataclass(frozen=True, slots=True)
class Request:
    """A GET, as it goes out. `target` is the request-target as it was typed."""

    host: str
    target: str
    method: str = "GET"
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd at an offset of the received bytes; `section` is the RFC's."""

    id: str
    severity: Severity
    offset: int
    section: str
    message: str


@dataclass(frozen=True, slots=True)
class Head:
    """A response's status line and fields. `start` and `end` count received bytes on the connection from 0."""

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    start: int
    end: int

    @property
    def interim(self) -> bool:
        """Whether a final response is still to come (1xx, but not 101)."""
        return 100 <= self.status < 200 and self.status != 101

    def values(self, name: str) -> list[str]:
        """The values of a field, in order; names ignore case."""
        return [value for key, value in self.headers if ascii_lower(key) == name]


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response. `body_bytes` counts the content without chunk framing; `end` is where it ends."""

    head: Head
    framing: Framing
    body_bytes: int
    trailers: tuple[tuple[str, str], ...]
    end: int


@dataclass(slots=True)
class Exchange:
    """What came over one connection. `surplus` = bytes behind the last response that had arrived."""

    responses: list[Response] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sent_bytes: int = 0
    received_bytes: int = 0
    surplus: int = 0
