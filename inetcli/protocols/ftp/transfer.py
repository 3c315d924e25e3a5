"""One transfer to here, and whether to believe it.

    TYPE I, SIZE path, MDTM path, EPSV     `request_retrieval`: what there is to know, and a connector, at once
    REST offset -> 350                     `retrieve`, from here on; REST only to take a transfer up
    RETR path -> 150, bytes on the data connection, 226

The end of the data connection is the end of the file, and also what a broken one looks like. So the bytes are counted
against the announced size, either way, and the final reply has its say. Most clients report success for a file that was
cut; `judge` does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from inetcli.errors import EmptyReply, Incomplete, InetError, NoResume, ReceiveFailed, TimedOut, TooLarge
from inetcli.net.copy import Receiver, ReceiveSink
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.data import Connector, DataConnection, begin_transfer, data_connector
from inetcli.protocols.ftp.errors import expect_reply, path_error
from inetcli.protocols.ftp.listing import parse_rows
from inetcli.protocols.ftp.model import Remote
from inetcli.protocols.ftp.wire import Command, parse_announced_size, parse_mdtm, parse_size
from inetcli.wire.replies import Reply

MAX_LISTING = 128 << 20
MAX_ROWS = 500_000
"""Bytes and lines of a listing: far more than any folder has that people list, and still no more than memory holds."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A retrieval that is prepared: what the server says of the file, and the connector for its data.

    Use it in a `with`. `text` = in TYPE A; `max_size` = more bytes are refused.
    """

    control: Control
    path: str
    remote: Remote
    connector: Connector
    reply: Reply
    text: bool = False
    max_size: int | None = None

    def begin(self, offset: int) -> DataConnection | Reply:
        """Send RETR, with REST in front if `offset` is not 0. A reply instead = the transfer is refused. `NoResume`.

        An offset that no transfer has used up stands for the next one, be it another file's, or an upload.
        """
        if not offset:
            return self.connector.begin_transfer(Command("RETR", self.path), self.reply)
        reply = self.control.ask("REST", str(offset))
        expect_reply(reply, 350, lambda reply: NoResume.from_reply(f"REST {offset} refused", reply))
        try:
            opened = self.connector.begin_transfer(Command("RETR", self.path), self.reply)
        except InetError:
            self.control.forbid_reuse()
            raise
        if isinstance(opened, Reply) and self.control.usable:
            self.control.ask("REST", "0")
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.connector.close()


@dataclass(frozen=True, slots=True)
class TransferResult:
    """A transfer that is to be believed. `bytes` of the whole file are there now; `note` = what was odd all the same;
    `final` is the code of the last reply, or "none"."""

    bytes: int
    size: int | None
    final: str
    note: str | None
    data_resumed: bool


class ContentMismatch(Exception):
    """The bytes that are here already are not those of the remote file."""


def request_retrieval(
    control: Control, path: str, *, text: bool = False, max_size: int | None = None
) -> TransferRequest:
    """Ask what there is to know of a file, and for a data connection, in one round trip.

    A refused SIZE or MDTM says nothing: some servers have none, others refuse it for now. RETR decides. In TYPE A there
    is no use for SIZE: it may count the bytes of another form.
    """
    control.agree_on_names(path)
    connector = data_connector(control)
    try:
        sizes = [] if text else [Command("SIZE", path)]
        replies = control.ask_in_type("A" if text else "I", [*sizes, Command("MDTM", path), connector.command])
        size = parse_size(replies["SIZE"]) if sizes else None
    except BaseException:
        connector.close()
        raise
    remote = Remote(size, parse_mdtm(replies["MDTM"]))
    return TransferRequest(control, path, remote, connector, replies[connector.command.verb], text, max_size)


def retrieve(request: TransferRequest, sink: ReceiveSink, *, offset: int = 0, overlap: bytes = b"") -> TransferResult:
    """Fetch a file from `offset` on. The first bytes of that must be `overlap`, else `ContentMismatch`.

    Errors: `NotFound`, `Denied`, `Incomplete`, `Refused`, `NoResume`, `TooLarge`, `LocalWrite`, those of streams.
    """
    path, size, max_size = request.path, request.remote.size, request.max_size
    if max_size is not None and size is not None and size > max_size:
        raise TooLarge(f"{path}: {size} bytes are announced, {max_size} is the limit (--max-size)")
    opened = request.begin(offset)
    if isinstance(opened, Reply):
        raise path_error(f"{path}: not sent", opened)
    there = offset + len(overlap)
    with opened as data:
        if size is None and not offset and not request.text:
            size = parse_announced_size(data.start)
        sink.progress.expect(size)
        data.start_tls()
        differs = overlap and not _same(data.stream, overlap)
        if not differs:
            sink.progress.advance(there)
            receiver = Receiver(data.stream, sink, limit=_limit(size, max_size, there))
            broken = _run(receiver, None if size is None else size - there)
    if differs:
        data.final_reply()  # that of the transfer which was given up: it answers nothing that is asked next
        raise ContentMismatch
    came = there + receiver.moved
    if max_size is not None and came > max_size:
        raise TooLarge(f"{path}: more than {max_size} bytes came (--max-size)")
    end = data.final_reply()
    note = judge(path, came, size, broken, end)
    return TransferResult(came, size, str(end.code) if isinstance(end, Reply) else "none", note, data.resumed)


def judge(path: str, came: int, size: int | None, broken: InetError | None, end: Reply | InetError) -> str | None:
    """Whether a transfer is whole: a note, or None, when it is; else the error is raised.

    `broken` is how the data connection failed, `end` the final reply, or why there was none.
    """
    words = f'the server said "{end}"' if isinstance(end, Reply) else f"no final reply: {end.message}"
    code, text = (end.code, str(end)) if isinstance(end, Reply) else (None, None)
    if size is not None and came != size:
        of = f"{came} of {size} bytes came" if came < size else f"more than the announced {size} bytes came"
        why = f" ({broken.message})" if broken else ""
        yet = "yet " if isinstance(end, Reply) and end.first == 2 else ""
        raise Incomplete(f"incomplete: {of}{why}, {yet}{words}", reply_code=code, reply=text)
    if broken:
        raise broken
    if isinstance(end, Reply):
        if end.first != 2:
            raise Incomplete(f"incomplete: {came} bytes came, and {words}", reply_code=code, reply=text)
        return None
    if size is None:
        raise end if isinstance(end, TimedOut) else Incomplete(f"{came} bytes came, of an unknown size, and {words}")
    return f"all {size} bytes came, but {words}"


def retrieve_rows(control: Control, command: Command, what: str) -> Iterator[list[bytes]]:
    """Yield the lines of a listing as they come. Errors: those of `path_error`, `Incomplete`, `TooLarge`, of streams.

    pure-ftpd ends a listing that it has cut with a 226, too, and says so in its text.
    """
    opened = begin_transfer(control, command)
    if isinstance(opened, Reply):
        raise path_error(what, opened)
    came = count = 0
    with opened as data:
        data.start_tls()
        while rows := data.stream.read(parse_rows):
            came, count = came + sum(map(len, rows)), count + len(rows)
            if came > MAX_LISTING:
                raise TooLarge(f"{what}: over {MAX_LISTING} bytes came")
            if count > MAX_ROWS:
                raise TooLarge(f"{what}: over {MAX_ROWS} lines came")
            yield rows
    end = data.final_reply()
    if isinstance(end, EmptyReply | ReceiveFailed | Incomplete):
        raise Incomplete(f"{what}: the listing may be incomplete: no final reply: {end.message}")
    if isinstance(end, InetError):
        raise end
    if end.first != 2 or "truncated" in end.text.lower():
        raise Incomplete.from_reply(f"{what}: the listing is incomplete", end)


def retrieve_tail(control: Control, path: str, offset: int, size: int) -> bytes:
    """Return the `size` bytes from `offset` on, which are the file's last; nothing when they cannot be had."""
    with request_retrieval(control, path) as request:
        try:
            opened = request.begin(offset)
        except NoResume:
            return b""
    if isinstance(opened, Reply):
        return b""
    with opened as data:
        try:
            data.start_tls()
            tail = data.stream.read(lambda reader: reader.rest(size))
        except (Incomplete, TooLarge, ReceiveFailed):
            tail = b""
    data.final_reply()
    return tail


def _limit(size: int | None, max_size: int | None, there: int) -> int | None:
    """Return after how many bytes the transfer may be stopped: one more shows that too many come."""
    limits = [limit for limit in (size, max_size) if limit is not None]
    return max(0, min(limits) - there) if limits else None


def _same(stream: SocketStream, overlap: bytes) -> bool:
    """Whether the next bytes are those that are here already."""
    try:
        return stream.read(lambda reader: reader.exact(len(overlap))) == overlap
    except InetError as error:
        if isinstance(error, TimedOut):
            raise
        return False


def _run(receiver: Receiver, left: int | None) -> InetError | None:
    """Move the bytes. A data connection that breaks is reported to `judge`; a silent one ends everything."""
    try:
        receiver.run()
    except ReceiveFailed as error:
        return error
    except TimedOut:
        if left is None or receiver.moved != left:
            raise
    return None
