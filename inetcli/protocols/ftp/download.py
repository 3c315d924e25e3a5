"""One download: the remote file into its local place, from the first byte or from where an earlier try was cut.

    open the place, ask what there is to know
    if the first bytes are here, and the remote file is still the one that they are of:
        REST 64 KiB before their end, and compare those once more      else start over
    RETR, judge, HASH where it is asked for, the time of modification
    commit: the file has its name

A download that is tried again, by `--retries` or by another run with `--resume`, is told to begin somewhere: that it is
the same file is shown by size and time, which a server may tell wrong, and by the bytes, which it cannot.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from inetcli.destination import Destination, open_destination, open_in_folder
from inetcli.errors import LocalRead, LocalWrite, NoResume
from inetcli.net.session import Session
from inetcli.partial import PartFile, open_partial, open_partial_in_folder
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.hashes import Digests, choose_hash, compare_hash
from inetcli.protocols.ftp.model import HASHES, Download, Remote
from inetcli.protocols.ftp.transfer import ContentMismatch, Sink, TransferResult, final_reply, open_retrieval, retrieve
from inetcli.protocols.ftp.wire import encode_time
from inetcli.wire.netascii import FromNetAscii

OVERLAP = 64 << 10
"""Bytes that are fetched again, and compared, before a transfer is taken up behind them."""

FIFO_PAUSE_S = 0.05
"""How often to look whether somebody reads a FIFO that is the destination."""


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What the user wants of a download. `text`: TYPE A; `verify`: by the server's hash; `rate` in bytes per second."""

    force: bool = False
    resume: bool = False
    sha256: bool = False
    verify: bool = False
    text: bool = False
    max_size: int | None = None
    rate: int | None = None


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

    def open(self, wish: DownloadOptions, pause: Callable[[], None]) -> Destination:
        """The file, not yet under its name. `FileExists`, `LocalWrite`."""
        if self.descriptor is not None:
            return _StandardOutput("standard output", self.descriptor)
        if wish.resume:
            if self.folder is None:
                return open_partial(self.path, force=wish.force)
            return open_partial_in_folder(self.folder, self.names, force=wish.force)
        if self.folder is None:
            return open_destination(self.path, force=wish.force, pause=pause)
        return open_in_folder(self.folder, self.names, force=wish.force)


class _StandardOutput(Destination):
    """Somebody else's to close, and nothing to commit: who reads it may have had it all."""

    def commit(self) -> None:
        """It is out."""

    def close(self) -> None:
        """Not here."""

    def __exit__(self, *_: object) -> None:
        """Nothing to undo."""


class LocalFile:
    """The bytes that are here, over all tries: how many, and of which remote file they are the first.

    `whose` tells the file from others of the same name: host, port, user and path. `listed` is the time that a listing
    gave, for servers that tell no better one.
    """

    def __init__(self, destination: Destination, whose: Mapping[str, object], listed: datetime | None = None) -> None:
        self.destination = destination
        self._listed = listed
        self.have = 0
        self.remote = Remote(None, None)
        self._whose = whose
        self._of: Mapping[str, object] = {}
        self._of_another_run = False
        if isinstance(destination, PartFile):
            self.have, self._of = destination.have, destination.remembered()
            self._of_another_run = True

    def begin(self, remote: Remote, *, text: bool) -> str | None:
        """Be ready for this remote file: keep the bytes that are here, or not; a note says why not."""
        if self.destination.discards_on_failure:
            self.have = os.lseek(self.destination.fd, 0, os.SEEK_CUR)
        of = {**self._whose, "size": remote.size, "time": encode_time(remote.modified) if remote.modified else None}
        why = None
        if self.have > OVERLAP and not text:
            if self._of != of:
                why = "the remote file is not the one that was begun: starting over"
            elif remote.modified is None and self._of_another_run:
                why = "the server tells no time, so the file may be another by now: starting over"
            elif remote.size is None or self.have > remote.size:
                why = "what is here cannot be the beginning of the remote file: starting over"
        if why or text or self.have <= OVERLAP:
            self.forget()
        if isinstance(self.destination, PartFile) and self._of != of:
            self.destination.remember(of)
        self.remote, self._of, self._of_another_run = remote, of, False
        return why

    def forget(self) -> None:
        """Start over."""
        if self.have:
            self.destination.restart()
        self.have = 0

    def tail(self) -> bytes:
        """The last bytes that are here, to be compared; none when there are none."""
        return self.read(max(0, self.have - OVERLAP), min(self.have, OVERLAP))

    def read(self, offset: int, size: int) -> bytes:
        """Some of the bytes that are here. `LocalRead`."""
        if not size:
            return b""  # also where there is no reading back, as in a pipe
        try:
            return os.pread(self.destination.fd, size, offset)
        except OSError as error:
            raise LocalRead(f"{self.destination.path}: cannot be read: {error.strerror}") from error

    def check_space(self) -> None:
        """That there is room for the rest. `LocalWrite`. A disk that fills up meanwhile is told, too, but late."""
        if self.remote.size is not None and self.destination.discards_on_failure:
            system = os.fstatvfs(self.destination.fd)
            free, wanted = system.f_bavail * system.f_frsize, self.remote.size - self.have
            if wanted > free:
                raise LocalWrite(f"{self.destination.path}: {wanted} bytes are to come, {free} are free on the disk")

    def finish(self) -> None:
        """The file has its time, and its name. `LocalWrite`, `FileExists`."""
        if modified := self.remote.modified or self._listed:
            self.destination.set_mtime(modified.timestamp())
        self.destination.commit()


