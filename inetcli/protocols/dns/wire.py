"""Messages: RFC 1035 section 4, with EDNS (RFC 6891) and extended errors (RFC 8914).

    message  = header question answer authority additional
    header   = ID  QR|Opcode|AA|TC|RD  RA|Z|AD|CD|RCODE  QDCOUNT ANCOUNT NSCOUNT ARCOUNT      6 x 16 bits
    question = QNAME QTYPE QCLASS
    record   = NAME TYPE CLASS TTL RDLENGTH RDATA

A reply is accepted only if its ID, and its question if it has one, are those of the query (RFC 5452 section 9.1). Over
TCP each message is preceded by its length in two bytes (section 4.2.2).
"""

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.model import Message, Question, Record
from inetcli.protocols.dns.name import HEADER, encode_name, parse_name, same_name
from inetcli.protocols.dns.rdata import parse_rdata
from inetcli.wire.reader import Parser, Reader

EDNS_SIZE = 1232
"""Bytes of the largest reply that we accept over UDP: passes everywhere without fragmentation (DNS flag day 2020)."""

_IN = 1
_OPT = 41
_EDE = 15
_RD = 0x0100
_FLAGS = (
    (0x8000, "qr"),
    (0x0400, "aa"),
    (0x0200, "tc"),
    (0x0100, "rd"),
    (0x0080, "ra"),
    (0x0020, "ad"),
    (0x0010, "cd"),
)
_SMALLEST_RECORD = 11
"""Bytes of the smallest record: root name, type, class, TTL, length 0. A count that cannot fit is refused at once."""


def encode_query(question: Question, query_id: int, *, edns: bool = True) -> bytes:
    """Encode a query with recursion desired. `edns=False` omits the OPT record, for old servers."""
    head = b"".join(number.to_bytes(2, "big") for number in (query_id, _RD, 1, 0, 0, int(edns)))
    asked = encode_name(question.name) + question.type.to_bytes(2, "big") + _IN.to_bytes(2, "big")
    opt = b"\0" + _OPT.to_bytes(2, "big") + EDNS_SIZE.to_bytes(2, "big") + bytes(6)
    return head + asked + (opt if edns else b"")


def encode_framed(message: bytes) -> bytes:
    """Encode a message for TCP."""
    return len(message).to_bytes(2, "big") + message


def parse_framed(reader: Reader) -> Parser[bytes]:
    """Parse one message from TCP."""
    size = yield from reader.exact(2, "the length of a message")
    return (yield from reader.exact(int.from_bytes(size, "big"), "a message"))


def message_id(data: bytes) -> int | None:
    """Return the ID of a message; None = too short."""
    return int.from_bytes(data[:2], "big") if len(data) >= HEADER else None


def answers_question(data: bytes, expected_id: int, question: Question) -> bool:
    """Whether a datagram is a reply to this question. If not, another host sent it, or it is late."""
    if message_id(data) != expected_id or not data[2] & 0x80:
        return False
    if int.from_bytes(data[4:6], "big") == 0:
        return True  # some replies omit the question, FORMERR for example
    try:
        asked, _ = _parse_question(data, HEADER)
    except ProtocolViolation:
        return False
    return same_name(asked.name, question.name) and asked.type == question.type


def parse_message(data: bytes) -> Message:
    """Parse a whole reply. `ProtocolViolation` names the broken part; bytes after the last record are ignored."""
    if len(data) < HEADER:
        raise ProtocolViolation(f"DNS: a message of {len(data)} bytes; the header alone needs {HEADER}")
    words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, HEADER, 2)]
    reply_id, bits, asked, *counts = words
    if asked > 1:
        raise ProtocolViolation(f"DNS: expected a reply with 1 question, got {asked} (RFC 9619)")
    question, at = _parse_question(data, HEADER) if asked else (None, HEADER)
    sections: list[list[Record]] = []
    opt: tuple[int, bytes] | None = None
    for count in counts:
        if count * _SMALLEST_RECORD > len(data) - at:
            raise ProtocolViolation(f"DNS: {count} records announced, but only {len(data) - at} bytes left")
        records = []
        for _ in range(count):
            record, extended, at = _parse_record(data, at)
            if record:
                records.append(record)
            opt = opt or extended
        sections.append(records)
    upper, options = opt or (0, b"")
    return Message(
        id=reply_id,
        flags=tuple(name for bit, name in _FLAGS if bits & bit),
        rcode=bits & 0xF | upper << 4,
        question=question,
        answers=tuple(sections[0]),
        authority=tuple(sections[1]),
        additional=tuple(sections[2]),
        edns=opt is not None,
        ede=_parse_ede(options),
    )


def _parse_question(data: bytes, at: int) -> tuple[Question, int]:
    name, at = parse_name(data, at)
    kind, _ = _parse_uint16_pair(data, at)
    return Question(name, kind), at + 4


def _parse_record(data: bytes, at: int) -> tuple[Record | None, tuple[int, bytes] | None, int]:
    """Parse a record; return it, or the contents of an OPT record (upper bits of the rcode, options), and the offset
    after it."""
    name, at = parse_name(data, at)
    kind, family = _parse_uint16_pair(data, at)
    ttl = int.from_bytes(data[at + 4 : at + 8], "big")
    start = at + 10
    end = start + int.from_bytes(data[at + 8 : at + 10], "big")
    if end > len(data) or start > len(data):
        raise ProtocolViolation(f"DNS: the record at {at} extends beyond the end of the message ({len(data)} bytes)")
    if kind == _OPT:
        return None, (ttl >> 24, data[start:end]), end
    if family != _IN:
        return None, None, end
    text, fields = parse_rdata(kind, data, start, end)
    # RFC 2181 section 8: a TTL with its highest bit set counts as 0.
    return Record(name, kind, ttl if ttl < 1 << 31 else 0, text, fields), None, end


def _parse_ede(options: bytes) -> tuple[tuple[int, str], ...]:
    found, at = [], 0
    while at + 4 <= len(options):
        code, size = _parse_uint16_pair(options, at)
        value = options[at + 4 : at + 4 + size]
        if code == _EDE and len(value) >= 2:
            found.append((int.from_bytes(value[:2], "big"), value[2:].decode("utf-8", "replace").rstrip("\0")))
        at += 4 + size
    return tuple(found)


def _parse_uint16_pair(data: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(data):
        raise ProtocolViolation(f"DNS: the message ends at {len(data)}, in the middle of a record")
    return int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
