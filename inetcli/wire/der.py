"""DER as far as certificates need it: ITU-T X.690, definite lengths only.

Nested elements are parsed on demand, without recursion. `ProtocolViolation` for an element that extends beyond the
element around it, an indefinite or too long length, and a tag of more than one byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from inetcli.errors import ProtocolViolation

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OID = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

_MAX_LENGTH_BYTES = 4
"""A length of more bytes would be over 4 GiB."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its tag, and the offsets of its header and contents in `data`."""

    data: bytes
    tag: int
    start: int
    content_start: int
    end: int

    @property
    def content(self) -> bytes:
        """The contents octets."""
        return self.data[self.content_start : self.end]

    @property
    def whole(self) -> bytes:
        """The element with its header."""
        return self.data[self.start : self.end]

    def children(self) -> Iterator["Element"]:
        """Yield the elements inside, in order."""
        at = self.content_start
        while at < self.end:
            child = _element(self.data, at, self.end)
            yield child
            at = child.end

    def expect(self, tag: int, label: str) -> "Element":
        """Return the element itself if it has this tag, else raise `ProtocolViolation`."""
        if self.tag != tag:
            raise ProtocolViolation(f"DER: expected {label} with tag 0x{tag:02x}, got tag 0x{self.tag:02x}")
        return self


def parse_der(data: bytes) -> Element:
    """Parse bytes that are exactly one element."""
    element = _element(data, 0, len(data))
    if element.end != len(data):
        raise ProtocolViolation(f"DER: {len(data) - element.end} bytes after the element")
    return element


def parse_integer(element: Element) -> int:
    """Parse a signed integer."""
    return int.from_bytes(element.expect(INTEGER, "an integer").content, "big", signed=True)


def parse_oid(element: Element) -> str:
    """Parse an object identifier into dotted form (X.690 section 8.19)."""
    numbers: list[int] = []
    value = 0
    for byte in element.expect(OID, "an object identifier").content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    if not numbers or value:
        raise ProtocolViolation("DER: a truncated object identifier")
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def extract_spki(certificate: bytes) -> bytes:
    """Return the subjectPublicKeyInfo of a certificate (RFC 5280 section 4.1) with its header. A pin is the
    hash of it."""
    return tbs_fields(certificate)["subjectPublicKeyInfo"].whole


def tbs_fields(certificate: bytes) -> dict[str, Element]:
    """Return the fields of a certificate's TBSCertificate by their names in RFC 5280 section 4.1.

    `version`, `issuerUniqueID`, `subjectUniqueID` and `extensions` are present if the certificate has them.
    """
    outer = list(parse_der(certificate).expect(SEQUENCE, "a certificate").children())
    if len(outer) != 3:
        raise ProtocolViolation(f"DER: expected a certificate of 3 parts, got {len(outer)}")
    fields = list(outer[0].expect(SEQUENCE, "a TBSCertificate").children())
    optional = {0xA1: "issuerUniqueID", 0xA2: "subjectUniqueID", 0xA3: "extensions"}
    found = {"version": fields.pop(0)} if fields and fields[0].tag == 0xA0 else {}
    names = ("serialNumber", "signature", "issuer", "validity", "subject", "subjectPublicKeyInfo")
    if len(fields) < len(names):
        raise ProtocolViolation(f"DER: expected a TBSCertificate of at least {len(names)} fields, got {len(fields)}")
    found |= dict(zip(names, fields, strict=False))
    return found | {optional[field.tag]: field for field in fields[len(names) :] if field.tag in optional}


def _element(data: bytes, at: int, limit: int) -> Element:
    start = at
    if at + 2 > limit:
        raise ProtocolViolation("DER: a truncated element")
    tag, size, at = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise ProtocolViolation("DER: a tag of more than one byte")
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= _MAX_LENGTH_BYTES or at + count > limit:
            raise ProtocolViolation("DER: an unsupported length")
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    if at + size > limit:
        raise ProtocolViolation(f"DER: an element of {size} bytes extends beyond the enclosing element")
    return Element(data, tag, start, at, at + size)
