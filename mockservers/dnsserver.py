"""DNS: a small zone over UDP and TCP on one port (RFC 1035).

The zone is a dict of names to records, each a presentation line without name and class:

    {"www.example.test.": ["300 A 192.0.2.1", "300 AAAA 2001:db8::1"]}

A name that begins with `*.` answers for every name below it that is not there. A reply that does not fit into what the
client takes over UDP (EDNS's size, else 512 bytes) is cut, with TC set and no records. An unknown name is NXDOMAIN, a
known one without that type an empty NOERROR, both with the zone's SOA; a name outside the zone is REFUSED. There is no
recursion and no upstream.

Faults of its own, on a question such as `www.example.test/A` or on `*`: `rcode(NAME)`, `drop`, `wrong_id`,
`wrong_question`, `truncated` (TC set over UDP, whatever the size), `cut` (the message ends in the middle), `no_edns`
(FORMERR to every query with EDNS).
"""

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from mockservers.certs import authority
from mockservers.connection import Connection
from mockservers.core import Server
from mockservers.faultkinds import Armed, Delay, Fault, Silent, register
from mockservers.log import Kind

ZONE: Mapping[str, list[str]] = {
    "example.test.": [
        "300 SOA ns1.example.test. hostmaster.example.test. 2024010101 3600 600 86400 60",
        "300 NS ns1.example.test.",
        "300 MX 10 mail.example.test.",
        '300 TXT "v=spf1 -all" "second string"',
        '300 CAA 0 issue "ca.example.net"',
        "300 HTTPS 1 .",
    ],
    "ns1.example.test.": ["300 A 127.0.0.1"],
    "www.example.test.": ["300 A 192.0.2.1", "300 AAAA 2001:db8::1"],
    "alias.example.test.": ["300 CNAME www.example.test."],
    "dangling.example.test.": ["300 CNAME nowhere.example.test."],
    "loop.example.test.": ["300 CNAME pool.example.test."],
    "pool.example.test.": ["300 CNAME loop.example.test."],
    "mail.example.test.": ["300 A 192.0.2.25"],
    "_sip._tcp.example.test.": ["300 SRV 10 60 5060 www.example.test."],
    "*.wild.example.test.": ['300 TXT "from the wildcard"'],
    "big.example.test.": [f"300 A 198.51.100.{number}" for number in range(60)],
    "1.2.0.192.in-addr.arpa.": ["300 PTR www.example.test."],
}

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
    "HTTPS": 65,
    "ANY": 255,
    "CAA": 257,
}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}

_NAMES = {number: name for name, number in TYPES.items()}
_OPT = 41
_CLASSIC_SIZE = 512


@dataclass(frozen=True, slots=True)
class _DnsFault(Fault):
    server: ClassVar[str] = "dns"
    trigger: ClassVar[str] = "*"


@register
@dataclass(frozen=True, slots=True)
class Rcode(_DnsFault):
    """Answer with an rcode and no records."""

    code: str = "SERVFAIL"
    name: ClassVar[str] = "rcode"
    sees: ClassVar[str] = "that rcode"


@register
class Drop(_DnsFault):
    """Let the question be lost."""

    name = "drop"
    sees = "nothing"


@register
class WrongId(_DnsFault):
    """Answer with another ID."""

    name = "wrong_id"
    sees = "a reply that is not its own"


@register
class WrongQuestion(_DnsFault):
    """Answer another question."""

    name = "wrong_question"
    sees = "a reply to another question"


@register
class Truncated(_DnsFault):
    """Set TC over UDP."""

    name = "truncated"
    sees = "a cut reply over UDP, the whole one over TCP"


@register
class Cut(_DnsFault):
    """End the message in the middle."""

    name = "cut"
    sees = "a malformed message"


@register
class NoEdns(_DnsFault):
    """Be a server from before EDNS."""

    name = "no_edns"
    sees = "FORMERR until it asks without EDNS"


@dataclass(frozen=True, slots=True)
class _Query:
    id: bytes
    flags: int
    labels: tuple[bytes, ...]
    kind: int
    question: bytes
    edns: int | None

    @property
    def name(self) -> str:
        return "".join(label.decode("latin-1") + "." for label in self.labels) or "."

    @property
    def text(self) -> str:
        """As in a trigger: `www.example.test/A`."""
        return f"{self.name.removesuffix('.')}/{_NAMES.get(self.kind, f'TYPE{self.kind}')}"


