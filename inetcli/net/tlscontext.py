"""The TLS settings and the rules for certificates, as an OpenSSL context; and the texts of OpenSSL's errors.

The checks are the same with every Python version. The default context of 3.13 is stricter than that of 3.11, so this
module sets everything itself: TLS 1.2 or later; a chain up to a trusted certificate, which may be an intermediate (as
in curl); the name in subjectAltName only, never in commonName (RFC 9525 section 6.3); no X.509 strictness beyond
OpenSSL's default.
"""

import os
import ssl
from collections.abc import Sequence

from inetcli.errors import CaFile, ClientCertificate
from inetcli.net.trust import Trust

MIN_VERSION = ssl.TLSVersion.TLSv1_2
"""The lowest TLS version. RFC 8996 forbids TLS 1.0 and 1.1."""


def make_context(trust: Trust, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Make a client context for the trust options, with every setting that affects verification.

    Errors: `CaFile`, `ClientCertificate`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = MIN_VERSION
    context.hostname_checks_common_name = False
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if trust.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_ca(context, trust.ca_file)
    if trust.certificate:
        _load_certificate(context, trust.certificate, trust.key)
    if key_log := os.environ.get("SSLKEYLOGFILE"):
        context.keylog_filename = key_log
    return context


def _load_ca(context: ssl.SSLContext, ca_file: str | None) -> None:
    named = ca_file or os.environ.get("SSL_CERT_FILE")
    try:
        if named:
            context.load_verify_locations(named)
        else:
            context.load_default_certs()
    except OSError as error:  # including ssl.SSLError for a file without a certificate
        raise CaFile(f"{named}: cannot be used as CA file: {tls_error_text(error)}") from error


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    def refuse() -> str:
        raise ClientCertificate(
            f"{key or certificate}: the key is encrypted; decrypt it first (there is no prompt for its passphrase)"
        )

    try:
        context.load_cert_chain(certificate, key, password=refuse)
    except OSError as error:
        place = certificate if key is None else f"{certificate} with {key}"
        text = tls_error_text(error)
        if isinstance(error, ssl.SSLError) and not openssl_reason(error):
            # The text of the error is only "[SSL] PEM lib (_ssl.c:3905)".
            text = "expected a certificate and its key in PEM form"
        raise ClientCertificate(f"{place}: cannot be used as client certificate: {text}") from error


def openssl_reason(error: OSError) -> str:
    """Return OpenSSL's name of the error, such as "WRONG_VERSION_NUMBER"; empty for errors of the operating system."""
    return str(getattr(error, "reason", None) or "")


def tls_error_text(error: OSError) -> str:
    """Return OpenSSL's reason as text, without numbers and source lines."""
    reason = openssl_reason(error)
    if isinstance(error, ssl.SSLEOFError):
        return "the peer closed the connection"
    if reason:
        plain = {
            "WRONG_VERSION_NUMBER": "the peer does not speak TLS here",
            "RECORD_LAYER_FAILURE": "the peer does not speak TLS here",
            "NO_CERTIFICATE_OR_CRL_FOUND": "the file contains no certificate",
        }
        return plain.get(reason, reason.lower().replace("_", " "))
    return (error.strerror or str(error)).lower()
