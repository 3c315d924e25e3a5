"""The FTP servers of other people, each in clear text and with both versions of TLS."""

from collections.abc import Iterator

import pytest
from support.ftpservers import KINDS, FtpPeer, Wanted, ftp_server

EVERY_WAY = [(kind, tls) for kind in KINDS for tls in (None, "TLSv1.2", "TLSv1.3")]


@pytest.fixture(params=EVERY_WAY, ids=lambda way: "-".join(filter(None, way)))
def ftp_peer(request: pytest.FixtureRequest) -> Iterator[FtpPeer]:
    """A running server."""
    kind, tls = request.param
    with ftp_server(Wanted(kind, tls)) as peer:
        yield peer


@pytest.fixture(params=KINDS)
def plain_ftp_peer(request: pytest.FixtureRequest) -> Iterator[FtpPeer]:
    """A running server, in clear text: for what TLS has no part in."""
    with ftp_server(Wanted(request.param)) as peer:
        yield peer
