"""One upload, which is never seen half.

    TYPE I, SIZE where it is needed, EPSV      at once
    STOR .NAME.random -> 150, bytes, the end -> 226
    SIZE or HASH of it, MFMT                   is it all there; its time
    RNFR .NAME.random -> 350, RNTO NAME -> 250

Where the server refuses the temporary name, or to rename it, the file is sent under its own name, with a note: an
anonymous drop box allows neither. What cannot be read again (a pipe) is an error then.

To be taken up by another run (`--resume`) the temporary has a name that is found again, `.NAME.part`. Its last 64 KiB
are fetched and compared before more is sent behind them. `--append` sends to the end of the file itself.

Under TLS the end is said by close_notify, and the server's own end is waited for: a socket that is closed with a
session ticket unread in it resets the connection, and the server may lose what came before.
"""

import os
import secrets
from dataclasses import dataclass

from inetcli.errors import Incomplete, InetError, LocalRead, NoResume, TimedOut, UploadRefused
from inetcli.net.copy import Sending
from inetcli.payload import Payload
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.data import data_way, secure_data
from inetcli.protocols.ftp.download import OVERLAP, Watcher
from inetcli.protocols.ftp.folders import make_folders
from inetcli.protocols.ftp.hashes import Digests, choose_hash, compare_hash
from inetcli.protocols.ftp.model import HASHES, Upload
from inetcli.protocols.ftp.refusals import failed
from inetcli.protocols.ftp.transfer import check_type, final_reply, retrieve_tail
from inetcli.protocols.ftp.wire import Command, encode_time, parse_size, seconds_to_time
from inetcli.wire.netascii import ToNetAscii
from inetcli.wire.replies import Reply

MAX_NAME = 255
"""Bytes of a name on the server: NAME_MAX of every file system in common use."""

CLOSE_S = 5.0
"""How long the server's end of a data connection is waited for under TLS: its 226 counts, this is only manners."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the user wants files sent. `direct`: under their own name; `verify`: by the server's hash; `text`: TYPE A."""

    append: bool = False
    resume: bool = False
    direct: bool = False
    mkdirs: bool = False
    verify: bool = False
    text: bool = False
    rate: int | None = None


