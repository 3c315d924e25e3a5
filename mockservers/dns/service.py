"""The parameters of SVCB and HTTPS records, from text to the wire (RFC 9460 sections 2.1, 7 and appendix A).

    parameter = KEY [ "=" value ]        mandatory alpn no-default-alpn port ipv4hint ech ipv6hint dohpath keyNNNNN

On the wire they come by key number, each once. A comma inside an item of `alpn` is written `\\,` after the escapes of
the master file have been undone: `alpn="f\\\\,o,h2"` has the two items `f,o` and `h2`.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Sequence

from mockservers.dns.name import octets

KEYS = {
    "mandatory": 0,
    "alpn": 1,
    "no-default-alpn": 2,
    "port": 3,
    "ipv4hint": 4,
    "ech": 5,
    "ipv6hint": 6,
    "dohpath": 7,
}

_KEY = re.compile(r"key(\d{1,5})", re.ASCII)


class BadParameter(ValueError):
    """A parameter that cannot be encoded; the message says what was expected."""


def encode_parameters(words: Sequence[str]) -> bytes:
    """The parameters, in the order of their keys."""
    found: dict[int, bytes] = {}
    for word in words:
        key, equals, value = word.partition("=")
        number = _key(key)
        if number in found:
            raise BadParameter(f"{key}: a parameter comes once")
        found[number] = _encode_value(number, value, given=bool(equals))
    return b"".join(_word(number) + _word(len(value)) + value for number, value in sorted(found.items()))


def _key(text: str) -> int:
    if text in KEYS:
        return KEYS[text]
    match = _KEY.fullmatch(text)
    if not match or int(match[1]) > 0xFFFF:
        raise BadParameter(f"expected a key such as alpn, port or key65000, got {text!r}")
    return int(match[1])


def _encode_value(number: int, text: str, *, given: bool) -> bytes:  # noqa: PLR0911 - a key each
    if number == KEYS["no-default-alpn"]:
        if given:
            raise BadParameter("no-default-alpn has no value")
        return b""
    value = octets(text)
    plain = value.decode("utf-8", "surrogateescape")
    try:
        match number:
            case 0:
                return b"".join(_word(key) for key in sorted(_key(word) for word in plain.split(",")))
            case 1:
                return b"".join(bytes([len(item)]) + item for item in _items(value))
            case 3:
                return int(plain).to_bytes(2, "big")
            case 4:
                return b"".join(ipaddress.IPv4Address(item).packed for item in plain.split(","))
            case 5:
                return base64.b64decode(plain, validate=True)
            case 6:
                return b"".join(ipaddress.IPv6Address(item).packed for item in plain.split(","))
            case _:
                return value
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadParameter(f"a value that does not fit: {text!r}: {error}") from None


def _items(value: bytes) -> list[bytes]:
    """The items of a list between commas, `\\,` and `\\\\` undone."""
    items = [bytearray()]
    escaped = False
    for octet in value:
        if escaped or octet not in b",\\":
            items[-1].append(octet)
            escaped = False
        elif octet == 0x5C:
            escaped = True
        else:
            items.append(bytearray())
    if not all(items):
        raise BadParameter("an item of a list is not empty")
    return [bytes(item) for item in items]


def _word(number: int) -> bytes:
    return number.to_bytes(2, "big")
