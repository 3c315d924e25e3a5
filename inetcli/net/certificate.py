"""A look into a DER certificate, as far as a pin needs it: RFC 5280 section 4.1.

    Certificate    ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }
    TBSCertificate ::= SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
                                  subjectPublicKeyInfo, ... }

The certificate has been parsed by OpenSSL before: a wrong one does not come here, and yet raises `ProtocolViolation`.
"""

from inetcli.errors import ProtocolViolation

_SEQUENCE = 0x30
_VERSION = 0xA0


def spki(certificate: bytes) -> bytes:
    """The subjectPublicKeyInfo of a certificate, DER with its header: what `--pin sha256//` is the hash of."""
    start, end = _inside(certificate, 0, _SEQUENCE)
    start, end = _inside(certificate, start, _SEQUENCE)
    if certificate[start] == _VERSION:
        start = _element(certificate, start, end)
    for _ in ("serialNumber", "signature", "issuer", "validity", "subject"):
        start = _element(certificate, start, end)
    return certificate[start : _element(certificate, start, end)]


def _inside(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the contents of the element at `at` begin and end."""
    if at + 2 > len(data) or data[at] != tag:
        raise ProtocolViolation("the certificate is not DER")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    if start + size > len(data):
        raise ProtocolViolation("the certificate is cut")
    return start, start + size


def _element(data: bytes, at: int, limit: int) -> int:
    """Where the element at `at` ends."""
    if at >= limit:
        raise ProtocolViolation("the certificate is cut")
    return _inside(data, at, data[at])[1]
