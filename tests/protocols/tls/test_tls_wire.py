"""Certificates from DER, compared with what `cryptography` reads, and the escapes of --send."""

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.errors import ProtocolViolation, Usage
from inetcli.protocols.tls.wire import encode_text, parse_certificate
from inetcli.wire.der import extract_spki

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Ä, "B" + C'),
        x509.NameAttribute(NameOID.COMMON_NAME, "shop.example"),
    ]
)
BEFORE = datetime.datetime(2024, 2, 29, 23, 59, 58, tzinfo=datetime.UTC)
AFTER = datetime.datetime(2061, 1, 1, tzinfo=datetime.UTC)


def make_certificate(key: Key, *names: x509.GeneralName) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example CA")]))
        .public_key(key.public_key())
        .serial_number(0xFEDCBA9876543210)
        .not_valid_before(BEFORE)
        .not_valid_after(AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


EC = make_certificate(
    ec.generate_private_key(ec.SECP256R1()),
    x509.DNSName("shop.example"),
    x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    x509.RFC822Name("a@shop.example"),
)


def test_parse_certificate_agrees_with_cryptography() -> None:
    certificate = parse_certificate(EC)
    reference = x509.load_der_x509_certificate(EC)
    assert certificate.subject == reference.subject.rfc4514_string()
    assert certificate.issuer == "CN=Example CA"
    assert certificate.san == ("shop.example", "2001:db8::1", "192.0.2.1", "a@shop.example")
    assert (certificate.not_before, certificate.not_after) == (BEFORE, AFTER)
    assert certificate.serial == "fedcba9876543210"
    assert (certificate.key_type, certificate.key_bits) == ("EC P-256", 256)
    assert certificate.signature == "ecdsa-with-SHA256"
    assert certificate.sha256 == reference.fingerprint(hashes.SHA256()).hex()
    assert certificate.days_left(AFTER - datetime.timedelta(days=1, hours=1)) == 1
    assert certificate.days_left(AFTER + datetime.timedelta(hours=1)) == -1


@pytest.mark.parametrize(
    ("key", "kind", "bits", "signature"),
    [
        (rsa.generate_private_key(65537, 2048), "RSA", 2048, "sha256WithRSAEncryption"),
        (ec.generate_private_key(ec.SECP384R1()), "EC P-384", 384, "ecdsa-with-SHA256"),
        (ec.generate_private_key(ec.BrainpoolP256R1()), "EC 1.3.36.3.3.2.8.1.1.7", None, "ecdsa-with-SHA256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 256, "ed25519"),
    ],
    ids=["rsa", "p384", "brainpool", "ed25519"],
)
def test_parse_certificate_by_kind_of_key(key: Key, kind: str, bits: int | None, signature: str) -> None:
    certificate = parse_certificate(make_certificate(key))
    assert (certificate.key_type, certificate.key_bits, certificate.signature) == (kind, bits, signature)
    assert certificate.san == ()


def test_spki_is_the_public_key_as_it_stands_in_the_certificate() -> None:
    public = x509.load_der_x509_certificate(EC).public_key()
    expected = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert extract_spki(EC) == expected


def test_parse_certificate_cut_at_every_byte_is_a_violation() -> None:
    for cut in range(len(EC)):
        with pytest.raises(ProtocolViolation):
            parse_certificate(EC[:cut])


@settings(max_examples=500)
@given(st.integers(0, len(EC) - 1), st.binary(min_size=1, max_size=4))
def test_parse_certificate_with_any_bytes_changed_parses_or_is_a_violation(at: int, change: bytes) -> None:
    try:
        parse_certificate(EC[:at] + change + EC[at + len(change) :])
    except ProtocolViolation:
        pass


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("hello", b"hello\n"),
        ("hello\n", b"hello\n"),
        (r"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"),
        (r"\x00\xff\\n\t\0", b"\x00\xff\\n\t\0\n"),
        ("é", b"\xc3\xa9\n"),
    ],
)
def test_encode_text(text: str, sent: bytes) -> None:
    assert encode_text(text) == sent


@pytest.mark.parametrize("text", [r"\q", r"\x0", "\\"])
def test_encode_text_refuses_an_unknown_escape(text: str) -> None:
    with pytest.raises(Usage):
        encode_text(text)
