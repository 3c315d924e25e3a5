"""FTP as its commands have it, on a server whose connections are shared.

    get      SIZE, MDTM, REST, RETR          -> `download`
    list     MLSD, else LIST, else NLST      -> `directory`
    put      STOR or APPE, SIZE              -> `upload`
    MKD, CWD                                 -> `directories`
    RNFR RNTO, DELE, RMD, PWD                here

A path is what the server takes: relative to the folder of the login, or absolute with a slash in front.
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
from inetcli.protocols.ftp.directories import folder_is_there, make_folder, make_folders
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
    """One target's dealings with a server."""

    session: Session
    peer: FtpPeer

    def get(self, path: str, local: LocalFile, options: DownloadOptions, progress: Progress) -> Download:
        """Fetch a file; see `download`."""
        return self._use(path, lambda control: download(control, path, local, options, progress))

    def put(self, payload: Payload, path: str, options: UploadOptions, progress: Progress) -> Upload:
        """Send a file; see `upload`."""
        return self._use(path, lambda control: upload(control, payload, path, options, progress))

    def list(self, path: str) -> Contents:
        """List what is in a folder, or the one entry of a file. `NotFound`, `Denied`, `Incomplete`, `TooLarge`."""
        return self._use(path, lambda control: list_folder(control, path))

    def move(self, path: str, to: str) -> None:
        """Rename a file or a folder: RNFR and RNTO. `NotFound`, `Denied`, `Refused`."""

        def rename(control: Control) -> None:
            control.agree_on_names(to)
            expect_reply(control.ask("RNFR", path), 350, lambda reply: path_error(f"{path}: cannot be moved", reply))
            expect_reply(control.ask("RNTO", to), 2, lambda reply: name_error(f"{to}: cannot be moved there", reply))

        self._use(path, rename)

    def remove(self, path: str) -> None:
        """Remove one file: DELE. `NotFound`, `Denied`, `Refused`."""
        self._do(path, "DELE", lambda reply: path_error(f"{path}: not removed", reply))

    def remove_folder(self, path: str) -> None:
        """Remove one folder, which must be empty: RMD. `NotFound`, `Denied`, `Refused`."""
        self._do(path, "RMD", lambda reply: path_error(f"{path}: not removed", reply))

    def make_folder(self, path: str, *, parents: bool = False) -> None:
        """Make one folder: MKD. With `parents` those above it, too, and any may be there. `Denied`, `Refused`."""
        self._use(path, lambda control: (make_folders if parents else make_folder)(control, path))

    def working_folder(self) -> str:
        """Return the folder that a login begins in: PWD. `Refused`, `ProtocolViolation`."""
        return self._use("", lambda control: control.home())

    def modified(self, path: str) -> datetime | None:
        """Return when a file was modified: MDTM; None = the server does not say."""
        return self._use(path, lambda control: parse_mdtm(control.ask("MDTM", path)))

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder that can be entered: CWD. `Refused`, `ProtocolViolation`."""
        return self._use(path, lambda control: folder_is_there(control, path))

    def _do(self, path: str, verb: str, error: Callable[[Reply], InetError]) -> None:
        self._use(path, lambda control: expect_reply(control.ask(verb, path), 2, error))

    def _use(self, path: str, work: Callable[[Control], T]) -> T:
        def agreed(control: Control) -> T:
            control.agree_on_names(path)
            return work(control)

        return self.peer.use(self.session, agreed)
