"""The data of records: from the fields of a master file to the wire (RFC 1035 section 3.3 and the RFC of each type).

What a type's data consists of is one line of `FORMATS`, a letter a field:

    n name               b w l  numbers of 1, 2 and 4 octets    s  a string with its length   S  one or more of them
    4 6 addresses        t      a time, `1h30m` too             v  a string that fills the rest
    x  hex to the end    y      base64 to the end               k  an algorithm, by number or mnemonic (RFC 4034 A.1)
    p  service parameters (RFC 9460 section 2.1)

Any type may be given as `\\# LENGTH HEX` (RFC 3597 section 5). Names inside the data of the types in `COMPRESSED` may
be compressed in messages, no others (RFC 3597 section 4).
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mockservers.dns.name import Name, decode_name, encode_name, octets, parse_name
from mockservers.dns.service import encode_parameters
from mockservers.dns.types import TYPES, type_name

FORMATS = {
    "A": "4",
    "NS": "n",
    "CNAME": "n",
    "SOA": "nnltttt",
    "PTR": "n",
    "HINFO": "ss",
    "MX": "wn",
    "TXT": "S",
    "RP": "nn",
    "AFSDB": "wn",
    "AAAA": "6",
    "SRV": "wwwn",
    "NAPTR": "wwsssn",
    "KX": "wn",
    "DNAME": "n",
    "DS": "wkbx",
    "SSHFP": "bbx",
    "DNSKEY": "wbky",
    "TLSA": "bbbx",
    "SMIMEA": "bbbx",
    "CDS": "wkbx",
    "CDNSKEY": "wbky",
    "OPENPGPKEY": "y",
    "SVCB": "wnp",
    "HTTPS": "wnp",
    "SPF": "S",
    "URI": "wwv",
    "CAA": "bsv",
}

COMPRESSED = frozenset(TYPES[name] for name in ("NS", "CNAME", "SOA", "PTR", "MX"))

ALGORITHMS = {
    "RSASHA1": 5,
    "NSEC3RSASHA1": 7,
    "RSASHA256": 8,
    "RSASHA512": 10,
    "ECDSAP256SHA256": 13,
    "ECDSAP384SHA384": 14,
    "ED25519": 15,
    "ED448": 16,
}

_WIDTHS = {"b": 1, "w": 2, "l": 4}
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PERIOD = re.compile(r"(?:\d+[smhdw]?)+", re.IGNORECASE | re.ASCII)
MAX_TTL = (1 << 31) - 1
"""RFC 2181 section 8."""


class BadData(ValueError):
    """Data that its type does not allow; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a master file, its escapes not undone."""

    text: str
    quoted: bool = False


def encode_data(kind: int, tokens: Sequence[Token], origin: Name) -> bytes:
    """The data of a record of type `kind`. `BadData` says what does not fit."""
    name = type_name(kind)
    if tokens and tokens[0] == Token("\\#"):
        data = _generic(tokens[1:])
        if kind in COMPRESSED or name == "DNAME":
            names_in(kind, data)
        return data
    if name not in FORMATS:
        raise BadData(f"{name}: expected \\# LENGTH HEX for a type that is not known here")
    fields = FORMATS[name]
    data = b""
    rest = list(tokens)
    for letter in fields:
        if letter in "Sxyvp":
            if not rest and letter != "p":
                raise BadData(f"{name}: expected at least {len(fields)} fields, got {len(tokens)}")
            return data + _encode_rest(letter, rest)
        if not rest:
            raise BadData(f"{name}: expected {len(fields)} fields, got {len(tokens)}")
        data += _encode_field(letter, rest.pop(0), origin)
    if rest:
        raise BadData(f"{name}: expected {len(fields)} fields, got {len(tokens)}")
    return data


def _generic(tokens: Sequence[Token]) -> bytes:
    length = tokens[0].text if tokens else ""
    data = _hex(tokens[1:])
    if not length.isascii() or not length.isdigit() or int(length) != len(data):
        raise BadData(f"\\#: expected {length or 'a length'} octets, got {len(data)}")
    return data


def _encode_field(letter: str, token: Token, origin: Name) -> bytes:  # noqa: PLR0911 - a kind of field each
    text = token.text
    match letter:
        case "n":
            return encode_name(parse_name(text, origin))
        case "4":
            return _address(text, 4)
        case "6":
            return _address(text, 6)
        case "t":
            return parse_period(text).to_bytes(4, "big")
        case "s":
            return encode_string(text)
        case "k" if text.upper() in ALGORITHMS:
            return bytes([ALGORITHMS[text.upper()]])
        case _:
            return _number(text, _WIDTHS.get(letter, 1))


def _encode_rest(letter: str, tokens: Sequence[Token]) -> bytes:
    match letter:
        case "S":
            return b"".join(encode_string(token.text) for token in tokens)
        case "x":
            return _hex(tokens)
        case "y":
            try:
                return base64.b64decode("".join(token.text for token in tokens), validate=True)
            except binascii.Error as error:
                raise BadData(f"expected base64: {error}") from None
        case "p":
            return encode_parameters([token.text for token in tokens])
    if len(tokens) != 1:
        raise BadData(f"expected one string at the end, got {len(tokens)}")
    return octets(tokens[0].text)


def encode_string(text: str) -> bytes:
    """A character-string: its length in one octet, and the octets."""
    data = octets(text)
    if len(data) > 255:
        raise BadData(f"a string has at most 255 octets, got {len(data)}")
    return bytes([len(data)]) + data


def parse_period(text: str) -> int:
    """Seconds from `3600` or `1h`, as TTLs are written."""
    if not _PERIOD.fullmatch(text):
        raise BadData(f"expected seconds, such as 3600 or 1h, got {text!r}")
    seconds = sum(
        int(number) * _UNITS[unit.lower()] for number, unit in re.findall(r"(\d+)([a-z]?)", text, re.IGNORECASE)
    )
    if seconds > MAX_TTL:
        raise BadData(f"expected at most {MAX_TTL} seconds, got {text}")
    return seconds


def _number(text: str, width: int) -> bytes:
    limit = (1 << 8 * width) - 1
    if not text.isascii() or not text.isdigit() or int(text) > limit:
        raise BadData(f"expected a number from 0 to {limit}, got {text!r}")
    return int(text).to_bytes(width, "big")


def _address(text: str, version: int) -> bytes:
    try:
        return (ipaddress.IPv4Address(text) if version == 4 else ipaddress.IPv6Address(text)).packed
    except ValueError as error:
        raise BadData(f"expected an IPv{version} address: {error}") from None


def _hex(tokens: Sequence[Token]) -> bytes:
    text = "".join(token.text for token in tokens)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadData(f"expected hex digits in pairs, got {text!r}") from None


def names_in(kind: int, data: bytes) -> list[Name | bytes]:
    """Data of a type in `COMPRESSED`, split into its names and what stands between them. ValueError when it is not."""
    parts: list[Name | bytes] = []
    at = 0
    for letter in FORMATS[type_name(kind)]:
        if letter == "n":
            name, at = decode_name(data, at)
            parts.append(name)
        else:
            width = _WIDTHS.get(letter, 4)
            parts.append(data[at : at + width])
            at += width
    if at != len(data):
        raise BadData(f"{type_name(kind)}: expected {at} octets, got {len(data)}")
    return parts
