r"""The data of records, by type: bytes to presentation form and to fields for JSON.

Types whose data this program does not know are shown as RFC 3597 section 5 has it: `\# LENGTH HEX`. Data that is longer
or shorter than its type says is a `ProtocolViolation` (RFC 1035 section 3.3, RFC 3596, RFC 2782, RFC 8659).
"""

from collections.abc import Callable, Mapping

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.name import parse_name

Fields = Mapping[str, object]
Parsed = tuple[str, Fields]


def parse_rdata(kind: int, message: bytes, start: int, end: int) -> Parsed:
    """The data at `start` to `end` of a message, as text and as fields. Names in it may point back into the message."""
    parse = _PARSERS.get(kind)
    if parse is None:
        return format_unknown(message[start:end]), {}
    text, fields, stop = parse(message, start, end)
    if stop != end:
        raise ProtocolViolation(f"DNS: the data of a record is {end - start} bytes long, its type takes {stop - start}")
    return text, fields


def format_unknown(data: bytes) -> str:
    """RFC 3597 section 5."""
    return f"\\# {len(data)}" + (f" {data.hex()}" if data else "")


def format_string(data: bytes) -> str:
    """A character-string in quotes (RFC 1035 section 5.1); what is not printable ASCII as \\DDD."""
    shown = (f"\\{chr(b)}" if b in b'"\\' else chr(b) if 0x20 <= b <= 0x7E else f"\\{b:03d}" for b in data)
    return '"' + "".join(shown) + '"'


_Cut = tuple[str, Fields, int]


def _address4(message: bytes, start: int, end: int) -> _Cut:
    text = ".".join(str(byte) for byte in _take(message, start, end, 4))
    return text, {"address": text}, start + 4


def _address6(message: bytes, start: int, end: int) -> _Cut:
    from ipaddress import IPv6Address

    text = str(IPv6Address(_take(message, start, end, 16)))
    return text, {"address": text}, start + 16


def _target(message: bytes, start: int, end: int) -> _Cut:
    name, stop = parse_name(message[:end], start)
    return name, {"target": name}, stop


def _mx(message: bytes, start: int, end: int) -> _Cut:
    preference = _number(message, start, end, 2)
    exchange, stop = parse_name(message[:end], start + 2)
    return f"{preference} {exchange}", {"preference": preference, "exchange": exchange}, stop


def _soa(message: bytes, start: int, end: int) -> _Cut:
    mname, at = parse_name(message[:end], start)
    rname, at = parse_name(message[:end], at)
    names = ("serial", "refresh_s", "retry_s", "expire_s", "minimum_s")
    numbers = [_number(message, at + 4 * index, end, 4) for index in range(len(names))]
    text = " ".join([mname, rname, *map(str, numbers)])
    return text, {"mname": mname, "rname": rname, **dict(zip(names, numbers, strict=True))}, at + 20


def _txt(message: bytes, start: int, end: int) -> _Cut:
    strings, at = [], start
    while at < end:
        size = message[at]
        strings.append(_take(message, at + 1, end, size))
        at += 1 + size
    texts = [string.decode("utf-8", "surrogateescape") for string in strings]
    return " ".join(map(format_string, strings)), {"strings": texts}, at


def _srv(message: bytes, start: int, end: int) -> _Cut:
    priority, weight, port = (_number(message, start + 2 * index, end, 2) for index in range(3))
    target, stop = parse_name(message[:end], start + 6)
    fields = {"priority": priority, "weight": weight, "port": port, "target": target}
    return f"{priority} {weight} {port} {target}", fields, stop


def _caa(message: bytes, start: int, end: int) -> _Cut:
    flags, size = _take(message, start, end, 2)
    tag = _take(message, start + 2, end, size).decode("latin-1")
    value = message[start + 2 + size : end]
    fields = {"flags": flags, "tag": tag, "value": value.decode("utf-8", "surrogateescape")}
    return f"{flags} {tag} {format_string(value)}", fields, end


_PARSERS: Mapping[int, Callable[[bytes, int, int], _Cut]] = {
    1: _address4,
    2: _target,
    5: _target,
    6: _soa,
    12: _target,
    15: _mx,
    16: _txt,
    28: _address6,
    33: _srv,
    257: _caa,
}


def _take(message: bytes, start: int, end: int, size: int) -> bytes:
    if start + size > end:
        raise ProtocolViolation(f"DNS: the data of a record is cut: {size} bytes expected, {max(0, end - start)} left")
    return message[start : start + size]


def _number(message: bytes, start: int, end: int, size: int) -> int:
    return int.from_bytes(_take(message, start, end, size), "big")
