"""One download, from login to the file in its place:

open the control connection, log in
retrieve into a destination without a name, judge
commit: the file has its name
QUIT
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass

from inetcli.files import Destination, open_destination, open_in_folder
from inetcli.net.credentials import Credentials
from inetcli.net.session import Session
from inetcli.protocols.ftp.control import Control, open_control
from inetcli.protocols.ftp.model import Download, Security
from inetcli.protocols.ftp.transfer import Retrieved, retrieve

FIFO_PAUSE_S = 0.05
"""How often to look whether somebody reads a FIFO that is the destination."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file is, and how to get at it. `path` as the server takes it."""

    host: str
    port: int
    path: str
    security: Security
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do with it: the local file's name, in the folder if there is one; "-" where it is standard output."""

    name: str
    folder: str | None = None
    force: bool = False
    sha256: bool = False

    @property
    def path(self) -> str:
        """The local file's path."""
        return self.name if self.folder is None else os.path.join(self.folder, self.name)

    def destination(self, pause: Callable[[], None]) -> Destination:
        """The file, not yet under its name. `FileExists`, `LocalWrite`."""
        if self.folder is None:
            return open_destination(self.name, force=self.force, pause=pause)
        return open_in_folder(self.folder, [self.name], force=self.force)


def download(
    session: Session,
    source: Source,
    wish: Wish,
    *,
    stdout: int | None,
    progress: Callable[[int], object],
    expect: Callable[[int | None], object],
) -> Download:
    """Fetch a file. `stdout` is the descriptor of standard output, None: into the local file.

    Errors: those of `open_control` and `retrieve`, `FileExists` and `LocalWrite` of the destination; then nothing is
    left of it.
    """
    digest = hashlib.sha256() if wish.sha256 else None
    started = session.trace.elapsed()

    def for_good(size: int) -> None:
        session.trace.committed = True  # a second try would write them twice
        progress(size)

    def fetch(control: Control, descriptor: int, name: str, *, undoes: bool) -> Retrieved:
        look = digest.update if digest else None
        count = progress if undoes else for_good
        return retrieve(control, source.path, descriptor, name, progress=count, expect=expect, look=look)

    # The destination comes first: a file that may not be replaced is known before anything is sent.
    if stdout is not None:
        control = _open(session, source)
        try:
            done = fetch(control, stdout, "standard output", undoes=False)
        finally:
            _leave(session, control)
    else:
        with wish.destination(_fifo_pause(session)) as destination:
            control = _open(session, source)
            try:
                done = fetch(control, destination.fd, destination.path, undoes=destination.undoes)
                destination.commit()
            finally:
                _leave(session, control)
    if done.note:
        session.note(done.note)
    facts = getattr(control.stream, "facts", None)
    return Download(
        path=wish.path,
        bytes=done.bytes,
        size=done.size,
        sha256=digest.hexdigest() if digest else None,
        seconds=session.trace.elapsed() - started,
        verified=None if done.size is None else "size",
        final=done.final,
        tls=facts.summary() if facts else None,
        data_resumed=done.data_resumed,
    )


def _fifo_pause(session: Session) -> Callable[[], None]:
    """What to do while nobody reads the FIFO that is the destination: wait a little, and no longer than a silent peer
    is waited for."""
    seconds = session.limits.silence_s
    limit = session.deadline.within(seconds, f"timed out: nobody read the FIFO for {seconds:g} s (--timeout)")

    def pause() -> None:
        session.pause(FIFO_PAUSE_S)
        if limit.passed:
            raise limit.expired()

    return pause


def _open(session: Session, source: Source) -> Control:
    return open_control(session, source.host, source.port, source.security, source.credentials)


def _leave(session: Session, control: Control) -> None:
    session.trace.settle()
    control.leave()
