"""The local side of a download: where the file is to be, and the bytes of it that are here, over all tries.

A download that is tried again, by `--retries` or by another run with `--resume`, begins where the last one was cut.
Size and time show that the remote file is still the same one, and a server may tell them wrong; so do the bytes, where
it cannot: the last of those that are here are fetched again, and compared.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from inetcli.destination import Destination, open_destination, open_in_folder
from inetcli.errors import LocalRead, LocalWrite
from inetcli.net.session import Session
from inetcli.partial import PartFile, open_partial, open_partial_in_folder
from inetcli.protocols.ftp.model import DownloadOptions, Remote
from inetcli.protocols.ftp.wire import encode_time

OVERLAP = 64 << 10
"""Bytes that are fetched again, and compared, before a transfer is taken up behind them."""

FIFO_PAUSE_S = 0.05
"""How often to look whether somebody reads a FIFO that is the destination."""


@dataclass(frozen=True, slots=True)
class LocalPath:
    """Where the file is to be: a name, in a folder, maybe some folders down; `folder` None = where the name says;
    `descriptor` = standard output."""

    names: tuple[str, ...]
    folder: str | None = None
    descriptor: int | None = None

    @property
    def path(self) -> str:
        """The local file's path; "-" is standard output."""
        if self.descriptor is not None:
            return "-"
        return os.path.join(*self.names) if self.folder is None else os.path.join(self.folder, *self.names)

    def open(self, options: DownloadOptions, pause: Callable[[], None]) -> Destination:
        """Open the file, not yet under its name. `FileExists`, `LocalWrite`."""
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
    """A descriptor that the caller closes, with nothing to commit: its reader may have had all of it."""

    def commit(self) -> None:
        """No-op: the bytes are written."""

    def close(self) -> None:
        """No-op: the caller owns the descriptor."""

    def __exit__(self, *_: object) -> None:
        """No-op: standard output cannot be rolled back."""


class LocalFile:
    """The bytes that are here, over all tries: how many, and of which remote file they are the first.

    `whose` tells the file from others of the same name: host, port, user and path. `listed` is the time that a listing
    gave, for servers that tell no better one.
    """

    def __init__(
        self,
        local_path: LocalPath,
        destination: Destination,
        whose: Mapping[str, object],
        listed: datetime | None = None,
    ) -> None:
        self.local_path = local_path
        self.destination = destination
        self._listed = listed
        self.size_present = 0
        self.remote = Remote(None, None)
        self._whose = whose
        self._of: Mapping[str, object] = {}
        self._of_another_run = False
        if isinstance(destination, PartFile):
            self.size_present, self._of = destination.size_present, destination.read_record()
            self._of_another_run = True

    def begin(self, remote: Remote, *, text: bool) -> str | None:
        """Prepare for this remote file: keep the bytes that are here, or not; a note says why not."""
        if self.destination.discards_on_failure:
            self.size_present = os.lseek(self.destination.fd, 0, os.SEEK_CUR)
        of = {**self._whose, "size": remote.size, "time": encode_time(remote.modified) if remote.modified else None}
        why = None
        if self.size_present > OVERLAP and not text:
            if self._of != of:
                why = "the remote file is not the one that was begun: starting over"
            elif remote.modified is None and self._of_another_run:
                why = "the server tells no time, so the file may be another by now: starting over"
            elif remote.size is None or self.size_present > remote.size:
                why = "what is here cannot be the beginning of the remote file: starting over"
        if why or text or self.size_present <= OVERLAP:
            self.forget()
        if isinstance(self.destination, PartFile) and self._of != of:
            self.destination.write_record(of)
        self.remote, self._of, self._of_another_run = remote, of, False
        return why

    def forget(self) -> None:
        """Start over."""
        if self.size_present:
            self.destination.restart()
        self.size_present = 0

    def tail(self) -> bytes:
        """Return the last bytes that are here, to be compared; none when there are none."""
        return self.read(max(0, self.size_present - OVERLAP), min(self.size_present, OVERLAP))

    def read(self, offset: int, size: int) -> bytes:
        """Return some of the bytes that are here. `LocalRead`."""
        if not size:
            return b""  # also where there is no reading back, as in a pipe
        try:
            return os.pread(self.destination.fd, size, offset)
        except OSError as error:
            raise LocalRead(f"{self.destination.path}: cannot be read: {error.strerror}") from error

    def check_space(self) -> None:
        """Check that there is room for the rest. `LocalWrite`. A disk that fills up meanwhile is told later."""
        if self.remote.size is not None and self.destination.discards_on_failure:
            system = os.fstatvfs(self.destination.fd)
            free, wanted = system.f_bavail * system.f_frsize, self.remote.size - self.size_present
            if wanted > free:
                raise LocalWrite(f"{self.destination.path}: {wanted} bytes are to come, {free} are free on the disk")

    def finish(self) -> None:
        """Give the file its time, and its name. `LocalWrite`, `FileExists`."""
        if modified := self.remote.modified or self._listed:
            self.destination.set_mtime(modified.timestamp())
        self.destination.commit()


def open_local(
    local_path: LocalPath,
    options: DownloadOptions,
    whose: Mapping[str, object],
    session: Session,
    listed: datetime | None = None,
) -> LocalFile:
    """Open the local file, with what an earlier run has left of it. `FileExists`, `LocalWrite`."""
    return LocalFile(local_path, local_path.open(options, _fifo_pause(session)), whose, listed)


def _fifo_pause(session: Session) -> Callable[[], None]:
    """Make the pause for as long as nobody reads the FIFO that is the destination: short, and in all no longer than a
    silent peer is waited for."""
    seconds = session.timeouts.silence_s
    limit = session.deadline.within(seconds, f"timed out: nobody read the FIFO for {seconds:g} s (--timeout)")

    def pause() -> None:
        session.pause(FIFO_PAUSE_S)
        if limit.passed:
            raise limit.expired()

    return pause