class _NameRefused(Exception):
    """The server does not take the temporary name."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def upload(control: Control, payload: Payload, path: str, manner: Manner, watcher: Watcher) -> Upload:
    """Send a file. The remote one is replaced, as by cp.

    Errors: `UploadRefused`, `Incomplete`, `NoResume`, `LocalRead`, `Refused`, `Denied`, those of streams.
    """
    folder, slash, name = path.rpartition("/")
    if manner.mkdirs and folder:
        make_folders(control, folder)
    begun = control.session.trace.elapsed()
    job = _Upload(control, payload, manner, watcher)
    if manner.append or manner.direct:
        job.send(path)
    else:
        temporary = folder + slash + (_short(f".{name}.part") if manner.resume else _temporary(name))
        try:
            job.send(temporary)
            job.rename(temporary, path)
        except _NameRefused as refusal:
            job.send_directly(temporary, path, refusal.reply)
    facts = getattr(control.stream, "facts", None)
    return Upload(
        path=path,
        bytes=job.moved,
        verified=job.verified,
        seconds=control.session.trace.elapsed() - begun,
        tls=facts.summary() if facts else None,
    )


class _Upload:
    """One file being sent, maybe a second time under another name."""

    def __init__(self, control: Control, payload: Payload, manner: Manner, watcher: Watcher) -> None:
        self._control = control
        self._payload = payload
        self._manner = manner
        self._watcher = watcher
        self._start = os.lseek(payload.fd, 0, os.SEEK_CUR) if payload.size is not None else 0
        self._algorithm = choose_hash(control) if manner.verify else None
        self.moved = 0
        self.verified: str | None = None

    def send(self, path: str) -> None:
        """The bytes, and whether they are there; at `path`, which is what is cleaned up when they are not."""
        control = self._control
        asked = self._manner.append or self._manner.resume
        way = data_way(control)
        representation = "A" if self._manner.text else "I"
        commands = [Command("TYPE", representation)] if control.type != representation else []
        commands += [Command("SIZE", path)] if asked and not self._manner.text else []
        replies = {
            command.verb: reply
            for command, reply in zip(commands, control.ask_all(commands) if commands else [], strict=True)
        }
        try:
            check_type(control, representation, replies.get("TYPE"))
            before = (parse_size(replies["SIZE"]) or 0) if "SIZE" in replies else 0
            skip = self._resumable(path, before) if self._manner.resume else 0
            digests = self._digests(skip)
            (reply,) = control.ask_all([way.command])
            verb = "APPE" if self._manner.append or skip else "STOR"
            start, stream = way.start(Command(verb, path), reply)
        except BaseException:
            way.cancel()
            raise
        if stream is None:
            self._refused(path, start)
        assert stream is not None
        control.session.trace.committed = True
        try:
            self._watcher.expect(self._payload.size)
            end = self._move(stream, digests, skip, start)
            self._judge(path, end)
            self._check(path, before if verb == "APPE" else 0, digests)
        except BaseException:
            self._clean_up(path)
            raise

    def rename(self, temporary: str, path: str) -> None:
        """The file takes its name, in place of what had it."""
        first = self._control.ask("RNFR", temporary)
        second = self._control.ask("RNTO", path) if first.code == 350 else first
        if second.first != 2:
            self._clean_up(temporary, always=True)
            raise _NameRefused(second)

    def send_directly(self, temporary: str, path: str, reply: Reply) -> None:
        """Once more, under its own name, because of this reply. `UploadRefused` when it cannot be read again."""
        if self.moved and self._payload.size is None:
            why = f'{path}: {temporary} cannot be renamed, and is not sent again: "{reply}"'
            raise UploadRefused(f"{why} (--direct)", reply_code=reply.code, reply=str(reply))
        self._control.session.note(f'{temporary}: refused ("{reply}"); sent directly, seen while it grew')
        if self._payload.size is not None:
            os.lseek(self._payload.fd, self._start, os.SEEK_SET)
        self.moved = 0
        self._manner = Manner(direct=True, verify=self._manner.verify, text=self._manner.text, rate=self._manner.rate)
        self.send(path)

    def _resumable(self, path: str, there: int) -> int:
        """How many bytes of the file are there already, and right. `NoResume` when they are not of a file."""
        if self._payload.size is None:
            raise NoResume(f"{self._payload.path}: --resume needs a file that can be read from where it was left")
        if not OVERLAP < there <= self._payload.size:
            return 0
        tail = retrieve_tail(self._control, path, there - OVERLAP, OVERLAP)
        if tail != self._read(there - OVERLAP, OVERLAP):
            self._control.session.note("what is there is not the beginning of this file: starting over")
            return 0
        return there

    def _read(self, offset: int, size: int) -> bytes:
        try:
            return os.pread(self._payload.fd, size, self._start + offset)
        except OSError as error:
            raise LocalRead(f"{self._payload.path}: cannot be read: {error.strerror}") from error

    def _digests(self, skip: int) -> Digests:
        digests = Digests([HASHES[self._algorithm]] if self._algorithm else [])
        digests.catch_up(self._read, skip)
        if skip:
            os.lseek(self._payload.fd, self._start + skip, os.SEEK_SET)
        return digests

    def _refused(self, path: str, reply: Reply) -> None:
        """STOR was refused: `_NameRefused` if that may be for the name."""
        temporary = not (self._manner.append or self._manner.direct)
        if temporary and reply.code in (501, 550, 553):
            raise _NameRefused(reply)
        raise _refusal(path, reply)

    def _move(self, stream: object, digests: Digests, skip: int, start: Reply) -> "Reply | InetError":
        """Everything through the data connection; the final reply, or why there is none."""
        from inetcli.net.stream import SocketStream

        assert isinstance(stream, SocketStream)
        broken: InetError | None = None
        try:
            data = secure_data(self._control, stream)
        except BaseException:
            stream.close()
            raise
        sending = Sending(
            data.stream,
            self._payload.fd,
            self._payload.path,
            waits=self._payload.size is None,
            progress=self._watcher.progress,
            look=digests.look,
            converter=ToNetAscii() if self._manner.text else None,
            rate=self._manner.rate,
        )
        self._watcher.progress(skip)
        try:
            sending.run()
            data.stream.finish_sending()
            if self._control.secure:
                data.stream.wait_for_end(CLOSE_S)
        except LocalRead:
            raise
        except InetError as error:
            broken = error
        finally:
            data.stream.close()
        self.moved = skip + sending.moved
        end = start if start.first == 2 else final_reply(self._control)
        if broken and (isinstance(end, InetError) or end.first == 2):
            raise broken
        return end

    def _judge(self, path: str, end: "Reply | InetError") -> None:
        if isinstance(end, TimedOut):
            raise end
        if isinstance(end, InetError):
            raise Incomplete(f"{path}: {self.moved} bytes were sent, but no final reply came: {end.message}")
        if end.first != 2:
            error = _refusal(path, end)
            raise (
                error
                if isinstance(error, UploadRefused)
                else Incomplete(
                    f'{path}: {self.moved} bytes were sent, and the server said "{end}"',
                    reply_code=end.code,
                    reply=str(end),
                )
            )

    def _check(self, path: str, before: int, digests: Digests) -> None:
        """Size and hash of what is there now, and its time. `Incomplete`."""
        control, manner = self._control, self._manner
        commands = [] if manner.text else [Command("SIZE", path)]
        if self._payload.modified is not None and not manner.append:
            commands.append(Command("MFMT", f"{encode_time(seconds_to_time(self._payload.modified))} {path}"))
        replies = dict(zip([command.verb for command in commands], control.ask_all(commands), strict=True))
        wanted = self.moved + (before if manner.append else 0)
        size = parse_size(replies["SIZE"]) if "SIZE" in replies else None
        if size is not None and size != wanted:
            raise Incomplete(f"{path}: {wanted} bytes are to be there, the server has {size}")
        self.verified = None if size is None else "size"
        if self._algorithm:
            compare_hash(control, path, self._algorithm, digests[HASHES[self._algorithm]], wanted)
            self.verified = "hash"

    def _clean_up(self, path: str, *, always: bool = False) -> None:
        """A temporary that nobody will take up is removed, if the server still listens."""
        manner = self._manner
        if manner.append or manner.direct or (manner.resume and not always):
            return
        removed = False
        if self._control.usable:
            try:
                removed = self._control.ask("DELE", path).first == 2
            except InetError:
                pass
        if not removed:
            self._control.session.note(f"{path} may be left on the server")


def _refusal(path: str, reply: Reply) -> InetError:
    """Why an upload is not taken: for good, or for now."""
    if reply.first == 5 or reply.code == 452:
        return UploadRefused(f'{path}: not taken: "{reply}"', reply_code=reply.code, reply=str(reply))
    return failed(f"{path}: not taken", reply)


def _temporary(name: str) -> str:
    """A name that nothing has, and that says what it is the beginning of."""
    return _short(f".{name}.{secrets.token_hex(4)}")


def _short(name: str) -> str:
    """A name that the server can hold: of a long one, the end, where it differs."""
    return name if len(name.encode("utf-8", "surrogateescape")) <= MAX_NAME else f".{secrets.token_hex(8)}"
