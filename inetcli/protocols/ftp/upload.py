"""One upload, which is never seen half.

    TYPE I, SIZE where it is needed, EPSV      at once
    STOR .NAME.random -> 226                   `store`
    SIZE or HASH of it, MFMT                   is it all there; its time
    RNFR .NAME.random -> 350, RNTO NAME -> 250

Where the server refuses the temporary name, or to rename it, the file is sent under its own name, with a note: an
anonymous drop box allows neither. A source that cannot be read again (a pipe) is an error then.

To be taken up by another run (`--resume`) the temporary has a name that is found again, and only for the same local
file: `.NAME.MARK.part`, where MARK is made of that file's size and time. Its last 64 KiB are fetched and compared
before more is sent behind them. `--append` sends to the end of the file itself.
"""

import hashlib
import os
import secrets
from contextlib import closing
from dataclasses import replace

from inetcli.errors import Incomplete, InetError, LocalRead, NoResume, UploadRefused
from inetcli.net.copy import SendSource
from inetcli.net.progress import Progress
from inetcli.net.wait import Cancelled
from inetcli.payload import Payload
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.data import data_connector
from inetcli.protocols.ftp.directories import make_folders
from inetcli.protocols.ftp.errors import upload_error
from inetcli.protocols.ftp.hashes import Digests, choose_hash, compare_hash
from inetcli.protocols.ftp.local_file import OVERLAP
from inetcli.protocols.ftp.model import HASHES, Upload, UploadOptions
from inetcli.protocols.ftp.store import store
from inetcli.protocols.ftp.transfer import retrieve_tail
from inetcli.protocols.ftp.wire import Command, encode_time, parse_size, seconds_to_time
from inetcli.wire.netascii import ToNetAscii
from inetcli.wire.replies import Reply

MAX_NAME = 255
"""Bytes of a name on the server: NAME_MAX of every file system in common use."""

CLEAN_UP_S = 2.0
"""How long, beyond every limit, the server may take to end a transfer that was given up and remove what came of it."""

NAME_REFUSALS = (501, 550, 553)
"""The replies to a name that the server does not like."""


