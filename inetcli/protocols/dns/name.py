r"""Domain names: labels on the wire, escaped text for people (RFC 1035 sections 3.1, 4.1.4 and 5.1).

    name   = 1*(label ".") | "."          a name in text always ends in a dot here
    label  = 1 to 63 bytes                in text: \. \\ \" and so on for special characters, \DDD for any byte
    255 bytes at most on the wire, length bytes and the root included

On the wire a name may end in a pointer to an earlier position. Pointers must point strictly backwards: so there are no
loops, and no name is longer than 255 bytes.

Case is kept and never significant (RFC 4343). Names that are not ASCII become A-labels by IDNA 2008.
"""

import re

from inetcli.errors import MalformedTarget, ProtocolViolation

MAX_LABEL = 63
MAX_NAME = 255

HEADER = 12
"""Bytes of a message's header: a pointer must not point into it."""

_SPECIAL = frozenset(b'.\\"();@$')
_TOKEN = re.compile(r"\\(\d{3})|\\(\D)|(\.)|([^\\.]+)|(\\)", re.DOTALL)


def parse_name(data: bytes, at: int) -> tuple[str, int]:
    """Parse the name at an offset of a message; return it and the offset after it."""
    labels: list[bytes] = []
    size, end, lowest = 1, -1, at
    while True:
        if at >= len(data):
            raise ProtocolViolation(f"DNS: a name extends beyond the end of the message ({len(data)} bytes)")
        length = data[at]
        if length & 0xC0 == 0xC0:
            if at + 2 > len(data):
                raise ProtocolViolation("DNS: a pointer is truncated")
            target = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
            if not HEADER <= target < lowest:
                raise ProtocolViolation(f"DNS: the pointer at {at} goes to {target}, not backwards")
            end = at + 2 if end < 0 else end
            at = lowest = target
            continue
        if length & 0xC0:
            raise ProtocolViolation(f"DNS: a label of unknown type 0x{length:02x} at {at}")
        at += 1
        if not length:
            return encode_labels(labels), at if end < 0 else end
        if at + length > len(data):
            raise ProtocolViolation(f"DNS: a label of {length} bytes extends beyond the end of the message")
        size += length + 1
        if size > MAX_NAME:
            raise ProtocolViolation(f"DNS: a name exceeds {MAX_NAME} bytes")
        labels.append(data[at : at + length])
        at += length


def encode_labels(labels: list[bytes]) -> str:
    """Return labels as text, with a dot after each."""
    return "".join(escape_label(label) + "." for label in labels) or "."


def escape_label(label: bytes) -> str:
    r"""Return a label as text: special characters as \X; a space and bytes that are not printable ASCII as \DDD."""
    return "".join(
        f"\\{chr(byte)}" if byte in _SPECIAL else chr(byte) if 0x21 <= byte <= 0x7E else f"\\{byte:03d}"
        for byte in label
    )


def encode_name(name: str) -> bytes:
    """Encode a name for a question, without pointers. `MalformedTarget` if it is not a valid name."""
    labels = split_name(name)
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(wire) > MAX_NAME:
        raise MalformedTarget(f"{name}: a domain name must have at most {MAX_NAME} bytes, got {len(wire)}")
    return wire


def split_name(name: str) -> list[bytes]:
    """Split a name in text into labels; the final dot is optional. `MalformedTarget` if it is not a valid name."""
    if not name.isascii():
        name = _to_ascii(name)
    if name == ".":
        return []
    labels = [b""]
    for match in _TOKEN.finditer(name):
        digits, other, dot, plain, dangling = match.groups()
        if dot:
            labels.append(b"")
        elif digits:
            if int(digits) > 255:
                raise MalformedTarget(rf"{name}: \{digits} is not a byte; expected \000 to \255")
            labels[-1] += bytes([int(digits)])
        elif dangling:
            raise MalformedTarget(f"{name}: a backslash at the end")
        else:
            labels[-1] += (plain or other).encode("ascii")
    if len(labels) > 1 and not labels[-1]:
        labels.pop()  # the final dot
    for label in labels:
        if not 1 <= len(label) <= MAX_LABEL:
            raise MalformedTarget(f'"{name}": a label must have 1 to {MAX_LABEL} bytes, got {len(label)}')
    return labels


def same_name(one: str, other: str) -> bool:
    """Whether two names are equal, ignoring case."""
    return one.lower() == other.lower()


def canonical_name(name: str) -> str:
    """Return the name in canonical text: this program's escapes, a final dot, its case unchanged."""
    return encode_labels(split_name(name))


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def reverse_name(address: str) -> str:
    """Return the name in in-addr.arpa or ip6.arpa for an address (RFC 1035 section 3.5, RFC 3596 section 2.5)."""
    import ipaddress

    return ipaddress.ip_address(address).reverse_pointer + "."


def _to_ascii(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise MalformedTarget(f"{name}: is not a valid international domain name: {error}") from error
