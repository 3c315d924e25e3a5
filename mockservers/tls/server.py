"""TLS: a handshake, then every line comes back as it was."""

import ssl
from collections.abc import Iterable

from mockservers.connection import Connection
from mockservers.core import Server
from mockservers.faultkinds import Armed
from mockservers.tls.faults import Truncate
from mockservers.tls.handshake import Tls


class TlsServer(Server):
    """An echo of lines over TLS. `alpn`: what it agrees to; `client_certificate` requires one of our CA."""

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
        self.tls = Tls(alpn=alpn, client_certificate=client_certificate, max_version=max_version)
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return self.tls.ca_file

    async def serve(self, client: Connection) -> None:
        await client.start_tls(self.tls)
        while True:
            line = await client.line()
            text = line.decode("utf-8", "replace")
            if not (await self.trigger(client, text.partition(" ")[0], text)).answered:
                await client.send(line + b"\n")
            if client.armed(Truncate):
                return  # an echo never ends by itself
