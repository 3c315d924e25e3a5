"""Zones, and how a question is answered from them (RFC 1034 section 4.3.2, RFC 4592, RFC 6672, RFC 2308).

Step by step down the tree: a delegation on the way is a referral, a DNAME renames what is below it, a name that is not
there may be covered by the wildcard of its closest encloser, and what is left is the node itself: its records, an
alias, or nothing of that type. Aliases are followed inside the zone. A name without records of its own that has names
below it is there all the same (an empty non-terminal).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mockservers.dns.name import MAX_NAME, Name, below, decode_name, encode_name, lower, name_text, wire_length
from mockservers.dns.types import AAAA, ANY, CNAME, DNAME, DS, NS, RCODES, SOA, A, type_name
from mockservers.dns.zonefile import BadZone, Record, ZoneText, read_records

MAX_ALIASES = 32
"""How many aliases a chain may have; a loop ends where it closes."""

_MINIMUM = 4

Zones = ZoneText | list[ZoneText] | tuple[ZoneText, ...]
"""Where zones come from: one source, or several."""


@dataclass(slots=True)
class Answer:
    """What a zone says to a question, before it is put into a message."""

    rcode: int = 0
    authoritative: bool = True
    answers: list[Record] = field(default_factory=list)
    authority: list[Record] = field(default_factory=list)
    additional: list[Record] = field(default_factory=list)


Node = dict[int, list[Record]]


class Zone:
    """One zone: a tree of nodes below its apex. Records outside it are refused."""

    def __init__(self, apex: Name, records: Iterable[Record]) -> None:
        self.apex = lower(apex)
        self._nodes: dict[Name, Node] = {self.apex: {}}
        for record in records:
            self._add(record)
        for name, node in self._nodes.items():
            _check_alias(name, node)
        if len(self._nodes[self.apex].get(SOA, [])) != 1:
            raise BadZone(f"{name_text(self.apex)}: expected one SOA record")

    def _add(self, record: Record) -> None:
        name = lower(record.name)
        if not below(name, self.apex):
            raise BadZone(f"{name_text(record.name)}: expected a name in the zone {name_text(self.apex)}")
        for depth in range(len(self.apex), len(name) + 1):
            self._nodes.setdefault(name[len(name) - depth :], {})
        same = self._nodes[name].setdefault(record.kind, [])
        if record.data not in (other.data for other in same):
            same.append(record)

    def answer(self, name: Name, kind: int) -> Answer:
        """The answer to a question about a name at or below the apex."""
        result = Answer()
        seen: set[Name] = set()
        while lower(name) not in seen and len(seen) < MAX_ALIASES:
            seen.add(lower(name))
            following = self._step(name, kind, result)
            if following is None or not below(lower(following), self.apex):
                break
            name = following
        return result

    def _step(self, name: Name, kind: int, result: Answer) -> Name | None:
        """Answer for one name; the name to go on with when it is an alias."""
        key = lower(name)
        for depth in range(len(self.apex), len(key) + 1):
            ancestor = key[len(key) - depth :]
            node = self._nodes.get(ancestor)
            if node is None:
                break
            if NS in node and ancestor != self.apex and not (ancestor == key and kind == DS):
                self._refer(node, result)
                return None
            if DNAME in node and ancestor != key:
                return self._rename(name, depth, node[DNAME][0], result)
        return self._at_node(name, key, kind, result)

    def _rename(self, name: Name, depth: int, record: Record, result: Answer) -> Name | None:
        """What a DNAME above the name makes of it, with the alias that older clients understand."""
        renamed = (*name[: len(name) - depth], *decode_name(record.data, 0)[0])
        result.answers.append(record)
        if wire_length(renamed) > MAX_NAME:
            result.rcode = RCODES["YXDOMAIN"]
            return None
        result.answers.append(Record(name, record.ttl, CNAME, encode_name(renamed)))
        return renamed

    def _at_node(self, name: Name, key: Name, kind: int, result: Answer) -> Name | None:
        node = self._nodes.get(key)
        if node is None:
            node = self._wildcard(name, key)
        if node is None:
            result.rcode = RCODES["NXDOMAIN"]
            result.authority = [self._negative_soa()]
            return None
        if kind == ANY:
            result.answers += [record for records in node.values() for record in records]
        elif kind in node:
            result.answers += node[kind]
        elif CNAME in node:
            result.answers += node[CNAME]
            return decode_name(node[CNAME][0].data, 0)[0]
        if kind not in node and not (kind == ANY and node):
            result.authority = [self._negative_soa()]
        return None

    def _wildcard(self, name: Name, key: Name) -> Node | None:
        """The node of the wildcard that covers a name, its records under the name itself (RFC 4592 section 3.3.1)."""
        for depth in range(len(key) - 1, len(self.apex) - 1, -1):
            encloser = key[len(key) - depth :]
            if encloser in self._nodes:
                node = self._nodes.get((b"*", *encloser))
                if node is None:
                    return None
                return {
                    kind: [Record(name, record.ttl, kind, record.data) for record in records]
                    for kind, records in node.items()
                }
        return None

    def _refer(self, node: Node, result: Answer) -> None:
        """To the servers of the zone below, with the addresses that only we can give."""
        result.authoritative = bool(result.answers)
        result.authority = list(node[NS])
        for record in node[NS]:
            target = self._nodes.get(lower(decode_name(record.data, 0)[0]), {})
            result.additional += [glue for kind in (A, AAAA) for glue in target.get(kind, [])]

    def _negative_soa(self) -> Record:
        """The SOA that tells how long "no" may be kept: the smaller of its TTL and its MINIMUM (RFC 2308 section 3)."""
        soa = self._nodes[self.apex][SOA][0]
        return Record(soa.name, min(soa.ttl, int.from_bytes(soa.data[-_MINIMUM:], "big")), SOA, soa.data)


def _check_alias(name: Name, node: Mapping[int, list[Record]]) -> None:
    """An alias stands alone (RFC 2181 section 10.1), as does a DNAME (RFC 6672 section 2.4)."""
    if CNAME in node and (len(node[CNAME]) > 1 or len(node) > 1):
        others = ", ".join(type_name(kind) for kind in node if kind != CNAME) or "another CNAME"
        raise BadZone(f"{name_text(name)}: expected nothing beside CNAME, got {others}")
    if len(node.get(DNAME, [])) > 1:
        raise BadZone(f"{name_text(name)}: expected one DNAME")


def make_zones(records: Iterable[Record]) -> list[Zone]:
    """The zones of some records: one for each SOA, and one for what is below none.

    That one's apex is the last two labels of its names, and its SOA is made up: {"www.shop.test": ["A 192.0.2.1"]} is
    enough for `nope.shop.test` to be an NXDOMAIN.
    """
    records = list(records)
    apexes = {lower(record.name) for record in records if record.kind == SOA}
    grouped: dict[Name, list[Record]] = {apex: [] for apex in sorted(apexes, key=len, reverse=True)}
    for record in records:
        key = lower(record.name)
        apex = next((apex for apex in grouped if apex in apexes and below(key, apex)), None)
        if apex is None:
            apex = key[-2:]
            if apex not in grouped:
                grouped[apex] = list(_made_up(apex))
        grouped[apex].append(record)
    return [Zone(apex, group) for apex, group in grouped.items()]


def read_zones(zone: Zones, origin: str = ".") -> list[Zone]:
    """The zones of one source, or of several: a parent and its child are then kept apart. `BadZone`, OSError."""
    sources = zone if isinstance(zone, list | tuple) else [zone]
    zones = [found for source in sources for found in make_zones(read_records(source, origin))]
    apexes = [found.apex for found in zones]
    for apex in apexes:
        if apexes.count(apex) > 1:
            raise BadZone(f"expected one zone {name_text(apex)}, got {apexes.count(apex)}")
    return zones


def _made_up(apex: Name) -> Iterator[Record]:
    server, person = encode_name((b"ns", *apex)), encode_name((b"hostmaster", *apex))
    timers = b"".join(number.to_bytes(4, "big") for number in (1, 3600, 600, 86400, 60))
    yield Record(apex, 300, SOA, server + person + timers)
    yield Record(apex, 300, NS, server)


def zone_of(zones: Iterable[Zone], name: Name, kind: int) -> Zone | None:
    """The zone that is closest to a name; a DS record is above the cut, in the parent's (RFC 4035 section 3.1.4.1)."""
    key = lower(name)
    found = sorted((zone for zone in zones if below(key, zone.apex)), key=lambda zone: len(zone.apex), reverse=True)
    if kind == DS and len(found) > 1 and found[0].apex == key:
        return found[1]
    return found[0] if found else None
