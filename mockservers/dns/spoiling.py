"""Carrying out DNS's own faults: from the honest reply to what goes out, and from where."""

from dataclasses import dataclass, replace
from enum import Enum

from mockservers.dns import faults as kinds
from mockservers.dns.message import AA, HEADER, TC, Query, Reply, encode_reply
from mockservers.dns.name import Name, encode_name, lower, wire_length
from mockservers.dns.types import AAAA, CNAME, NS, RCODES, A
from mockservers.dns.zonefile import Record
from mockservers.script import Shots

FORGED = {A: bytes([203, 0, 113, 66]), AAAA: bytes.fromhex("20010db8000000000000000000000066")}
_TTL = 60


class Transport(Enum):
    """What a question came over; the value is its name in the log."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"
    HTTPS = "HTTPS"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that goes out; over UDP perhaps from another port. It may be kept for `lifetime` seconds."""

    data: bytes
    other_port: bool = False
    lifetime: int = 0


def spoil(query: Query, reply: Reply, shots: Shots, transport: Transport, room: int) -> list[Outgoing]:
    """What goes out instead of `reply`, which may be nothing; `room` is what the client takes."""
    udp = transport is Transport.UDP
    if shots.first(kinds.Drop):
        return []
    reply = _spoil_reply(query, reply, shots, udp=udp)
    asked = query
    if query.name is not None and query.name != lower(query.name) and shots.first(kinds.LowerCase):
        asked = replace(query, name=lower(query.name))
    data = _spoil_bytes(query, encode_fitting(asked, reply, room), reply, shots)
    lifetime = min((record.ttl for record in reply.answers or reply.authority), default=0)
    good = Outgoing(data, udp and shots.first(kinds.OtherPort) is not None, lifetime)
    if transport is Transport.HTTPS:
        return [good]  # a request has one response
    sent = [good, good] if shots.first(kinds.Duplicate) else [good]
    return [*_forged(query, shots, udp=udp), *sent]


def encode_fitting(query: Query, reply: Reply, room: int) -> bytes:
    """The reply's bytes; with TC and no records when they do not fit."""
    data = encode_reply(query, reply)
    if len(data) > room:
        data = encode_reply(query, cut(reply))
    return data


def cut(reply: Reply) -> Reply:
    """The reply with TC, without its records."""
    return replace(reply, flags=reply.flags | TC, answers=(), authority=(), additional=())


def _spoil_reply(query: Query, reply: Reply, shots: Shots, *, udp: bool) -> Reply:
    """The faults of what is said."""
    if query.edns and shots.first(kinds.NoEdns):
        return Reply(RCODES["FORMERR"], edns=False)
    if query.edns and shots.first(kinds.Badvers):
        return Reply(RCODES["BADVERS"])
    if rcode := shots.first(kinds.Rcode):
        reply = Reply(rcode.number)
    if shots.first(kinds.Nodata):
        reply = Reply(0, AA)
    if shots.first(kinds.Lame):
        reply = Reply(authority=(Record((), _TTL, NS, encode_name((b"ns", b"invalid"))),))
    if query.name is not None and shots.first(kinds.CnameLoop):
        reply = Reply(0, AA, _loop(query.name))
    if query.edns and (extended := shots.first(kinds.Ede)):
        reply = replace(reply, extended=((extended.code, extended.text),))
    if udp and (shots.first(kinds.Tc) or shots.first(kinds.TcRefused)):
        reply = cut(reply)
    return reply


def _loop(name: Name) -> tuple[Record, Record]:
    """The name is an alias of another, and that one of the name."""
    other = (b"pool" if name[:1] == (b"loop",) else b"loop", *name[1:])
    return Record(name, _TTL, CNAME, encode_name(other)), Record(other, _TTL, CNAME, encode_name(name))


def _spoil_bytes(query: Query, data: bytes, reply: Reply, shots: Shots) -> bytes:
    """The faults of how it is said."""
    behind_question = HEADER + wire_length(query.name or ()) + 4
    if shots.first(kinds.CompressionLoop):
        pointer = (0xC000 | behind_question).to_bytes(2, "big")
        record = pointer + A.to_bytes(2, "big") + b"\0\1" + _TTL.to_bytes(4, "big") + b"\0\4" + FORGED[A]
        data = data[:6] + b"\0\1\0\0\0\0" + data[HEADER:behind_question] + record
    if shots.first(kinds.Cut):
        data = data[: min(behind_question + 5, len(data) - 1)]
    if shots.first(kinds.WrongQuestion):
        data = _wrong_question(data)
    if shots.first(kinds.WrongId):
        data = _wrong_id(data)
    return data


def _wrong_id(data: bytes) -> bytes:
    return bytes([data[0] ^ 0xFF]) + data[1:]


def _wrong_question(data: bytes) -> bytes:
    """Another first letter in the question; answers point at it, and so are about the same other name."""
    at = HEADER + 1
    return data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :]


def _forged(query: Query, shots: Shots, *, udp: bool) -> list[Outgoing]:
    if not shots.has(kinds.ForgeFirst) or query.name is None:
        return []
    forge = next(fault for fault in shots if isinstance(fault, kinds.ForgeFirst))
    if forge.by == "port" and not udp:
        return []  # TCP has one port
    shots.first(kinds.ForgeFirst)
    lie = FORGED.get(query.kind)
    records = (Record(query.name, _TTL, query.kind, lie),) if lie else ()
    data = encode_reply(query, Reply(0 if lie else RCODES["NXDOMAIN"], AA, records))
    match forge.by:
        case "port":
            return [Outgoing(data, other_port=True)]
        case "question":
            return [Outgoing(_wrong_question(data))]
        case _:
            return [Outgoing(_wrong_id(data))]