class _NameRefused(Exception):
    """The server does not take the temporary name, or does not let it be changed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def upload(control: Control, payload: Payload, path: str, options: UploadOptions, progress: Progress) -> Upload:
    """Send a file. The remote one is replaced, as by cp.

    Errors: those of `store`, `NoResume`, `Denied`.
    """
    begun = control.session.trace.elapsed()
    folder, slash, name = path.rpartition("/")
    if options.mkdirs and folder:
        make_folders(control, folder)
    pending = _PendingUpload(control, payload, options, progress)
    if options.in_place:
        pending.send(path)
    else:
        temporary = folder + slash + temporary_name(name, payload if options.resume else None)
        try:
            pending.send(temporary)
            pending.rename(temporary, path)
        except _NameRefused as refused:
            pending.send_in_place(temporary, path, refused.reply)
    return Upload(
        path=path,
        bytes=pending.sent,
        verified=pending.verified,
        seconds=control.session.trace.elapsed() - begun,
    )


class _PendingUpload:
    """One file on its way, maybe a second time under another name."""

    def __init__(self, control: Control, payload: Payload, options: UploadOptions, progress: Progress) -> None:
        self._control = control
        self._payload = payload
        self._options = options
        self._progress = progress
        self._start = os.lseek(payload.fd, 0, os.SEEK_CUR) if payload.size is not None else 0
        self._hash = choose_hash(control) if options.verify else None
        self.sent = 0
        """Bytes of the file that are on the server, those of an earlier run included."""
        self.verified: str | None = None
        self._begun = False
        """There may be something at the path that is being sent to."""
        self._note: str | None = None
        """A note for as soon as the server takes the bytes."""

    def send(self, path: str) -> None:
        """Send the bytes to `path`, and check that they are all there. A temporary that is no good is removed."""
        there = self._prepare(path)
        skip = self._right(path, there) if self._options.resume else 0
        digests = Digests([HASHES[self._hash]] if self._hash else [])
        digests.catch_up(self._read, skip)
        if skip:
            os.lseek(self._payload.fd, self._start + skip, os.SEEK_SET)
        self.sent = 0
        try:
            self.sent = skip + self._store(path, append=self._options.append or skip > 0, skip=skip, digests=digests)
            self._check(path, self.sent + (there if self._options.append else 0), digests)
        except _NameRefused:
            raise
        except BaseException:
            if self._begun:
                self._clean_up(path, keep=self._options.resume)
            raise

    def rename(self, temporary: str, path: str) -> None:
        """Give the file its name, in place of what had it. `_NameRefused` when the server does not let us."""
        try:
            reply = self._control.ask("RNFR", temporary)
            if reply.code == 350:
                reply = self._control.ask("RNTO", path)
        except BaseException:
            self._clean_up(temporary, keep=self._options.resume)
            raise
        if reply.first != 2:
            self._clean_up(temporary, keep=False)
            raise _NameRefused(reply)

    def send_in_place(self, temporary: str, path: str, reply: Reply) -> None:
        """Send the file once more, under its own name, because of this reply. `UploadRefused` when the file cannot be
        read again."""
        if self._payload.size is not None:
            os.lseek(self._payload.fd, self._start, os.SEEK_SET)
        elif self.sent:
            why = f'{path}: {temporary} cannot be renamed, nor what came be sent again: "{reply}"'
            raise UploadRefused.from_reply(f"{why} (--direct)", reply, quoted=False)
        self._options = replace(self._options, direct=True, resume=False)
        self._note = f'{temporary}: refused ("{reply}"); sent under its own name, seen while it grew'
        self.send(path)

    def _prepare(self, path: str) -> int:
        """Set the type; return how many bytes the remote file has, where that matters."""
        counts = (self._options.append or self._options.resume) and not self._options.text
        sizes = [Command("SIZE", path)] if counts else []
        replies = self._control.ask_in_type("A" if self._options.text else "I", sizes)
        return (parse_size(replies["SIZE"]) or 0) if sizes else 0

    def _right(self, path: str, there: int) -> int:
        """Return how many bytes are there already and are the file's; 0 = send all. `NoResume` where there is no going
        back in what is read."""
        if self._payload.size is None:
            raise NoResume(f"{self._payload.path}: --resume needs a file that can be read from where it was left")
        if not OVERLAP < there <= self._payload.size:
            return 0
        if retrieve_tail(self._control, path, there - OVERLAP, OVERLAP) != self._read(there - OVERLAP, OVERLAP):
            self._control.session.note("what is there is not the beginning of this file: starting over")
            return 0
        return there

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._payload.fd, size, self._start + offset)
        except OSError as error:
            raise LocalRead(f"{self._payload.path}: cannot be read: {error.strerror}") from error

    def _store(self, path: str, *, append: bool, skip: int, digests: Digests) -> int:
        """STOR or APPE. From here on another try would send everything twice."""
        control = self._control
        with closing(data_connector(control)) as connector:
            (reply,) = control.ask_all([connector.command])
            self._begun = True
            opened = connector.begin_transfer(Command("APPE" if append else "STOR", path), reply)
        if isinstance(opened, Reply):
            self._begun = False
            if not self._options.in_place and opened.code in NAME_REFUSALS:
                raise _NameRefused(opened)
            raise upload_error(f"{path}: not taken", opened)
        control.session.attempt.forbid_retry("upload begun")
        if self._note:
            control.session.note(self._note)
        self._progress.expect(self._payload.size)
        self._progress.advance(skip)
        source = SendSource(
            descriptor=self._payload.fd,
            name=self._payload.path,
            waits=self._payload.size is None,
            progress=self._progress,
            observer=digests.observer,
            converter=ToNetAscii() if self._options.text else None,
            rate=self._options.rate,
        )
        return store(opened, path, source)

    def _check(self, path: str, wanted: int, digests: Digests) -> None:
        """Check size and hash of what is there now, and set its time. `Incomplete`."""
        commands = [] if self._options.text else [Command("SIZE", path)]
        if self._payload.modified is not None and not self._options.append:
            commands.append(Command("MFMT", f"{encode_time(seconds_to_time(self._payload.modified))} {path}"))
        replies = self._control.ask_all(commands)
        size = None if self._options.text else parse_size(replies[0])
        if size is not None and size != wanted:
            raise Incomplete(f"{path}: {wanted} bytes are to be there, the server has {size}")
        self.verified = None if size is None else "size"
        if self._hash:
            compare_hash(self._control, path, self._hash, digests[HASHES[self._hash]], wanted)
            self.verified = "hash"

    def _clean_up(self, temporary: str, *, keep: bool) -> None:
        """Remove a temporary that nobody will take up, if the server still listens, and does so soon."""
        if self._options.in_place or keep:
            return
        removed = False
        try:
            seconds = min(CLEAN_UP_S, self._control.session.timeouts.silence_s)
            reply = self._control.tidy_up(Command("DELE", temporary), seconds)
            removed = reply is not None and reply.first == 2
        except (InetError, Cancelled):
            pass
        if not removed:
            self._control.session.note(f"{temporary} may be left on the server")


def temporary_name(name: str, resumed: Payload | None) -> str:
    """Make a name that nothing else has, and that names the file it is the beginning of; found again to resume."""
    if resumed is None:
        mark, end = secrets.token_hex(4), ""
    else:
        mark, end = (
            hashlib.sha256(f"{name} {resumed.size} {resumed.modified}".encode("utf-8", "surrogateescape")).hexdigest()[
                :8
            ],
            ".part",
        )
    temporary = f".{name}.{mark}{end}"
    return temporary if len(temporary.encode("utf-8", "surrogateescape")) <= MAX_NAME else f".{mark}{end}"
