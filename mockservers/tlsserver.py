"""TLS: a handshake, then every line comes back as it was.

Faults of its own, on `connect`: the certificates that are not good (`expired`, `not_yet_valid`, `wrong_host`,
`untrusted`), `plain` (no TLS on a TLS port), `alert` (a handshake_failure), `truncate` (the end without close_notify).
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from mockservers.certs import authority
from mockservers.connection import Connection, Over
from mockservers.core import Server
from mockservers.faultkinds import Armed, Fault, register

_HANDSHAKE_FAILURE = bytes.fromhex("15030300020228")
"""An alert record: fatal, handshake_failure (RFC 8446 section 6)."""


@dataclass(frozen=True, slots=True)
class _TlsFault(Fault):
    server: ClassVar[str] = "tls"


@register
class Expired(_TlsFault):
    """A certificate whose time is over."""

    name = "expired"
    sees = "certificate has expired"


@register
class NotYetValid(_TlsFault):
    """A certificate whose time has not begun."""

    name = "not_yet_valid"
    sees = "certificate is not yet valid"


@register
class WrongHost(_TlsFault):
    """A certificate for another name."""

    name = "wrong_host"
    sees = "hostname mismatch"


@register
class Untrusted(_TlsFault):
    """A certificate of an unknown CA."""

    name = "untrusted"
    sees = "unable to get local issuer certificate"


@register
class Plain(_TlsFault):
    """An answer in clear text."""

    name = "plain"
    sees = "wrong version number"


@register
class Alert(_TlsFault):
    """A handshake_failure alert."""

    name = "alert"
    sees = "handshake failure"


@register
class Truncate(_TlsFault):
    """The TLS handshake, then a FIN without close_notify after the first line."""

    name = "truncate"
    sees = "unexpected EOF; many clients take it for the end"


_CERTIFICATES = (Expired, NotYetValid, WrongHost, Untrusted)


class TlsServer(Server):
    """An echo of lines over TLS. `alpn`: what it agrees to; `client_ca` insists on a client certificate of our CA."""

    name = "tls"
    scheme = "tls"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
        alpn: Iterable[str] = (),
        client_certificate: bool = False,
        max_version: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
    ) -> None:
        self._alpn = list(alpn)
        self._client_certificate = client_certificate
        self._max_version = max_version
        self._authority = authority()
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return self._authority.ca_file

    def context(self, kind: str = "good") -> ssl.SSLContext:
        """The TLS context of a connection that shows this certificate."""
        context = self._authority.context(kind)
        context.maximum_version = self._max_version
        if self._alpn:
            context.set_alpn_protocols(self._alpn)
        if self._client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            self._authority.ca.configure_trust(context)
        return context

    async def serve(self, client: Connection) -> None:
        faults = client.faults()
        if any(isinstance(fault, Alert) for fault in faults):
            await client.some()
            await client.send(_HANDSHAKE_FAILURE)
            return
        if any(isinstance(fault, Plain) for fault in faults):
            await client.some()
            await client.send(b"this port does not speak TLS\r\n")
            return
        kinds = [fault.name for fault in faults if isinstance(fault, _CERTIFICATES)]
        await client.start_tls(self.context(kinds[0] if kinds else "good"))
        truncate = any(isinstance(fault, Truncate) for fault in faults)
        while True:
            line = await client.line()
            if not await self.command(client, line.decode("utf-8", "replace").partition(" ")[0]):
                await client.send(line + b"\n")
            if truncate:
                client.tls = None  # so that no close_notify goes out
                raise Over
