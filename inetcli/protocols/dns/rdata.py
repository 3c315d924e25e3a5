r"""Record data by type: bytes to presentation form and to fields for JSON.

Data of unknown types is shown as in RFC 3597 section 5: `\# LENGTH HEX`. Data that is longer or shorter than its type
requires is a `ProtocolViolation` (RFC 1035 section 3.3, RFC 3596, RFC 2782, RFC 8659).
"""

from collections.abc import Callable, Mapping

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.name import parse_name

Fields = Mapping[str, object]
ParsedRdata = tuple[str, Fields]


def parse_rdata(kind: int, message: bytes, start: int, end: int) -> ParsedRdata:
    """Parse the data between two offsets of a message into text and fields. Names in it may point back into the
    message."""
    parse = _PARSERS.get(kind)
    if parse is None:
        return format_unknown(message[start:end]), {}
    text, fields, stop = parse(message, start, end)
    if stop != end:
        raise ProtocolViolation(f"DNS: record data of {end - start} bytes; the type needs {stop - start}")
    return text, fields


def format_unknown(data: bytes) -> str:
    """Format data of an unknown type (RFC 3597 section 5)."""
    return f"\\# {len(data)}" + (f" {data.hex()}" if data else "")


def format_string(data: bytes) -> str:
    """Format a character-string in quotes (RFC 1035 section 5.1); bytes that are not printable ASCII as \\DDD."""
    shown = (f"\\{chr(b)}" if b in b'"\\' else chr(b) if 0x20 <= b <= 0x7E else f"\\{b:03d}" for b in data)
    return '"' + "".join(shown) + '"'


_ParsedFields = tuple[str, Fields, int]


def _parse_a(message: bytes, start: int, end: int) -> _ParsedFields:
    text = ".".join(str(byte) for byte in _take(message, start, end, 4))
    return text, {"address": text}, start + 4


def _parse_aaaa(message: bytes, start: int, end: int) -> _ParsedFields:
    from ipaddress import IPv6Address

    text = str(IPv6Address(_take(message, start, end, 16)))
    return text, {"address": text}, start + 16


def _parse_target(message: bytes, start: int, end: int) -> _ParsedFields:
    name, stop = parse_name(message[:end], start)
    return name, {"target": name}, stop


def _parse_mx(message: bytes, start: int, end: int) -> _ParsedFields:
    preference = _parse_number(message, start, end, 2)
    exchange, stop = parse_name(message[:end], start + 2)
    return f"{preference} {exchange}", {"preference": preference, "exchange": exchange}, stop


def _parse_soa(message: bytes, start: int, end: int) -> _ParsedFields:
    mname, at = parse_name(message[:end], start)
    rname, at = parse_name(message[:end], at)
    names = ("serial", "refresh_s", "retry_s", "expire_s", "minimum_s")
    numbers = [_parse_number(message, at + 4 * index, end, 4) for index in range(len(names))]
    text = " ".join([mname, rname, *map(str, numbers)])
    return text, {"mname": mname, "rname": rname, **dict(zip(names, numbers, strict=True))}, at + 20


def _parse_txt(message: bytes, start: int, end: int) -> _ParsedFields:
    strings, at = [], start
    while at < end:
        size = message[at]
        strings.append(_take(message, at + 1, end, size))
        at += 1 + size
    texts = [string.decode("utf-8", "surrogateescape") for string in strings]
    return " ".join(map(format_string, strings)), {"strings": texts}, at


def _parse_srv(message: bytes, start: int, end: int) -> _ParsedFields:
    priority, weight, port = (_parse_number(message, start + 2 * index, end, 2) for index in range(3))
    target, stop = parse_name(message[:end], start + 6)
    fields = {"priority": priority, "weight": weight, "port": port, "target": target}
    return f"{priority} {weight} {port} {target}", fields, stop


def _parse_caa(message: bytes, start: int, end: int) -> _ParsedFields:
    flags, size = _take(message, start, end, 2)
    tag = _take(message, start + 2, end, size).decode("latin-1")
    value = message[start + 2 + size : end]
    fields = {"flags": flags, "tag": tag, "value": value.decode("utf-8", "surrogateescape")}
    return f"{flags} {tag} {format_string(value)}", fields, end


_PARSERS: Mapping[int, Callable[[bytes, int, int], _ParsedFields]] = {
    1: _parse_a,
    2: _parse_target,
    5: _parse_target,
    6: _parse_soa,
    12: _parse_target,
    15: _parse_mx,
    16: _parse_txt,
    28: _parse_aaaa,
    33: _parse_srv,
    257: _parse_caa,
}


def _take(message: bytes, start: int, end: int, size: int) -> bytes:
    if start + size > end:
        raise ProtocolViolation(f"DNS: record data truncated: expected {size} bytes, got {max(0, end - start)}")
    return message[start : start + size]


def _parse_number(message: bytes, start: int, end: int, size: int) -> int:
    return int.from_bytes(_take(message, start, end, size), "big")