class DnsServer(Server):
    """A name server for a zone of its own; over TLS alone with `tls=True` (RFC 7858)."""

    def __init__(
        self,
        zone: Mapping[str, Iterable[str]] | None = None,
        *,
        tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        given = ZONE if zone is None else zone
        self._zone = {_dotted(name).lower(): [*map(_parse_line, lines)] for name, lines in given.items()}
        self._context = authority().context() if tls else None
        self.name = self.scheme = "dot" if tls else "dns"
        self.udp = not tls
        self._apexes = [name for name, records in self._zone.items() if any(kind == 6 for _, kind, _ in records)]
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return authority().ca_file if self._context else None

    def fault_names(self) -> tuple[str, ...]:
        return ("dns",)

    async def serve(self, client: Connection) -> None:
        if self._context:
            await client.start_tls(self._context)
        while True:
            size = int.from_bytes(await client.exact(2), "big")
            reply = await self._reply_to(await client.exact(size), tcp=True)
            if reply is None:
                return
            await client.send(len(reply).to_bytes(2, "big") + reply)

    async def answer(self, datagram: bytes) -> bytes | None:
        return await self._reply_to(datagram, tcp=False)

    async def _reply_to(self, data: bytes, *, tcp: bool) -> bytes | None:
        query = _parse_query(data)
        if query is None:
            return data[:2] + (0x8001).to_bytes(2, "big") + bytes(8) if len(data) >= 12 else None
        self.log.add(Kind.FROM_CLIENT, f"{query.text} over {'TCP' if tcp else 'UDP'}", channel="query")
        faults = self.fired(query.text, "*")
        for fault in faults:
            self.log.add(Kind.FAULT, f"{fault} fired")
            if isinstance(fault, Delay):
                await asyncio.sleep(fault.seconds)
        if any(isinstance(fault, Drop | Silent) for fault in faults):
            return None
        return self._spoil(self._look_up(query, faults, tcp=tcp), query, faults)

    def _look_up(self, query: _Query, faults: list[Fault], *, tcp: bool) -> bytes:
        codes = [fault.code for fault in faults if isinstance(fault, Rcode)]
        if codes:
            return _encode(query, RCODES[codes[0]], [], [])
        if query.edns is not None and any(isinstance(fault, NoEdns) for fault in faults):
            return _encode(query, RCODES["FORMERR"], [], [], edns=False)
        name = query.name.lower()
        apex = next((apex for apex in self._apexes if name == apex or name.endswith("." + apex)), None)
        if apex is None and name not in self._zone:
            return _encode(query, RCODES["REFUSED"], [], [])
        answers, found = self._answers(name, query.kind)
        soa = [] if answers or apex is None else [(apex, record) for record in self._zone[apex] if record[1] == 6]
        reply = _encode(query, RCODES["NOERROR" if found else "NXDOMAIN"], answers, soa)
        room = max(_CLASSIC_SIZE, query.edns or 0)
        forced = any(isinstance(fault, Truncated) for fault in faults)
        if not tcp and (forced or len(reply) > room):
            reply = _encode(query, 0, [], [], truncated=True)
        return reply

    def _answers(self, name: str, kind: int) -> tuple[list[tuple[str, "_Record"]], bool]:
        """The records that answer, aliases first, and whether the last name is there."""
        answers: list[tuple[str, _Record]] = []
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            records = self._records(name)
            if records is None:
                below = any(known.endswith("." + name) for known in self._zone)
                return answers, below
            wanted = [(name, record) for record in records if kind in (record[1], 255)]
            if wanted:
                return answers + wanted, True
            alias = [(name, record) for record in records if record[1] == 5]
            if not alias:
                return answers, True
            answers += alias
            name = _text_of(alias[0][1][2])
        return answers, True

    def _records(self, name: str) -> "list[_Record] | None":
        if name in self._zone:
            return self._zone[name]
        parent = name.partition(".")[2]
        while parent:
            if f"*.{parent}" in self._zone:
                return self._zone[f"*.{parent}"]
            parent = parent.partition(".")[2]
        return None

    @staticmethod
    def _spoil(reply: bytes, query: _Query, faults: list[Fault]) -> bytes:
        for fault in faults:
            match fault:
                case WrongId():
                    reply = bytes([reply[0] ^ 0xFF]) + reply[1:]
                case WrongQuestion():
                    at = 12 + 1
                    reply = reply[:at] + bytes([reply[at] ^ 0x01]) + reply[at + 1 :]
                case Cut():
                    reply = reply[: 12 + len(query.question) + 5]
        return reply


_Record = tuple[int, int, bytes]
"""TTL, type, data."""


def _parse_line(line: str) -> _Record:
    ttl, kind, data = line.split(maxsplit=2)
    return int(ttl), TYPES[kind], _encode_data(kind, data)


def _encode_data(kind: str, text: str) -> bytes:  # noqa: PLR0911 - a type each
    words = text.split()
    match kind:
        case "A" | "AAAA":
            return ipaddress.ip_address(text).packed
        case "NS" | "CNAME" | "PTR":
            return _encode_name(text)
        case "MX":
            return _word(words[0]) + _encode_name(words[1])
        case "SRV":
            return b"".join(map(_word, words[:3])) + _encode_name(words[3])
        case "SOA":
            numbers = b"".join(int(word).to_bytes(4, "big") for word in words[2:])
            return _encode_name(words[0]) + _encode_name(words[1]) + numbers
        case "TXT":
            return b"".join(bytes([len(part)]) + part.encode() for part in text.split('"')[1::2])
        case "CAA":
            tag, value = words[1].encode(), text.split('"')[1].encode()
            return bytes([int(words[0]), len(tag)]) + tag + value
        case "HTTPS":
            return _word(words[0]) + _encode_name(words[1])
        case _:
            raise ValueError(f"a zone has no {kind} records here")


def _word(text: str) -> bytes:
    return int(text).to_bytes(2, "big")


def _encode_name(name: str) -> bytes:
    labels = [label.encode("latin-1") for label in _dotted(name).split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _text_of(name: bytes) -> str:
    labels, at = [], 0
    while name[at]:
        labels.append(name[at + 1 : at + 1 + name[at]].decode("latin-1"))
        at += 1 + name[at]
    return ".".join([*labels, ""]).lower()


def _dotted(name: str) -> str:
    return name if name.endswith(".") else name + "."


def _parse_query(data: bytes) -> _Query | None:
    """One question, with or without EDNS; None = not a query that is understood here."""
    if len(data) < 12 or data[2] & 0xF8 or data[4:6] != b"\0\1":
        return None
    labels, at = [], 12
    try:
        while size := data[at]:
            if size > 63:
                return None
            labels.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        end = at + 5
        kind = int.from_bytes(data[at + 1 : at + 3], "big")
        edns = None
        if data[10:12] == b"\0\1" and data[end : end + 3] == b"\0\0\x29":
            edns = int.from_bytes(data[end + 3 : end + 5], "big")
    except IndexError:
        return None
    if len(data) < end:
        return None
    return _Query(data[:2], int.from_bytes(data[2:4], "big"), tuple(labels), kind, data[12:end], edns)


def _encode(
    query: _Query,
    rcode: int,
    answers: list[tuple[str, _Record]],
    authority: list[tuple[str, _Record]],
    *,
    truncated: bool = False,
    edns: bool = True,
) -> bytes:
    bits = 0x8400 | query.flags & 0x0110 | rcode | (0x0200 if truncated else 0)
    opt = b"\0" + _OPT.to_bytes(2, "big") + (1232).to_bytes(2, "big") + bytes(6)
    extra = edns and query.edns is not None
    counts = (bits, 1, len(answers), len(authority), int(extra))
    head = query.id + b"".join(number.to_bytes(2, "big") for number in counts)
    owner = query.name.lower()
    body = b""
    for name, (ttl, kind, data) in [*answers, *authority]:
        wire = b"\xc0\x0c" if name == owner else _encode_name(name)
        body += wire + kind.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big") + len(data).to_bytes(2, "big") + data
    return head + query.question + body + (opt if extra else b"")
