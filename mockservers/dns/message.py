"""DNS messages as a server sees them: a query in, a reply out (RFC 1035 section 4, RFC 6891).

`parse_query` takes any bytes. What is no query at all (a reply, less than a header) is None; what is a query that
cannot be answered has an rcode that says so, as RFC 8906 wants it: every query gets a reply. `encode_reply` compresses
names, puts in OPT where the query had it, and never echoes flags or options that are not known here.
"""

from dataclasses import dataclass, field, replace

from mockservers.dns.data import COMPRESSED, names_in
from mockservers.dns.name import MAX_LABEL, MAX_NAME, Name, lower, name_text
from mockservers.dns.types import ANY, CLASS_IN, OPT, RCODES, type_name
from mockservers.dns.zonefile import Record

HEADER = 12
CLASSIC_SIZE = 512
"""What a client without EDNS takes over UDP (RFC 1035 section 2.3.4)."""

OWN_SIZE = 1232
"""What we say that we take (DNS flag day 2020)."""

QR, AA, TC, RD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0010
_DO = 0x8000
_QUERY = 0
_EDE = 15
_POINTER = 0xC000
_META = range(128, 256)


@dataclass(frozen=True, slots=True)
class Edns:
    """What the query's OPT record says."""

    size: int
    version: int
    dnssec_ok: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `rcode` is not 0 when it cannot be answered from any zone."""

    id: int
    flags: int
    name: Name | None = None
    kind: int = 0
    klass: int = CLASS_IN
    edns: Edns | None = None
    rcode: int = 0

    @property
    def opcode(self) -> int:
        return self.flags >> 11 & 15

    @property
    def text(self) -> str:
        """As in a trigger: `www.example.test/A`."""
        if self.name is None:
            return f"opcode {self.opcode}"
        return f"{name_text(self.name).removesuffix('.') or '.'}/{type_name(self.kind)}"

    @property
    def room(self) -> int:
        """How many bytes the client takes over UDP."""
        return max(CLASSIC_SIZE, self.edns.size) if self.edns else CLASSIC_SIZE


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, before it is bytes. `extended` are extended errors (RFC 8914): code and text."""

    rcode: int = 0
    flags: int = 0
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    extended: tuple[tuple[int, str], ...] = field(default=())
    edns: bool = True


