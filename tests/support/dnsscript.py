"""Scripts for DNS: queries and replies as text, over UDP and over TCP.

    C www.example.test/A edns                           a query, with an OPT record
    S NOERROR; www.example.test. 300 A 192.0.2.1        a reply: rcode and flags, then records as in a zone file
    S NOERROR tc                                        with the flag TC; other flags: aa, ra
    S FORMERR plain                                     without an OPT record for a query with one
    S NOERROR id=other                                  with an ID that differs from that of the query
    S NOERROR question=other.test/A                     for a question that differs from that of the query
    S NOERROR to=www.example.test/A                     a reply to this query, not to the last one

`mockservers` parses and encodes the messages; it shares no code with the client.
"""

from dataclasses import replace

from mockservers.dns.message import AA, TC, Query, Reply, encode_reply, parse_query
from mockservers.dns.name import parse_name
from mockservers.dns.types import RCODES, parse_type
from mockservers.dns.zonefile import parse_records
from support.datagramscript import DatagramScript, one_port
from support.linescript import LineScript

_FLAGS = {"aa": AA, "tc": TC, "ra": 0x0080}


class DnsMessages:
    """DNS messages as text. A reply belongs to the last query."""

    def __init__(self) -> None:
        self._query: Query | None = None
        self._queries: dict[str, Query] = {}

    def decode(self, data: bytes) -> str:
        query = parse_query(data)
        if query is None:
            return f"no query: {data!r}"
        self._query = self._queries[query.text] = query
        return f"{query.text} edns" if query.edns else query.text

    def encode(self, text: str) -> bytes:
        assert self._query, "a query comes first"
        head, *records = (part.strip() for part in text.split(";"))
        rcode, *words = head.split()
        query = self._query
        flags = 0
        for word in words:
            match word.partition("="):
                case ("plain", _, _):
                    query = replace(query, edns=None)
                case ("to", _, other):
                    query = self._queries[other]
                case ("id", _, "other"):
                    query = replace(query, id=query.id ^ 1)
                case ("question", _, other):
                    name, _, kind = other.partition("/")
                    query = replace(query, name=parse_name(name + "."), kind=parse_type(kind) or 0)
                case _:
                    flags |= _FLAGS[word]
        answers = tuple(record for line in records for record in parse_records(line))
        return encode_reply(query, Reply(RCODES[rcode], flags, answers))


class CountedMessages(DnsMessages):
    """DNS messages with a prefix of two bytes for the length (RFC 1035 section 4.2.2)."""

    def take(self, buffer: bytes) -> tuple[str, bytes] | None:
        end = 2 + int.from_bytes(buffer[:2], "big")
        return (self.decode(buffer[2:end]), buffer[end:]) if 2 < end <= len(buffer) else None

    def encode(self, text: str) -> bytes:
        message = super().encode(text)
        return len(message).to_bytes(2, "big") + message


class DnsOverTcp(LineScript):
    """A scripted name server over TCP."""

    framing = CountedMessages


class DnsOverUdp(DatagramScript):
    """A scripted name server over UDP."""

    codec = DnsMessages


def dns_on_one_port(over_udp: str, *over_tcp: str) -> tuple[DnsOverUdp, DnsOverTcp]:
    """Return a name server over UDP and one over TCP with the same port. Enter both as context managers."""
    udp, listener = one_port()
    return DnsOverUdp(over_udp, sock=udp), DnsOverTcp(*over_tcp, listener=listener)
