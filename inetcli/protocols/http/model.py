"""The objects of HTTP: requests, responses, the framing of a response, and findings about it."""

from dataclasses import dataclass, field
from enum import StrEnum

from inetcli.secret import Secret


class Framing(StrEnum):
    """The rule by which a receiver finds the end of a body (RFC 9112 section 6.3)."""

    CONTENT_LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "close"
    NONE = "none"


class Severity(StrEnum):
    """The severity of a finding. `error`: a receiver must or should reject the message; `warning`; `note`: legal but
    unusual."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def ascii_lower(text: str) -> str:
    """Lower the case of ASCII text, for comparison. Other text stays: some of its characters have an ASCII lower case,
    as the Kelvin sign has k, and a receiver that compares bytes would not match them."""
    return text.lower() if text.isascii() else text


@dataclass(frozen=True, slots=True)
class Request:
    """A GET request. `target` is the request-target as typed."""

    host: str
    target: str
    method: str = "GET"
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """An irregularity at an offset of the received bytes; `section` is the section of the RFC."""

    id: str
    severity: Severity
    offset: int
    section: str
    message: str


@dataclass(frozen=True, slots=True)
class Head:
    """The status line and fields of a response. `start` and `end` are offsets in the received bytes of the
    connection."""

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    start: int
    end: int

    @property
    def interim(self) -> bool:
        """Whether a final response follows (1xx, but not 101)."""
        return 100 <= self.status < 200 and self.status != 101

    def values(self, name: str) -> list[str]:
        """Return the values of a field, in order; names ignore case."""
        return [value for key, value in self.headers if ascii_lower(key) == name]


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response. `body_bytes` counts the content without chunk framing; `end` is its end offset."""

    head: Head
    framing: Framing
    body_bytes: int
    trailers: tuple[tuple[str, str], ...]
    end: int


@dataclass(slots=True)
class Exchange:
    """The traffic of one connection. `surplus` = received bytes after the last response."""

    responses: list[Response] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sent_bytes: int = 0
    received_bytes: int = 0
    surplus: int = 0
