"""DNS: a name server for zones of its own, over UDP and TCP on one port, or over TLS or HTTPS.

    DnsServer()                                              example.test: www, alias, MX, TXT, SRV, CAA, HTTPS, ...
    DnsServer({"www.shop.test": ["A 192.0.2.1"]})            a dict of names to records
    DnsServer(Path("shop.zone"))                             a master file
    DnsServer([Path("shop"), Path("sub")], origin="test")    several, without an $ORIGIN
    DnsServer("$ORIGIN shop.test.\\n@ SOA ...")               the text of one
    DnsServer(tls=True)                                      DNS over TLS (RFC 7858)
    DnsServer(https=True)                                    DNS over HTTPS (RFC 8484), HTTP/2; needs inetcli[doh]

Names are answered as an authoritative server does it: NXDOMAIN and NODATA come with the SOA, aliases are followed
inside the zone, wildcards and empty non-terminals are those of RFC 4592, a delegation is a referral, a name outside is
REFUSED. There is no recursion and no upstream. What does not fit into what the client takes over UDP is cut, with TC
set and no records. Other operations, classes and EDNS versions, and what cannot be parsed, get the rcode that RFC 8906
wants.
"""

import socket
from collections.abc import Iterable
from importlib.util import find_spec

from mockservers.connection import Connection, Over
from mockservers.core import Server
from mockservers.datagram import Datagram
from mockservers.dns.content import ZONE
from mockservers.dns.doh import PATH
from mockservers.dns.faults import TcRefused
from mockservers.dns.message import AA, Query, Reply, parse_query
from mockservers.dns.spoiling import Outgoing, Transport, encode_fitting, spoil
from mockservers.dns.types import CLASS_IN, RCODES
from mockservers.dns.zone import Zones, read_zones, zone_of
from mockservers.faultkinds import Armed
from mockservers.listening import bound
from mockservers.log import Kind, Reason
from mockservers.missing import Missing
from mockservers.tls.handshake import Tls

MAX_MESSAGE = 0xFFFF

_NAMES = {Transport.TCP: ("dns", "dns"), Transport.TLS: ("dot", "dot"), Transport.HTTPS: ("doh", "https")}
"""The server's name and scheme, by what it is spoken to over, UDP aside."""


class DnsServer(Server):
    """A name server that knows its own zones and nothing else."""

    def __init__(
        self,
        zone: Zones | None = None,
        *,
        origin: str = ".",
        tls: bool = False,
        https: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        self.zones = read_zones(ZONE if zone is None else zone, origin)
        if https:
            _need_h2()
        self._transport = Transport.HTTPS if https else Transport.TLS if tls else Transport.TCP
        self._tls = Tls(alpn=["h2"] if https else []) if tls or https else None
        self.name, self.scheme = _NAMES[self._transport]
        self.udp = self._transport is Transport.TCP
        super().__init__(host=host, port=port, faults=faults)

    @property
    def url(self) -> str:
        """As of any server; of DNS over HTTPS with the path."""
        return super().url + (PATH if self._transport is Transport.HTTPS else "")

    @property
    def ca_file(self) -> str | None:
        return self._tls.ca_file if self._tls else None

    async def serve(self, client: Connection) -> None:
        if self._tls:
            await client.start_tls(self._tls)
        if self._transport is Transport.HTTPS:
            from mockservers.dns.dohsession import serve_doh

            await serve_doh(client, lambda data: self._replies(client, data, Transport.HTTPS))
            return
        while True:
            size = int.from_bytes(await client.exact(2), "big")
            replies = await self._replies(client, await client.exact(size), self._transport)
            if replies is None:
                return
            for reply in replies:
                await client.send(len(reply.data).to_bytes(2, "big") + reply.data)

    async def receive(self, datagram: Datagram) -> None:
        for reply in await self._replies(datagram, datagram.data, Transport.UDP) or []:
            if reply.other_port:
                with _socket_beside(datagram) as other:
                    await datagram.send(reply.data, other)
            else:
                await datagram.send(reply.data)

    async def _replies(self, client: Connection | Datagram, data: bytes, transport: Transport) -> list[Outgoing] | None:
        """What goes out for a message; None when it is no query."""
        query = parse_query(data)
        if query is None:
            return None
        said = f"{query.text} over {transport.value}"
        self.log.add(Kind.FROM_CLIENT, said, connection=client.number, channel="query")
        reply = self.look_up(query)
        room = query.room if transport is Transport.UDP else MAX_MESSAGE
        if query.name is None:
            return [Outgoing(encode_fitting(query, reply, room))]
        shots = await self.trigger(client, query.text)
        if isinstance(client, Connection) and shots.first(TcRefused):
            client.reason = Reason.FAULT
            client.reset()
            raise Over
        return spoil(query, reply, shots, transport, room)

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


def _need_h2() -> None:
    if find_spec("h2") is None:
        raise Missing("DNS over HTTPS needs h2: pip install 'inetcli[doh]'")


def _socket_beside(datagram: Datagram) -> socket.socket:
    """A socket on another port, for a datagram that is not from where it was asked for."""
    return bound(socket.AF_INET6 if ":" in datagram.host else socket.AF_INET, socket.SOCK_DGRAM, datagram.host, 0)
