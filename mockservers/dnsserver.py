"""DNS: a name server for zones of its own, over UDP and TCP on one port, or over TLS.

    DnsServer()                                              example.test: www, alias, MX, TXT, SRV, CAA, HTTPS, ...
    DnsServer({"www.shop.test": ["A 192.0.2.1"]})            a dict of names to records
    DnsServer(Path("shop.zone"))                             a master file
    DnsServer("$ORIGIN shop.test.\\n@ SOA ...")               the text of one
    DnsServer(tls=True)                                      DNS over TLS (RFC 7858)

Names are answered as an authoritative server does it: NXDOMAIN and NODATA come with the SOA, aliases are followed
inside the zone, wildcards and empty non-terminals are those of RFC 4592, a delegation is a referral, a name outside is
REFUSED. There is no recursion and no upstream. What does not fit into what the client takes over UDP is cut, with TC
set and no records. Other operations, classes and EDNS versions, and what cannot be parsed, get the rcode that RFC 8906
wants.
"""

import asyncio
from collections.abc import Iterable

from mockservers.certs import authority
from mockservers.connection import Connection
from mockservers.core import Server
from mockservers.dnscontent import ZONE
from mockservers.dnsfaults import Cut, Drop, NoEdns, Rcode, Truncated, WrongId, WrongQuestion
from mockservers.dnsmessage import AA, HEADER, TC, Query, Reply, encode_reply, parse_query
from mockservers.dnsname import wire_length
from mockservers.dnstypes import CLASS_IN, RCODES
from mockservers.dnszone import make_zones, zone_of
from mockservers.dnszonefile import ZoneText, read_records
from mockservers.faultkinds import Armed, Delay, Fault, Silent
from mockservers.log import Kind

MAX_MESSAGE = 0xFFFF


class DnsServer(Server):
    """A name server that knows its own zones and nothing else."""

    def __init__(
        self,
        zone: ZoneText | None = None,
        *,
        tls: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        self.zones = make_zones(read_records(ZONE if zone is None else zone))
        self._context = authority().context() if tls else None
        self.name = self.scheme = "dot" if tls else "dns"
        self.udp = not tls
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return authority().ca_file if self._context else None

    async def serve(self, client: Connection) -> None:
        if self._context:
            await client.start_tls(self._context)
        while True:
            size = int.from_bytes(await client.exact(2), "big")
            reply = await self._reply_to(await client.exact(size), "TLS" if self._context else "TCP")
            if reply is None:
                return
            await client.send(len(reply).to_bytes(2, "big") + reply)

    async def answer(self, datagram: bytes) -> bytes | None:
        return await self._reply_to(datagram, "UDP")

    async def _reply_to(self, data: bytes, transport: str) -> bytes | None:
        query = parse_query(data)
        if query is None:
            return None
        self.log.add(Kind.FROM_CLIENT, f"{query.text} over {transport}", channel="query")
        faults = self.fired(query.text, "*")
        for fault in faults:
            if isinstance(fault, Delay):
                await asyncio.sleep(fault.seconds)
        if any(isinstance(fault, Drop | Silent) for fault in faults):
            return None
        reply = self._spoil(self.look_up(query), query, faults, transport)
        data = self._encode(query, reply, query.room if transport == "UDP" else MAX_MESSAGE)
        return self._spoil_bytes(data, query, faults)

    def look_up(self, query: Query) -> Reply:
        """The honest reply."""
        if query.rcode:
            return Reply(query.rcode)
        zone = zone_of(self.zones, query.name or (), query.kind) if query.klass == CLASS_IN else None
        if zone is None:
            return Reply(RCODES["REFUSED"])
        found = zone.answer(query.name or (), query.kind)
        return Reply(
            found.rcode,
            AA if found.authoritative else 0,
            tuple(found.answers),
            tuple(found.authority),
            tuple(found.additional),
        )

    @staticmethod
    def _encode(query: Query, reply: Reply, room: int) -> bytes:
        data = encode_reply(query, reply)
        if len(data) > room:
            data = encode_reply(query, Reply(reply.rcode, reply.flags | TC, extended=reply.extended, edns=reply.edns))
        return data

    @staticmethod
    def _spoil(reply: Reply, query: Query, faults: list[Fault], transport: str) -> Reply:
        for fault in faults:
            match fault:
                case Rcode(code):
                    reply = Reply(RCODES[code])
                case NoEdns() if query.edns:
                    reply = Reply(RCODES["FORMERR"], edns=False)
                case Truncated() if transport == "UDP":
                    reply = Reply(reply.rcode, reply.flags | TC)
        return reply

    @staticmethod
    def _spoil_bytes(reply: bytes, query: Query, faults: list[Fault]) -> bytes:
        for fault in faults:
            match fault:
                case WrongId():
                    reply = bytes([reply[0] ^ 0xFF]) + reply[1:]
                case WrongQuestion():
                    reply = reply[: HEADER + 1] + bytes([reply[HEADER + 1] ^ 0x01]) + reply[HEADER + 2 :]
                case Cut():
                    reply = reply[: HEADER + wire_length(query.name or ()) + 4 + 5]
        return reply
