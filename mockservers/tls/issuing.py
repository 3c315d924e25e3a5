"""Certificates, mostly not good ones: trustme's where it can, made by hand where it cannot (RFC 5280).

Each maker takes trustme and the good CA, and returns a `LeafCert`: the key, and the chain as it is sent.
"""

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

from mockservers.certs import NAMES
from mockservers.faultkinds import near

Maker = Callable[[Any, Any], Any]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

DAY = timedelta(days=1)
PAST = (-60 * DAY, -30 * DAY)
FUTURE = (30 * DAY, 60 * DAY)
NOW = (-DAY, 365 * DAY)


def maker(kind: str) -> Maker:
    """Who makes the certificate of that name. ValueError names the near ones."""
    try:
        return _MAKERS[kind]
    except KeyError:
        raise ValueError(f"no certificate is called {kind!r}; {near(kind, _MAKERS)}") from None


def issue(ca: Any, names: Sequence[str] = NAMES, span: tuple[timedelta, timedelta] = NOW) -> Any:
    """A certificate that is good, if the names and the time are."""
    now = datetime.now(UTC)
    return ca.issue_cert(*names, not_before=now + span[0], not_after=now + span[1])


def _expired(_trustme: Any, ca: Any) -> Any:
    return issue(ca, span=PAST)


def _not_yet_valid(_trustme: Any, ca: Any) -> Any:
    return issue(ca, span=FUTURE)


def _wrong_host(_trustme: Any, ca: Any) -> Any:
    return issue(ca, ("other.example.test",))


def _untrusted(trustme: Any, _ca: Any) -> Any:
    return issue(trustme.CA(organization_name="a stranger"))


def _no_chain(trustme: Any, ca: Any) -> Any:
    leaf = issue(ca.create_child_ca())
    return trustme.LeafCert(leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes(), [])


def _self_signed(trustme: Any, _ca: Any) -> Any:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject("localhost")
    certificate = _certificate(subject, key, subject, key, [_san(), _usage(Usage.SERVER_AUTH)])
    return _leaf(trustme, key, certificate)


def _expired_intermediate(trustme: Any, ca: Any) -> Any:
    key, middle_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, root_key = _loaded(ca)
    middle = _certificate(
        _subject("an intermediate of the past"),
        middle_key,
        root.subject,
        root_key,
        [(x509.BasicConstraints(ca=True, path_length=0), True), _SIGNS_CERTIFICATES],
        span=PAST,
    )
    certificate = _certificate(
        _subject("localhost"), key, middle.subject, middle_key, [_san(), _usage(Usage.SERVER_AUTH)]
    )
    return _leaf(trustme, key, certificate, [middle])


def _weak_key(trustme: Any, ca: Any) -> Any:
    key = rsa.generate_private_key(65537, 1024)
    return _issued(trustme, ca, key, [_san(), _usage(Usage.SERVER_AUTH)])


def _no_san(trustme: Any, ca: Any) -> Any:
    return _issued(trustme, ca, ec.generate_private_key(ec.SECP256R1()), [_usage(Usage.SERVER_AUTH)])


def _wrong_purpose(trustme: Any, ca: Any) -> Any:
    return _issued(trustme, ca, ec.generate_private_key(ec.SECP256R1()), [_san(), _usage(Usage.CLIENT_AUTH)])


_MAKERS: dict[str, Maker] = {
    "expired": _expired,
    "not_yet_valid": _not_yet_valid,
    "wrong_host": _wrong_host,
    "untrusted": _untrusted,
    "self_signed": _self_signed,
    "no_chain": _no_chain,
    "expired_intermediate": _expired_intermediate,
    "weak_key": _weak_key,
    "no_san": _no_san,
    "wrong_purpose": _wrong_purpose,
}

_Extension = tuple[x509.ExtensionType, bool]

_SIGNS_CERTIFICATES: _Extension = (
    x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    ),
    True,
)
"""RFC 5280 section 4.2.1.9 wants it beside a path length, and Python 3.13 minds."""


def _issued(trustme: Any, ca: Any, key: Key, extensions: Sequence[_Extension]) -> Any:
    root, root_key = _loaded(ca)
    return _leaf(trustme, key, _certificate(_subject("localhost"), key, root.subject, root_key, extensions))


def _certificate(
    subject: x509.Name,
    key: Key,
    issuer: x509.Name,
    issuer_key: Any,
    extensions: Sequence[_Extension],
    span: tuple[timedelta, timedelta] = NOW,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + span[0])
        .not_valid_after(now + span[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _leaf(trustme: Any, key: Key, certificate: x509.Certificate, chain: Sequence[x509.Certificate] = ()) -> Any:
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    return trustme.LeafCert(secret, certificate.public_bytes(pem), [above.public_bytes(pem) for above in chain])


def _loaded(ca: Any) -> tuple[x509.Certificate, Any]:
    root = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    return root, serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mockservers"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _san() -> _Extension:
    host, *addresses = NAMES
    names = [x509.DNSName(host), *(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)]
    return x509.SubjectAlternativeName(names), False


def _usage(purpose: x509.ObjectIdentifier) -> _Extension:
    return x509.ExtendedKeyUsage([purpose]), False
