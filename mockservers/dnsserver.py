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

import socket
from collections.abc import Iterable

from mockservers.connection import Connection, Over
from mockservers.core import Server
from mockservers.datagram import Datagram
from mockservers.dnscontent import ZONE
from mockservers.dnsfaults import TcRefused
from mockservers.dnsmessage import AA, Query, Reply, parse_query
from mockservers.dnsspoiling import Outgoing, encode_fitting, spoil
from mockservers.dnstypes import CLASS_IN, RCODES
from mockservers.dnszone import make_zones, zone_of
from mockservers.dnszonefile import ZoneText, read_records
from mockservers.faultkinds import Armed
from mockservers.handshake import Tls
from mockservers.listening import bound
from mockservers.log import Kind, Reason

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
        self._tls = Tls() if tls else None
        self.name = self.scheme = "dot" if tls else "dns"
        self.udp = not tls
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return self._tls.ca_file if self._tls else None

    async def serve(self, client: Connection) -> None:
        if self._tls:
            await client.start_tls(self._tls)
        while True:
            size = int.from_bytes(await client.exact(2), "big")
            replies = await self._replies(client, await client.exact(size), "TLS" if self._tls else "TCP")
            if replies is None:
                return
            for reply in replies:
                await client.send(len(reply.data).to_bytes(2, "big") + reply.data)

    async def receive(self, datagram: Datagram) -> None:
        for reply in await self._replies(datagram, datagram.data, "UDP") or []:
            if reply.other_port:
                with _socket_beside(datagram) as other:
                    await datagram.send(reply.data, other)
            else:
                await datagram.send(reply.data)

    async def _replies(self, client: Connection | Datagram, data: bytes, transport: str) -> list[Outgoing] | None:
        """What goes out for a message; None when it is no query."""
        query = parse_query(data)
        if query is None:
            return None
        self.log.add(Kind.FROM_CLIENT, f"{query.text} over {transport}", connection=client.number, channel="query")
        reply, udp = self.look_up(query), transport == "UDP"
        room = query.room if udp else MAX_MESSAGE
        if query.name is None:
            return [Outgoing(encode_fitting(query, reply, room))]
        shots = await self.trigger(client, query.text)
        if isinstance(client, Connection) and shots.first(TcRefused):
            client.reason = Reason.FAULT
            client.reset()
            raise Over
        return spoil(query, reply, shots, room=room, udp=udp)

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


def _socket_beside(datagram: Datagram) -> socket.socket:
    """A socket on another port, for a datagram that is not from where it was asked for."""
    return bound(socket.AF_INET6 if ":" in datagram.host else socket.AF_INET, socket.SOCK_DGRAM, datagram.host, 0)
