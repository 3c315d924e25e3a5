r"""Certificates from DER (RFC 5280 section 4.1), and the text of `--send`.

    Certificate  ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
    Validity     ::= SEQUENCE { notBefore Time, notAfter Time }
    Name         ::= SEQUENCE OF RelativeDistinguishedName (SET OF SEQUENCE { type OID, value })

Certificates that OpenSSL accepts are parsed; for all others the only error is `ProtocolViolation`.
"""

import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime

from inetcli.errors import ProtocolViolation, Usage
from inetcli.protocols.tls.model import Certificate
from inetcli.wire.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    UTC_TIME,
    Element,
    parse_der,
    parse_integer,
    parse_oid,
    tbs_fields,
)

_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_KEYS = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.10045.2.1": "EC",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "1.2.840.10040.4.1": "DSA",
}
_CURVES = {
    "1.2.840.10045.3.1.7": ("EC P-256", 256),
    "1.3.132.0.34": ("EC P-384", 384),
    "1.3.132.0.35": ("EC P-521", 521),
    "1.3.132.0.10": ("EC secp256k1", 256),
}
_EDWARDS_BITS = {"Ed25519": 256, "Ed448": 456}
_SIGNATURES = {
    "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
    "1.2.840.113549.1.1.10": "rsassaPss",
    "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
    "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
    "1.2.840.10045.4.1": "ecdsa-with-SHA1",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
    "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
    "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
    "1.3.101.112": "ed25519",
    "1.3.101.113": "ed448",
}
_SUBJECT_ALT_NAME = "2.5.29.17"
_STRINGS = {0x0C: "utf-8", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}
_RFC4514_SPECIAL = re.compile(r'[,+"\\<>;]|^[ #]| $')
_ESCAPE = re.compile(r"\\(?:([rnt0\\])|x([0-9A-Fa-f]{2})|(.?))", re.DOTALL)
_ESCAPED = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


def parse_certificate(der: bytes) -> Certificate:
    """Parse a certificate."""
    fields = tbs_fields(der)
    certificate_parts = list(parse_der(der).children())
    not_before, not_after = (_parse_time(element) for element in _parse_children(fields["validity"], 2, "a validity"))
    key = fields["subjectPublicKeyInfo"]
    key_type, key_bits = _parse_key(key)
    return Certificate(
        subject=_parse_name(fields["subject"]),
        issuer=_parse_name(fields["issuer"]),
        san=_parse_alt_names(fields.get("extensions")),
        not_before=not_before,
        not_after=not_after,
        serial=f"{parse_integer(fields['serialNumber']):x}",
        key_type=key_type,
        key_bits=key_bits,
        signature=_parse_algorithm(certificate_parts[1], _SIGNATURES),
        sha256=hashlib.sha256(der).hexdigest(),
        spki_sha256=b64encode(hashlib.sha256(key.whole).digest()).decode("ascii"),
    )


def encode_text(text: str) -> bytes:
    r"""Encode the text of `--send` as UTF-8, with `\r \n \t \0 \\ \xNN` replaced by their bytes. An LF is added if the
    text does not end in one, because servers wait for a whole line."""

    def byte(match: re.Match[str]) -> str:
        letter, digits, other = match.groups()
        if other is not None:
            raise Usage(rf"--send: \{other} is not an escape; expected \r \n \t \0 \\ or \xNN")
        data = bytes([int(digits, 16)]) if digits else _ESCAPED[letter]
        return data.decode("utf-8", "surrogateescape")

    data = _ESCAPE.sub(byte, text).encode("utf-8", "surrogateescape")
    return data if data.endswith(b"\n") else data + b"\n"


def encode_alpn(text: str | None) -> tuple[str, ...]:
    """Split the protocols of `--alpn`, each 1 to 255 bytes (RFC 7301 section 3.1)."""
    names = tuple(name.strip() for name in text.split(",")) if text is not None else ()
    for name in names:
        if not (name.isascii() and 1 <= len(name) <= 255):
            raise Usage(f'--alpn: "{name[:80]}" is not a valid protocol name; expected a list such as h2,http/1.1')
    return names


def _parse_name(name: Element) -> str:
    """Parse a distinguished name into RFC 4514 form: the most specific part first."""
    parts = []
    for rdn in name.expect(SEQUENCE, "a name").children():
        pairs = (_parse_children(pair, 2, "an attribute") for pair in rdn.expect(SET, "a name's part").children())
        parts.append("+".join(_parse_attribute(kind, value) for kind, value in pairs))
    return ",".join(reversed(parts))


def _parse_attribute(kind: Element, value: Element) -> str:
    oid = parse_oid(kind)
    text = value.content.decode(_STRINGS.get(value.tag, "latin-1"), "replace")
    return f"{_ATTRIBUTES.get(oid, oid)}={_RFC4514_SPECIAL.sub(lambda special: chr(92) + special[0], text)}"


def _parse_time(element: Element) -> datetime:
    """Parse a time. UTCTime has two digits for the year: 50 to 99 are 19xx (RFC 5280 section 4.1.2.5.1)."""
    text = element.content.decode("ascii", "replace")
    try:
        if element.tag == UTC_TIME:
            text = ("19" if text[:2] >= "50" else "20") + text
        else:
            element.expect(GENERALIZED_TIME, "a time")
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ProtocolViolation(f'certificate: expected a time such as 20261124180411Z, got "{text[:20]}"') from error


def _parse_key(key: Element) -> tuple[str, int | None]:
    algorithm, bits = _parse_children(key, 2, "a public key")
    name = _parse_algorithm(algorithm, _KEYS)
    if name == "EC":
        parameters = list(algorithm.children())[1:]
        curve = parse_oid(parameters[0]) if parameters and parameters[0].tag == OID else "explicit"
        return _CURVES.get(curve, (f"EC {curve}", None))
    if name.startswith("RSA"):
        modulus, _ = _parse_children(parse_der(bits.expect(BIT_STRING, "a key").content[1:]), 2, "an RSA key")
        return name, parse_integer(modulus).bit_length()
    return name, _EDWARDS_BITS.get(name)


def _parse_algorithm(element: Element, names: dict[str, str]) -> str:
    parts = list(element.expect(SEQUENCE, "an algorithm").children())
    if not parts:
        raise ProtocolViolation("certificate: an algorithm without an identifier")
    oid = parse_oid(parts[0])
    return names.get(oid, oid)


def _parse_alt_names(extensions: Element | None) -> tuple[str, ...]:
    if extensions is None:
        return ()
    for extension in (extension for listed in extensions.children() for extension in listed.children()):
        parts = list(extension.children())
        if parts and parse_oid(parts[0]) == _SUBJECT_ALT_NAME:
            names = parse_der(parts[-1].expect(OCTET_STRING, "an extension").content)
            return tuple(name for name in map(_parse_general_name, names.children()) if name)
    return ()


def _parse_general_name(name: Element) -> str | None:
    """Parse rfc822Name 1, dNSName 2, URI 6 and iPAddress 7 (RFC 5280 section 4.2.1.6); None for others."""
    match name.tag & 0x1F:
        case 1 | 2 | 6:
            return name.content.decode("latin-1")
        case 7:
            import ipaddress

            return str(ipaddress.ip_address(name.content)) if len(name.content) in (4, 16) else None
        case _:
            return None


def _parse_children(element: Element, count: int, label: str) -> list[Element]:
    children = list(element.children())
    if len(children) != count:
        raise ProtocolViolation(f"certificate: expected {label} of {count} parts, got {len(children)}")
    return children
