"""Fixtures for the tests of FTP transfers: a download and an upload as a command makes them, without the command."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest
from support.cutting import session_for

from inetcli.errors import InetError
from inetcli.net.progress import NO_PROGRESS
from inetcli.net.session import Session
from inetcli.net.trust import TlsMode
from inetcli.payload import open_payload
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeers, ftp_peers
from inetcli.protocols.ftp.local_file import LocalFile, LocalPath, open_local
from inetcli.protocols.ftp.model import Download, DownloadOptions, Upload, UploadOptions
from inetcli.protocols.ftp.server_state import ServerKey


@dataclass
class Client:
    """The operations of one command on one server. `notes` are those of all its targets.

    The connections are closed at the end of its `with`, or of the test.
    """

    servers: FtpPeers
    server_key: ServerKey
    make_session: Callable[[], Session]
    sessions: list[Session] = field(default_factory=list)
    left: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.left:
            self.left = True
            self.servers.__exit__()

    @property
    def notes(self) -> list[str]:
        return [note for session in self.sessions for note in session.attempt.notes]

    def ftp(self) -> Ftp:
        """Make the client for the next target."""
        self.sessions.append(self.make_session())
        return Ftp(self.sessions[-1], self.servers[self.server_key])

    @contextlib.contextmanager
    def local(self, folder: Path, name: str, options: DownloadOptions) -> Iterator[LocalFile]:
        """Open the local file, over all attempts of a target."""
        identity = {"host": self.server_key.host, "path": name}
        local = open_local(LocalPath((name,), str(folder)), options, identity, self.make_session())
        with local.destination:
            yield local

    def get(self, path: str, folder: Path, *, tries: int = 1, **options: object) -> Download:
        """Download a file; every attempt but the last must fail with an `InetError`."""
        wanted = DownloadOptions(**options)  # type: ignore[arg-type]
        with self.local(folder, path.rpartition("/")[2], wanted) as local:
            for _ in range(tries - 1):
                with contextlib.suppress(InetError):
                    self.ftp().get(path, local, wanted, NO_PROGRESS)
                    pytest.fail("the first try was to fail")
            return self.ftp().get(path, local, wanted, NO_PROGRESS)

    def put(self, source: Path, path: str, **options: object) -> Upload:
        """Upload a file."""
        with open_payload(str(source)) as payload:
            return self.ftp().put(payload, path, UploadOptions(**options), NO_PROGRESS)  # type: ignore[arg-type]


@pytest.fixture
def client() -> Iterator[Callable[..., Client]]:
    """Make clients of a server: `client(server)`, with the limits of its sessions and the fields of its `ServerKey`."""
    with contextlib.ExitStack() as stack:

        def make(server, *, places: int = 1, limits: dict[str, float] | None = None, **options: object) -> Client:
            scheme = getattr(server, "url", "ftp:").partition(":")[0]
            security = {"ftp": TlsMode.OFF, "ftpes": TlsMode.EXPLICIT, "ftps": TlsMode.IMPLICIT}[scheme]
            trusted = server if hasattr(server, "ca_file") else None
            return stack.enter_context(
                Client(
                    ftp_peers(places),
                    ServerKey("127.0.0.1", server.port, security, **options),  # type: ignore[arg-type]
                    lambda: session_for(trusted, **(limits or {})),
                )
            )

        yield make
