r"""Domain names: labels on the wire, text with escapes for people (RFC 1035 sections 3.1, 4.1.4 and 5.1).

    name   = 1*(label ".") | "."          a name in text always ends in a dot here
    label  = 1 to 63 bytes                in text: \. \\ \" and so on for special characters, \DDD for any byte
    255 bytes at most on the wire, length bytes and the root included

On the wire a name may end in a pointer to an earlier place. Pointers must go strictly backwards: so there are no loops,
and no name takes more than its 255 bytes.

Case is kept and never matters (RFC 4343). Names that are not ASCII are turned into A-labels by IDNA 2008.
"""

import re

from inetcli.errors import MalformedTarget, ProtocolViolation

MAX_LABEL = 63
MAX_NAME = 255

HEADER = 12
"""Bytes of a message's header: no name stands there."""

_SPECIAL = frozenset(b'.\\"();@$')
_TOKEN = re.compile(r"\\(\d{3})|\\(\D)|(\.)|([^\\.]+)|(\\)", re.DOTALL)


def parse_name(data: bytes, at: int) -> tuple[str, int]:
    """The name at `at` in a message, and where the bytes behind it begin."""
    labels: list[bytes] = []
    size, end, lowest = 1, -1, at
    while True:
        if at >= len(data):
            raise ProtocolViolation(f"DNS: a name runs over the end of the message, {len(data)} bytes long")
        length = data[at]
        if length & 0xC0 == 0xC0:
            if at + 2 > len(data):
                raise ProtocolViolation("DNS: a pointer is cut")
            target = int.from_bytes(data[at : at + 2], "big") & 0x3FFF
            if not HEADER <= target < lowest:
                raise ProtocolViolation(f"DNS: the pointer at {at} goes to {target}, not back to an earlier name")
            end = at + 2 if end < 0 else end
            at = lowest = target
            continue
        if length & 0xC0:
            raise ProtocolViolation(f"DNS: a label of unknown type 0x{length:02x} at {at}")
        at += 1
        if not length:
            return encode_labels(labels), at if end < 0 else end
        if at + length > len(data):
            raise ProtocolViolation(f"DNS: a label of {length} bytes runs over the end of the message")
        size += length + 1
        if size > MAX_NAME:
            raise ProtocolViolation(f"DNS: a name of over {MAX_NAME} bytes")
        labels.append(data[at : at + length])
        at += length


def encode_labels(labels: list[bytes]) -> str:
    """Labels as text, with a dot behind each."""
    return "".join(escape_label(label) + "." for label in labels) or "."


def escape_label(label: bytes) -> str:
    r"""A label as text: special characters as \X, what is not printable ASCII, and a space, as \DDD."""
    return "".join(
        f"\\{chr(byte)}" if byte in _SPECIAL else chr(byte) if 0x21 <= byte <= 0x7E else f"\\{byte:03d}"
        for byte in label
    )


def encode_name(name: str) -> bytes:
    """A name as it stands in a question: no pointers. `MalformedTarget` when it is none."""
    labels = split_name(name)
    wire = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(wire) > MAX_NAME:
        raise MalformedTarget(f"{name}: a domain name has at most {MAX_NAME} bytes, this one {len(wire)}")
    return wire


def split_name(name: str) -> list[bytes]:
    """The labels of a name in text, the dot at its end optional. `MalformedTarget` when it is none."""
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
                raise MalformedTarget(rf"{name}: \{digits} is no byte; expected \000 to \255")
            labels[-1] += bytes([int(digits)])
        elif dangling:
            raise MalformedTarget(f"{name}: a backslash with nothing behind it")
        else:
            labels[-1] += (plain or other).encode("ascii")
    if len(labels) > 1 and not labels[-1]:
        labels.pop()  # the dot at the end
    for label in labels:
        if not 1 <= len(label) <= MAX_LABEL:
            raise MalformedTarget(f'"{name}": a label has 1 to {MAX_LABEL} bytes, one of these has {len(label)}')
    return labels


def same_name(one: str, other: str) -> bool:
    """Whether two names are the same one; case does not matter."""
    return one.lower() == other.lower()


def absolute(name: str) -> str:
    """The name in its one written form: escapes as this program writes them, a dot at the end, its case kept."""
    return encode_labels(split_name(name))


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address, and so no name."""
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def reverse_name(address: str) -> str:
    """The name under in-addr.arpa or ip6.arpa that an address's PTR record has (RFC 1035 3.5, RFC 3596 2.5)."""
    import ipaddress

    return ipaddress.ip_address(address).reverse_pointer + "."


def _to_ascii(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise MalformedTarget(f"{name}: is no international domain name: {error}") from error
