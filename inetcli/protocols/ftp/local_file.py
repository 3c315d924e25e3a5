"""The local side of a download: the destination, and the bytes that are present, over all attempts.

A later attempt, by `--retries` or by another run with `--resume`, continues where the last one ended. Size and
modification time must show that the remote file is the same. Because a server may report them wrongly, the last bytes
that are present are also fetched again and compared.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from inetcli.destination import Destination, open_destination, open_in_folder
from inetcli.errors import LocalWrite, read_error
from inetcli.net.session import Session
from inetcli.partial import PartFile, open_partial, open_partial_in_folder
from inetcli.protocols.ftp.model import DownloadOptions, Remote
from inetcli.protocols.ftp.wire import encode_time

OVERLAP = 64 << 10
"""The number of bytes that are fetched again and compared before a transfer is resumed."""

FIFO_PAUSE_S = 0.05
"""The pause between two checks whether a program reads the FIFO that is the destination, in seconds."""


@dataclass(frozen=True, slots=True)
class LocalPath:
    """The destination of a download: a name, possibly with folders in front of it.

    `folder`: the folder to save into; None = `names` is the complete path. `descriptor`: that of standard output.
    """

    names: tuple[str, ...]
    folder: str | None = None
    descriptor: int | None = None

    @property
    def path(self) -> str:
        """The path of the local file; "-" is standard output."""
        if self.descriptor is not None:
            return "-"
        return os.path.join(*self.names) if self.folder is None else os.path.join(self.folder, *self.names)

    def open(self, options: DownloadOptions, pause: Callable[[], None]) -> Destination:
        """Open the file, which does not have its final name yet. `FileExists`, `LocalWrite`."""
        if self.descriptor is not None:
            return _StandardOutput("standard output", self.descriptor)
        if options.resume:
            if self.folder is None:
                return open_partial(self.path, force=options.force)
            return open_partial_in_folder(self.folder, self.names, force=options.force)
        if self.folder is None:
            return open_destination(self.path, force=options.force, pause=pause)
        return open_in_folder(self.folder, self.names, force=options.force)


class _StandardOutput(Destination):
    """A destination that the caller closes. No commit is needed, because a reader may already have the bytes."""

    def commit(self) -> None:
        """No-op: the bytes are already written."""

    def close(self) -> None:
        """No-op: the caller owns the descriptor."""

    def __exit__(self, *_: object) -> None:
        """No-op: standard output cannot be rolled back."""


class LocalFile:
    """The local file of a download over all attempts: how many bytes are present, and to which remote file they belong.

    `remote_identity` distinguishes remote files with the same name: host, port, user and path. `listed` is the
    modification time of a listing, for servers without MDTM.
    """

    def __init__(
        self,
        local_path: LocalPath,
        destination: Destination,
        remote_identity: Mapping[str, object],
        listed: datetime | None = None,
    ) -> None:
        self.local_path = local_path
        self.destination = destination
        self._listed = listed
        self.size_present = 0
        self.remote = Remote(None, None)
        self._remote_identity = remote_identity
        self._present_identity: Mapping[str, object] = {}
        self._from_earlier_run = False
        if isinstance(destination, PartFile):
            self.size_present, self._present_identity = destination.size_present, destination.read_record()
            self._from_earlier_run = True

    def begin(self, remote: Remote, *, text: bool) -> str | None:
        """Prepare for the transfer of a remote file: keep the bytes that are present, or discard them.

        Returns a note with the reason why they are discarded; None = they are kept, or there are too few to resume.
        """
        if self.destination.discards_on_failure:
            self.size_present = os.lseek(self.destination.fd, 0, os.SEEK_CUR)
        time = encode_time(remote.modified) if remote.modified else None
        identity = {**self._remote_identity, "size": remote.size, "time": time}
        reason = None
        if self.size_present > OVERLAP and not text:
            if self._present_identity != identity:
                reason = "the remote file has changed since the last attempt: starting over"
            elif remote.modified is None and self._from_earlier_run:
                reason = "the server sends no modification time, so the remote file may have changed: starting over"
            elif remote.size is None or self.size_present > remote.size:
                reason = "the local part cannot be the beginning of the remote file: starting over"
        if reason or text or self.size_present <= OVERLAP:
            self.start_over()
        if isinstance(self.destination, PartFile) and self._present_identity != identity:
            self.destination.write_record(identity)
        self.remote, self._present_identity, self._from_earlier_run = remote, identity, False
        return reason

    def start_over(self) -> None:
        """Discard the bytes that are present."""
        if self.size_present:
            self.destination.restart()
        self.size_present = 0

    def read_tail(self) -> bytes:
        """Return the last bytes that are present, for the comparison; empty if there are none."""
        return self.read(max(0, self.size_present - OVERLAP), min(self.size_present, OVERLAP))

    def read(self, offset: int, size: int) -> bytes:
        """Return some of the bytes that are present. `LocalRead`."""
        if not size:
            return b""  # also for a destination that cannot be read, such as a pipe
        try:
            return os.pread(self.destination.fd, size, offset)
        except OSError as error:
            raise read_error(self.destination.path, error) from error

    def check_space(self) -> None:
        """Check that the disk has space for the rest of the file. `LocalWrite`.

        The disk may still become full during the transfer.
        """
        if self.remote.size is not None and self.destination.discards_on_failure:
            filesystem = os.fstatvfs(self.destination.fd)
            free, needed = filesystem.f_bavail * filesystem.f_frsize, self.remote.size - self.size_present
            if needed > free:
                raise LocalWrite(f"{self.destination.path}: {needed} bytes are needed, {free} are free on the disk")

    def finish(self) -> None:
        """Set the modification time of the file and give it its name. `LocalWrite`, `FileExists`."""
        if modified := self.remote.modified or self._listed:
            self.destination.set_mtime(modified.timestamp())
        self.destination.commit()


def open_local(
    local_path: LocalPath,
    options: DownloadOptions,
    remote_identity: Mapping[str, object],
    session: Session,
    listed: datetime | None = None,
) -> LocalFile:
    """Open the local file, with the part that an earlier run left. `FileExists`, `LocalWrite`."""
    return LocalFile(local_path, local_path.open(options, _fifo_pause(session)), remote_identity, listed)


def _fifo_pause(session: Session) -> Callable[[], None]:
    """Make the pause for a FIFO that no program reads yet.

    Each pause is short, and all together last at most the silence limit.
    """
    seconds = session.timeouts.silence_s
    limit = session.deadline.within(seconds, f"timed out: no program read the FIFO for {seconds:g} s (--timeout)")

    def pause() -> None:
        session.pause(FIFO_PAUSE_S)
        if limit.passed:
            raise limit.timeout_error()

    return pause
