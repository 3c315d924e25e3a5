"""How TLS is to be spoken, and what a certificate is held against: OpenSSL's context, and its words.

What is checked does not depend on the Python version: 3.13's default context is strict where 3.11's is not, so nothing
is taken from a default. Set here: TLS 1.2 at least; the chain up to a trusted certificate, which may be an intermediate
(as curl does); the name in subjectAltName only, never in commonName (RFC 9525 section 6.3); no X.509 strictness beyond
OpenSSL's own.
"""

import os
import ssl
from collections.abc import Sequence

from inetcli.errors import CaFile, ClientCertificate
from inetcli.net.trust import Trust

MIN_VERSION = ssl.TLSVersion.TLSv1_2
"""RFC 8996: TLS 1.0 and 1.1 are not to be used."""


def make_context(trust: Trust, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """A client context for this trust: every setting that decides a verdict is made here."""
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
    except OSError as error:  # ssl.SSLError is one, too: a file without a certificate
        raise CaFile(f"{named}: cannot be used as CA file: {words_of(error)}") from error


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    def refuse() -> str:
        raise ClientCertificate(f"{key or certificate}: the key is encrypted; decrypt it first: it is never asked for")

    try:
        context.load_cert_chain(certificate, key, password=refuse)
    except OSError as error:
        place = certificate if key is None else f"{certificate} with {key}"
        words = words_of(error)
        if isinstance(error, ssl.SSLError) and not reason_of(error):  # "[SSL] PEM lib (_ssl.c:3905)" is all it says
            words = "expected a certificate and its key in PEM form"
        raise ClientCertificate(f"{place}: cannot be used as client certificate: {words}") from error


def reason_of(error: OSError) -> str:
    """OpenSSL's name for what happened; empty for errors of the operating system."""
    return str(getattr(error, "reason", None) or "")


def words_of(error: OSError) -> str:
    """OpenSSL's reason without its numbers and source lines."""
    reason = reason_of(error)
    if isinstance(error, ssl.SSLEOFError):
        return "the peer closed the connection"
    if reason:
        plain = {
            "WRONG_VERSION_NUMBER": "the peer does not speak TLS here",
            "RECORD_LAYER_FAILURE": "the peer does not speak TLS here",
            "NO_CERTIFICATE_OR_CRL_FOUND": "it holds no certificate",
        }
        return plain.get(reason, reason.lower().replace("_", " "))
    return (error.strerror or str(error)).lower()