def parse_query(data: bytes) -> Query | None:
    """The query in a message; None when there is nothing that could be replied to."""
    if len(data) < HEADER or data[2] & 0x80:
        return None
    query = Query(int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big"))
    if query.opcode != _QUERY:
        return replace(query, rcode=RCODES["NOTIMP"])
    try:
        return _parse_sections(query, data)
    except (IndexError, ValueError):
        return replace(query, rcode=RCODES["FORMERR"])


def _parse_sections(query: Query, data: bytes) -> Query:
    counts = [int.from_bytes(data[at : at + 2], "big") for at in range(4, HEADER, 2)]
    if counts[0] != 1 or counts[1]:
        raise ValueError("expected one question and no answer")  # RFC 9619
    name, at = _parse_name(data, HEADER)
    kind, klass = _word(data, at), _word(data, at + 2)
    query = replace(query, name=name, kind=kind, klass=klass)
    at += 4
    for _ in range(sum(counts[1:])):
        owner, at = _parse_name(data, at)
        size = _word(data, at + 8)
        if _word(data, at) == OPT:
            if query.edns or owner:
                return replace(query, rcode=RCODES["FORMERR"])
            _check_options(data[at + 10 : at + 10 + size])
            query = replace(query, edns=Edns(_word(data, at + 2), data[at + 5], bool(_word(data, at + 6) & _DO)))
        at += 10 + size
    if at != len(data):
        return replace(query, rcode=RCODES["FORMERR"])
    if query.edns and query.edns.version:
        return replace(query, rcode=RCODES["BADVERS"])
    if kind == OPT or (kind in _META and kind != ANY):
        # Zone transfers, and types that only make sense elsewhere in a message.
        return replace(query, rcode=RCODES["REFUSED" if kind in (251, 252) else "NOTIMP"])
    return query


def _check_options(data: bytes) -> None:
    at = 0
    while at < len(data):
        at += 4 + _word(data, at + 2)
    if at != len(data):
        raise ValueError("an option of EDNS is cut")


def _parse_name(data: bytes, at: int) -> tuple[Name, int]:
    """A name, compressed or not: a pointer goes back, to what has been read."""
    labels: list[bytes] = []
    after, left = 0, MAX_NAME
    limit = at
    while size := data[at]:
        if size > MAX_LABEL:
            target = _word(data, at) - _POINTER
            if not HEADER <= target < limit:
                raise ValueError("a pointer does not point back")
            after = after or at + 2
            at = limit = target
            continue
        label = data[at + 1 : at + 1 + size]
        left -= size + 1
        if len(label) < size or left < 1:
            raise ValueError("a name is cut or too long")
        labels.append(label)
        at += 1 + size
    return tuple(labels), after or at + 1


def _word(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise ValueError("the message ends too early")
    return int.from_bytes(data[at : at + 2], "big")


def encode_reply(query: Query, reply: Reply) -> bytes:
    """The reply's bytes: the query's ID, opcode, RD and CD, its question, and OPT where it had one."""
    flags = QR | query.flags & (15 << 11 | RD | CD) | reply.flags | reply.rcode & 15
    writer = _Writer()
    if query.name is not None:
        writer.name(query.name)
        writer.data += query.kind.to_bytes(2, "big") + query.klass.to_bytes(2, "big")
    for record in (*reply.answers, *reply.authority, *reply.additional):
        writer.record(record)
    opt = query.edns is not None and reply.edns
    if opt:
        writer.data += _opt(query, reply)
    counts = (len(reply.answers), len(reply.authority), len(reply.additional) + opt)
    head = (query.id, flags, int(query.name is not None), *counts)
    return b"".join(number.to_bytes(2, "big") for number in head) + writer.data[HEADER:]


def _opt(query: Query, reply: Reply) -> bytes:
    """Our OPT: our size, the upper bits of the rcode, version 0, and DO if it came (RFC 3225 section 3)."""
    flags = _DO if query.edns and query.edns.dnssec_ok else 0
    options = b"".join(_option(_EDE, code.to_bytes(2, "big") + text.encode()) for code, text in reply.extended)
    fixed = b"\0" + OPT.to_bytes(2, "big") + OWN_SIZE.to_bytes(2, "big") + bytes([reply.rcode >> 4, 0])
    return fixed + flags.to_bytes(2, "big") + len(options).to_bytes(2, "big") + options


def _option(code: int, data: bytes) -> bytes:
    return code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data


class _Writer:
    """A message being written, and where its names are."""

    def __init__(self) -> None:
        self.data = bytearray(HEADER)
        self._places: dict[Name, int] = {}

    def name(self, name: Name) -> None:
        """A name; what has been written already is pointed at."""
        for at in range(len(name)):
            rest = lower(name[at:])
            if rest in self._places:
                self.data += (_POINTER | self._places[rest]).to_bytes(2, "big")
                return
            if len(self.data) < 0x4000:
                self._places[rest] = len(self.data)
            self.data += bytes([len(name[at])]) + name[at]
        self.data += b"\0"

    def record(self, record: Record) -> None:
        self.name(record.name)
        kind = record.kind.to_bytes(2, "big")
        self.data += kind + CLASS_IN.to_bytes(2, "big") + record.ttl.to_bytes(4, "big") + b"\0\0"
        start = len(self.data)
        if record.kind in COMPRESSED:
            for part in names_in(record.kind, record.data):
                if isinstance(part, bytes):
                    self.data += part
                else:
                    self.name(part)
        else:
            self.data += record.data
        self.data[start - 2 : start] = (len(self.data) - start).to_bytes(2, "big")
