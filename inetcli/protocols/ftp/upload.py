"""One upload. The file gets its final name only after it is complete and checked.

    TYPE I, SIZE if needed, EPSV               in one write
    STOR .NAME.random -> 226                   `store`
    SIZE or HASH of it, MFMT                   check the upload, and set the modification time
    RNFR .NAME.random -> 350, RNTO NAME -> 250

If the server refuses the temporary name or the renaming, as an anonymous drop box does, the file is sent under its
final name, with a note. This is an error for a source that cannot be read again (a pipe).

With `--resume` another run must find the temporary name again, and only for the same local file. Therefore the name is
`.NAME.MARK.part`, where MARK is a hash of the name and of that file's size and modification time. The last 64 KiB of
the remote part are fetched and compared before the rest is sent. `--append` sends to the end of the remote file.
"""

import hashlib
import os
import secrets
from contextlib import closing
from dataclasses import replace

from inetcli.errors import Incomplete, InetError, NoResume, UploadRefused, read_error
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
"""The longest name on the server in bytes: NAME_MAX of every file system in common use."""

CLEAN_UP_S = 2.0
"""The time in seconds to end an abandoned transfer and remove its file on the server, independent of every limit."""

NAME_REFUSALS = (501, 550, 553)
"""The replies of a server that does not allow a file name."""


