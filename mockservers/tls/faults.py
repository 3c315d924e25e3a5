"""What goes wrong with TLS, on every server that speaks it: the kinds. `mockservers.tls.handshake` carries them out.

They sit on `connect`, where TLS begins with the connection or is asked for later (AUTH TLS, STARTTLS); on `data` for
FTP's data connections; or on the command that asks for TLS.
"""

from dataclasses import dataclass

from mockservers.faultkinds import Fault, Outcome, fault_kind


@dataclass(frozen=True, slots=True)
class CertificateFault(Fault):
    """The server shows a certificate that is not good; `mockservers.certs` has one of the same name."""


@fault_kind("tls", sees="certificate has expired")
class Expired(CertificateFault):
    """A certificate whose time is over."""


@fault_kind("tls", sees="certificate is not yet valid")
class NotYetValid(CertificateFault):
    """A certificate whose time has not begun."""


@fault_kind("tls", sees="hostname mismatch")
class WrongHost(CertificateFault):
    """A certificate for another name."""


@fault_kind("tls", sees="unable to get local issuer certificate")
class Untrusted(CertificateFault):
    """A certificate of an unknown CA."""


@fault_kind("tls", sees="self-signed certificate")
class SelfSigned(CertificateFault):
    """A certificate that is its own issuer."""


@fault_kind("tls", sees="unable to get local issuer certificate: the intermediate is not sent")
class NoChain(CertificateFault):
    """A certificate of an intermediate CA that is not sent."""


@fault_kind("tls", sees="certificate has expired: not the server's, the one above it")
class ExpiredIntermediate(CertificateFault):
    """A good certificate of an intermediate CA whose time is over."""


@fault_kind("tls", sees="EE certificate key too weak")
class WeakKey(CertificateFault):
    """A certificate with an RSA key of 1024 bits."""


@fault_kind("tls", sees="a name mismatch (RFC 9525), except that OpenSSL takes the subject's name, localhost")
class NoSan(CertificateFault):
    """A certificate without subjectAltName."""


@fault_kind("tls", sees="unsuitable certificate purpose")
class WrongPurpose(CertificateFault):
    """A certificate for clients only."""


@fault_kind(
    "tls",
    sees="the alert certificate_required, under TLS 1.3 not before the first read",
    outcome=Outcome.EITHER,
)
class ClientCertificate(Fault):
    """Require a client certificate of our CA."""


@fault_kind("tls", sees="no version in common: the alert protocol_version, or a refusal of its own")
class OldVersion(Fault):
    """Speak nothing newer than TLS 1.1."""


@fault_kind("tls", sees="the alert handshake_failure")
class Alert(Fault):
    """Answer the ClientHello with a handshake_failure."""


@fault_kind("tls", sees="wrong version number")
class Plaintext(Fault):
    """Answer the ClientHello in clear text."""


@fault_kind("tls", sees="a handshake that takes its time", outcome=Outcome.SUCCESS)
class SlowHandshake(Fault):
    """Wait before each flight of the handshake."""

    seconds: float = 0.5


@fault_kind("tls", sees="the end without close_notify; many clients take it for a good one", outcome=Outcome.EITHER)
class Truncate(Fault):
    """End without close_notify, when the server would end."""
