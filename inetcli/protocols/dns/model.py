"""The objects of DNS: questions, records, messages, and the answer to one question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "OPT": 41,
    "DS": 43,
    "RRSIG": 46,
    "DNSKEY": 48,
    "SVCB": 64,
    "HTTPS": 65,
    "ANY": 255,
    "CAA": 257,
}
"""Type mnemonics of the IANA registry that questions may use; any other type is TYPEnnn (RFC 3597)."""

_NAMES = {number: name for name, number in TYPES.items()}

RCODES = {
    0: "NOERROR",
    1: "FORMERR",
    2: "SERVFAIL",
    3: "NXDOMAIN",
    4: "NOTIMP",
    5: "REFUSED",
    6: "YXDOMAIN",
    9: "NOTAUTH",
    16: "BADVERS",
    23: "BADCOOKIE",
}


def type_name(number: int) -> str:
    """Return the mnemonic of a type."""
    return _NAMES.get(number) or f"TYPE{number}"


def type_number(name: str) -> int | None:
    """Return the number of a mnemonic or TYPEnnn, in any case; None = neither."""
    name = name.upper()
    if name in TYPES:
        return TYPES[name]
    digits = name.removeprefix("TYPE")
    if name.startswith("TYPE") and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) < 65536:
        return int(digits)
    return None


def rcode_name(number: int) -> str:
    """Return the mnemonic of an rcode."""
    return RCODES.get(number) or f"RCODE{number}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question: an absolute name in canonical form, and a type."""

    name: str
    type: int


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record of class IN. `data` is its presentation form, `fields` are its parts for JSON."""

    name: str
    type: int
    ttl_s: int
    data: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A reply. `flags` are lower-case mnemonics; `rcode` includes the upper bits from EDNS; `edns` = the reply has an
    OPT record; `ede` are the codes and texts of RFC 8914."""

    id: int
    flags: tuple[str, ...]
    rcode: int
    question: Question | None
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    edns: bool = False
    ede: tuple[tuple[int, str], ...] = ()

    @property
    def truncated(self) -> bool:
        """Whether records are missing because the reply did not fit."""
        return "tc" in self.flags


class Transport(StrEnum):
    """The transport of a query."""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with its final reply. `tries` counts datagrams and connections; `truncated` = the reply over UDP was
    truncated and the query repeated over TCP; `rtt_s` is the time of the last query, in seconds."""

    question: Question
    message: Message
    server: str
    transport: Transport
    rtt_s: float
    tries: int
    truncated: bool = False
