"""The FTP client: one method for each operation of a command, on a server whose connections are shared.

    get      SIZE, MDTM, REST, RETR          -> `download`
    list     MLSD, else LIST, else NLST      -> `directory`
    put      STOR or APPE, SIZE              -> `upload`
    MKD, CWD                                 -> `directories`
    RNFR RNTO, DELE, RMD, PWD                in this module

A path is sent to the server unchanged: relative to the login folder, or absolute with a slash in front.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from inetcli.errors import InetError
from inetcli.net.progress import Progress
from inetcli.net.session import Session
from inetcli.payload import Payload
from inetcli.protocols.ftp.connect import FtpPeer
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.directories import folder_exists, make_folder, make_folders
from inetcli.protocols.ftp.directory import Contents, list_folder
from inetcli.protocols.ftp.download import download
from inetcli.protocols.ftp.errors import expect_reply, name_error, path_error
from inetcli.protocols.ftp.local_file import LocalFile
from inetcli.protocols.ftp.model import Download, DownloadOptions, Upload, UploadOptions
from inetcli.protocols.ftp.upload import upload
from inetcli.protocols.ftp.wire import parse_mdtm
from inetcli.wire.replies import Reply

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ftp:
    """The operations of one target on a server."""

    session: Session
    peer: FtpPeer

    def get(self, path: str, local: LocalFile, options: DownloadOptions, progress: Progress) -> Download:
        """Download a file; see `download`."""
        return self._run(path, lambda control: download(control, path, local, options, progress))

    def put(self, payload: Payload, path: str, options: UploadOptions, progress: Progress) -> Upload:
        """Upload a file; see `upload`."""
        return self._run(path, lambda control: upload(control, payload, path, options, progress))

    def list(self, path: str) -> Contents:
        """List the entries of a folder, or the one entry of a file. `NotFound`, `Denied`, `Incomplete`, `TooLarge`."""
        return self._run(path, lambda control: list_folder(control, path))

    def move(self, path: str, to: str) -> None:
        """Rename or move a file or a folder: RNFR and RNTO. `NotFound`, `Denied`, `Refused`."""

        def rename(control: Control) -> None:
            control.negotiate_utf8(to)
            expect_reply(control.ask("RNFR", path), 350, lambda reply: path_error(f"{path}: cannot be moved", reply))
            expect_reply(control.ask("RNTO", to), 2, lambda reply: name_error(f"{to}: refused as new name", reply))

        self._run(path, rename)

    def remove(self, path: str) -> None:
        """Remove one file: DELE. `NotFound`, `Denied`, `Refused`."""
        self._run_command(path, "DELE", lambda reply: path_error(f"{path}: cannot be removed", reply))

    def remove_folder(self, path: str) -> None:
        """Remove one folder, which must be empty: RMD. `NotFound`, `Denied`, `Refused`."""
        self._run_command(path, "RMD", lambda reply: path_error(f"{path}: cannot be removed", reply))

    def make_folder(self, path: str, *, parents: bool = False) -> None:
        """Make one folder: MKD. `Denied`, `Refused`.

        With `parents`, missing folders above it are made, too, and an existing folder is no error.
        """
        self._run(path, lambda control: (make_folders if parents else make_folder)(control, path))

    def working_folder(self) -> str:
        """Return the login folder: PWD. `Refused`, `ProtocolViolation`."""
        return self._run("", lambda control: control.login_folder())

    def modified(self, path: str) -> datetime | None:
        """Return the modification time of a file: MDTM; None = the server does not send it."""
        return self._run(path, lambda control: parse_mdtm(control.ask("MDTM", path)))

    def is_folder(self, path: str) -> bool:
        """Return whether a path is a folder that CWD can enter. `Refused`, `ProtocolViolation`."""
        return self._run(path, lambda control: folder_exists(control, path))

    def _run_command(self, path: str, verb: str, error: Callable[[Reply], InetError]) -> None:
        self._run(path, lambda control: expect_reply(control.ask(verb, path), 2, error))

    def _run(self, path: str, work: Callable[[Control], T]) -> T:
        def prepared(control: Control) -> T:
            control.negotiate_utf8(path)
            return work(control)

        return self.peer.use(self.session, prepared)