def open_local(
    place: LocalPath,
    wish: DownloadOptions,
    whose: Mapping[str, object],
    session: Session,
    listed: datetime | None = None,
) -> LocalFile:
    """The local file, with what an earlier run has left of it. `FileExists`, `LocalWrite`."""
    return LocalFile(place.open(wish, _fifo_pause(session)), whose, listed)


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who follows a transfer: `expect` is told the size, `progress` each number of bytes."""

    expect: Callable[[int | None], object]
    progress: Callable[[int], object]


def download(
    control: Control, path: str, place: LocalPath, local: LocalFile, wish: DownloadOptions, watcher: Watcher
) -> Download:
    """Fetch a file into `local`, and give it its name.

    Errors: those of `retrieve`, `LocalWrite`, `FileExists`; `local` may then be used for another try.
    """
    session = control.session
    begun = session.trace.elapsed()
    algorithm = choose_hash(control) if wish.verify else None
    try:
        try:
            done, resumed_from, digests = _fetch(control, path, local, wish, watcher, algorithm)
        except (ContentMismatch, NoResume) as trouble:
            if not control.usable:
                final_reply(control)  # that of the transfer which was given up: it answers nothing that is asked next
            changed = "what is here is not how the remote file begins"
            session.note(f"{trouble.message if isinstance(trouble, NoResume) else changed}: starting over")
            local.forget()
            done, resumed_from, digests = _fetch(control, path, local, wish, watcher, algorithm)
    except BrokenPipeError as error:
        if place.descriptor is not None:
            raise  # standard output's: it ends the program
        raise local.destination.failure(error) from error
    verified = None if done.size is None else "size"
    if algorithm:
        compare_hash(control, path, algorithm, digests[HASHES[algorithm]], done.bytes)
        verified = "hash"
    if done.note:
        session.note(done.note)
    local.finish()
    return Download(
        path=place.path,
        bytes=done.bytes,
        size=done.size,
        sha256=digests["sha256"] if wish.sha256 else None,
        resumed_from=resumed_from,
        seconds=session.trace.elapsed() - begun,
        verified=verified,
        final=done.final,
        tls=session.attempt.tls,
        data_resumed=done.data_resumed,
    )


def _fetch(
    control: Control, path: str, local: LocalFile, wish: DownloadOptions, watcher: Watcher, algorithm: str | None
) -> tuple[TransferResult, int | None, Digests]:
    """The transfer; also where it began, None = at the first byte."""
    opening = open_retrieval(control, path, text=wish.text)
    try:
        if note := local.begin(opening.remote, text=wish.text):
            control.session.note(note)
        local.check_space()
        digests = Digests({*([HASHES[algorithm]] if algorithm else ()), *(["sha256"] if wish.sha256 else ())})
        digests.catch_up(local.read, local.have)
        overlap = local.tail()
    except BaseException:
        opening.way.cancel()
        raise

    def for_good(size: int) -> None:
        if size:
            control.session.attempt.forbid_retry("bytes have been written where they cannot be taken back")
        watcher.progress(size)

    sink = Sink(
        descriptor=local.destination.fd,
        name=local.destination.path,
        progress=watcher.progress if local.destination.discards_on_failure else for_good,
        look=digests.look,
        converter=FromNetAscii() if wish.text else None,
        rate=wish.rate,
        max_size=wish.max_size,
    )
    offset = local.have - len(overlap)
    begun = local.have or None
    done = retrieve(control, path, opening, sink, expect=watcher.expect, offset=offset, overlap=overlap)
    return done, begun, digests


def _fifo_pause(session: Session) -> Callable[[], None]:
    """What to do while nobody reads the FIFO that is the destination: wait a little, and no longer than a silent peer
    is waited for."""
    seconds = session.timeouts.silence_s
    limit = session.deadline.within(seconds, f"timed out: nobody read the FIFO for {seconds:g} s (--timeout)")

    def pause() -> None:
        session.pause(FIFO_PAUSE_S)
        if limit.passed:
            raise limit.expired()

    return pause
