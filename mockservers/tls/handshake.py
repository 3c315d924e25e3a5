"""TLS on the server's side: its settings, its contexts, and the one place where the faults of a handshake act.

`Connection.start_tls` comes here, whoever asks for TLS: a server whose port speaks nothing else, AUTH TLS, STARTTLS, a
data connection of FTP.
"""

import asyncio
import ssl
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mockservers.certs import authority
from mockservers.tls.faults import (
    Alert,
    CertificateFault,
    ClientCertificate,
    OldVersion,
    Plaintext,
    SlowHandshake,
)

if TYPE_CHECKING:
    from mockservers.connection import Connection
    from mockservers.faultkinds import Fault

HANDSHAKE_FAILURE = bytes.fromhex("15030300020228")
"""An alert record: fatal, handshake_failure (RFC 8446 section 6)."""

CLEAR_TEXT = b"this port does not speak TLS\r\n"

_OF_THE_CONTEXT = (CertificateFault, ClientCertificate, OldVersion)


class Tls:
    """How a server speaks TLS: what it agrees to (ALPN), whether it requires a client certificate of our CA, and the
    newest version that it knows. The good context is made at once, others for the connection that has the fault."""

    def __init__(
        self,
        *,
        alpn: Iterable[str] = (),
        client_certificate: bool = False,
        max_version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:
        self._alpn = list(alpn)
        self._client_certificate = client_certificate
        self._max_version = max_version
        self.good = self.context()

    @property
    def ca_file(self) -> str:
        """The file of the CA to trust."""
        return authority().ca_file

    def context(self, faults: "Iterable[Fault]" = ()) -> ssl.SSLContext:
        """A new context that has these faults."""
        faults = list(faults)
        kinds = [fault.name for fault in faults if isinstance(fault, CertificateFault)]
        context = authority().context(kinds[0] if kinds else "good")
        context.maximum_version = self._max_version
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        if self._client_certificate or any(isinstance(fault, ClientCertificate) for fault in faults):
            context.verify_mode = ssl.CERT_REQUIRED
            authority().ca.configure_trust(context)
        if any(isinstance(fault, OldVersion) for fault in faults):
            _grow_old(context)
        return context


def prepare(fault: "Fault") -> None:
    """Make what a fault needs, in the thread that arms it: a key takes its time."""
    if isinstance(fault, CertificateFault):
        authority().leaf(fault.name)


def _grow_old(context: ssl.SSLContext) -> None:
    """TLS 1.0 and 1.1 only. OpenSSL 3 has no signature for them above security level 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # deprecated they are: that is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")


async def choose_context(client: "Connection", tls: Tls | ssl.SSLContext) -> ssl.SSLContext | None:
    """The context for a client, by its faults. None = it was answered with something that is no handshake."""
    if client.armed(Alert) or client.armed(Plaintext):
        await client.await_hello()
        if client.first(Plaintext):
            await client.write_clear(CLEAR_TEXT)
        elif client.first(Alert):
            await client.write_clear(HANDSHAKE_FAILURE)
        return None
    faults: list[Fault] = [fault for kind in _OF_THE_CONTEXT if (fault := client.first(kind))]
    if isinstance(tls, Tls):
        return tls.context(faults) if faults else tls.good
    return Tls().context(faults) if faults else tls


async def pause(client: "Connection") -> None:
    """Before a flight of the handshake."""
    if slow := client.first(SlowHandshake):
        await asyncio.sleep(slow.seconds)