class _NameRefused(Exception):
    """The refusal of the temporary name, or of its renaming."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def upload(control: Control, payload: Payload, path: str, options: UploadOptions, progress: Progress) -> Upload:
    """Upload a file. An existing remote file is replaced, as with cp.

    Errors: those of `store`, `NoResume`, `Denied`.
    """
    start_s = control.session.trace.elapsed()
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
        seconds=control.session.trace.elapsed() - start_s,
    )


class _PendingUpload:
    """The upload of one file, which may send it a second time under the final name."""

    def __init__(self, control: Control, payload: Payload, options: UploadOptions, progress: Progress) -> None:
        self._control = control
        self._payload = payload
        self._options = options
        self._progress = progress
        self._start = os.lseek(payload.fd, 0, os.SEEK_CUR) if payload.size is not None else 0
        self._hash = choose_hash(control) if options.verify else None
        self.sent = 0
        """The number of bytes of the file on the server, including those of an earlier run."""
        self.verified: str | None = None
        self._remote_file_possible = False
        """Whether a file may exist at the path of the upload."""
        self._note: str | None = None
        """A note to add when the server accepts the upload."""

    def send(self, path: str) -> None:
        """Send the bytes to `path` and check the result. After an error, a useless temporary file is removed."""
        remote_size = self._prepare(path)
        skip = self._resumable_size(path, remote_size) if self._options.resume else 0
        digests = Digests([HASHES[self._hash]] if self._hash else [])
        digests.hash_prefix(self._read, skip)
        if skip:
            os.lseek(self._payload.fd, self._start + skip, os.SEEK_SET)
        self.sent = 0
        try:
            self.sent = skip + self._store(path, append=self._options.append or skip > 0, skip=skip, digests=digests)
            self._check(path, self.sent + (remote_size if self._options.append else 0), digests)
        except _NameRefused:
            raise
        except BaseException as error:
            if self._remote_file_possible:
                self._clean_up(path, keep=self._options.resume, cause=error)
            raise

    def rename(self, temporary: str, path: str) -> None:
        """Rename the temporary file and replace an existing file. `_NameRefused` if the server refuses."""
        try:
            reply = self._control.ask("RNFR", temporary)
            if reply.code == 350:
                reply = self._control.ask("RNTO", path)
        except BaseException as error:
            self._clean_up(temporary, keep=self._options.resume, cause=error)
            raise
        if reply.first != 2:
            self._clean_up(temporary, keep=False)
            raise _NameRefused(reply)

    def send_in_place(self, temporary: str, path: str, reply: Reply) -> None:
        """Send the file again under its final name, after the refusal in `reply`.

        Errors: `UploadRefused` if the file cannot be read again.
        """
        if self._payload.size is not None:
            os.lseek(self._payload.fd, self._start, os.SEEK_SET)
        elif self.sent:
            message = f'{path}: {temporary} cannot be renamed, and the bytes of a pipe cannot be sent again: "{reply}"'
            raise UploadRefused.from_reply(f"{message} (--direct)", reply, quoted=False)
        self._options = replace(self._options, direct=True, resume=False)
        self._note = f'{temporary}: refused ("{reply}"); sending under the final name, visible while incomplete'
        self.send(path)

    def _prepare(self, path: str) -> int:
        """Set the type; return the size of the remote file if the upload appends or resumes, else 0."""
        needs_size = (self._options.append or self._options.resume) and not self._options.text
        sizes = [Command("SIZE", path)] if needs_size else []
        replies = self._control.ask_in_type("A" if self._options.text else "I", sizes)
        return (parse_size(replies["SIZE"]) or 0) if sizes else 0

    def _resumable_size(self, path: str, remote_size: int) -> int:
        """Return the number of remote bytes that are the beginning of this file; 0 = send everything.

        Errors: `NoResume` if the source cannot be read from another position.
        """
        if self._payload.size is None:
            raise NoResume(f"{self._payload.path}: --resume needs a file that can be read from any position")
        if not OVERLAP < remote_size <= self._payload.size:
            return 0
        offset = remote_size - OVERLAP
        if retrieve_tail(self._control, path, offset, OVERLAP) != self._read(offset, OVERLAP):
            self._control.session.note("the remote part is not the beginning of this file: starting over")
            return 0
        return remote_size

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._payload.fd, size, self._start + offset)
        except OSError as error:
            raise read_error(self._payload.path, error) from error

    def _store(self, path: str, *, append: bool, skip: int, digests: Digests) -> int:
        """Send STOR or APPE and the bytes. After this point another attempt could store bytes twice."""
        control = self._control
        with closing(data_connector(control)) as connector:
            (reply,) = control.ask_all([connector.command])
            self._remote_file_possible = True
            opened = connector.begin_transfer(Command("APPE" if append else "STOR", path), reply)
        if isinstance(opened, Reply):
            self._remote_file_possible = False
            if not self._options.in_place and opened.code in NAME_REFUSALS:
                raise _NameRefused(opened)
            raise upload_error(f"{path}: upload refused", opened)
        control.session.attempt.forbid_retry("upload begun")
        if self._note:
            control.session.note(self._note)
        self._progress.expect(self._payload.size)
        self._progress.advance(skip)
        source = SendSource(
            descriptor=self._payload.fd,
            name=self._payload.path,
            may_block=self._payload.size is None,
            progress=self._progress,
            observer=digests.observer,
            converter=ToNetAscii() if self._options.text else None,
            rate=self._options.rate,
        )
        return store(opened, path, source)

    def _check(self, path: str, expected_size: int, digests: Digests) -> None:
        """Check the size and hash of the remote file, and set its modification time. `Incomplete`."""
        commands = [] if self._options.text else [Command("SIZE", path)]
        if self._payload.modified is not None and not self._options.append:
            commands.append(Command("MFMT", f"{encode_time(seconds_to_time(self._payload.modified))} {path}"))
        replies = self._control.ask_all(commands)
        size = None if self._options.text else parse_size(replies[0])
        if size is not None and size != expected_size:
            raise Incomplete(f"{path}: the remote file must have {expected_size} bytes, the server reports {size}")
        self.verified = None if size is None else "size"
        if self._hash:
            compare_hash(self._control, path, self._hash, digests[HASHES[self._hash]], expected_size)
            self.verified = "hash"

    def _clean_up(self, temporary: str, *, keep: bool, cause: BaseException | None = None) -> None:
        """Remove a temporary file that no later run will resume, if the server responds in time. `cause` is the
        exception that ended the upload; a signal of the user still leaves time for it."""
        if self._options.in_place or keep:
            return
        removed = False
        try:
            seconds = min(CLEAN_UP_S, self._control.session.timeouts.silence_s)
            if cause is not None and not isinstance(cause, InetError):
                self._control.ignore_cancel()
            reply = self._control.clean_up(Command("DELE", temporary), seconds)
            removed = reply is not None and reply.first == 2
        except (InetError, Cancelled):
            pass
        if not removed:
            self._control.session.note(f"{temporary} may be left on the server")


def temporary_name(name: str, resumed: Payload | None) -> str:
    """Make a unique temporary name that contains the final name.

    With `resumed`, the same local file always gets the same name, so that another run finds the part.
    """
    if resumed is None:
        mark, extension = secrets.token_hex(4), ""
    else:
        identity = f"{name} {resumed.size} {resumed.modified}".encode("utf-8", "surrogateescape")
        mark, extension = hashlib.sha256(identity).hexdigest()[:8], ".part"
    temporary = f".{name}.{mark}{extension}"
    return temporary if len(temporary.encode("utf-8", "surrogateescape")) <= MAX_NAME else f".{mark}{extension}"
