"""One transfer, and whether to believe it.

    TYPE I, SIZE path, MDTM path, EPSV     all at once: what the server says of the file, and a way to it
    REST offset -> 350                     only to take a transfer up
    RETR path -> 150, bytes on the data connection, 226

The end of the data connection is the end of the file, and also what a broken one looks like. So the bytes are counted
against the announced size, either way, and the final reply has its say. Most clients report success for a file that was
cut; that is what `judge` is for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from inetcli.errors import EmptyReply, Incomplete, InetError, NoResume, ReceiveFailed, TimedOut, TooLarge
from inetcli.net.copy import Converter, Observer, Receiver
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.data import Active, Data, Passive, data_connector, secure_data
from inetcli.protocols.ftp.errors import path_error, reply_error
from inetcli.protocols.ftp.listing import parse_rows
from inetcli.protocols.ftp.model import Remote
from inetcli.protocols.ftp.wire import Command, parse_announced_size, parse_mdtm, parse_size
from inetcli.wire.replies import Reply

MAX_LISTING = 128 << 20
MAX_ROWS = 500_000
"""Bytes and lines of a listing: far more than any folder has that people list, and still no more than memory holds."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What the server said before a transfer, and the way for its data."""

    remote: Remote
    way: Passive | Active
    reply: Reply


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the bytes go, and what happens to them on the way. `name` is for messages."""

    descriptor: int
    name: str
    progress: Callable[[int], object]
    look: Observer | None = None
    converter: Converter | None = None
    rate: int | None = None
    max_size: int | None = None


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


def open_retrieval(control: Control, path: str, *, text: bool = False) -> TransferRequest:
    """Ask what there is to know of a file, and for a data connection, in one round trip.

    A refused SIZE or MDTM says nothing: some servers have none, others refuse it for now. RETR decides. In TYPE A there
    is no use for SIZE: it may count the bytes of another form.
    """
    control.agree_on_names(path)
    way = data_connector(control)
    representation = "A" if text else "I"
    commands = [Command("TYPE", representation)] if control.type != representation else []
    commands += [] if text else [Command("SIZE", path)]
    commands += [Command("MDTM", path), way.command]
    try:
        replies = dict(zip([command.verb for command in commands], control.ask_all(commands), strict=True))
        check_type(control, representation, replies.get("TYPE"))
    except BaseException:
        way.cancel()
        raise
    size = parse_size(replies["SIZE"]) if "SIZE" in replies else None
    return TransferRequest(Remote(size, parse_mdtm(replies["MDTM"])), way, replies[way.command.verb])


def check_type(control: Control, representation: str, reply: Reply | None) -> None:
    """Remember the representation type that has been set. `Refused`."""
    if reply is not None:
        if reply.first != 2:
            raise reply_error(f"TYPE {representation} refused", reply)
        control.type = representation


def retrieve(
    control: Control,
    path: str,
    opening: TransferRequest,
    sink: Sink,
    *,
    expect: Callable[[int | None], object],
    offset: int = 0,
    overlap: bytes = b"",
) -> TransferResult:
    """Fetch `path` from `offset` on. The first bytes of that must be `overlap`, else `ContentMismatch`.

    Errors: `NotFound`, `Denied`, `Incomplete`, `Refused`, `NoResume`, `TooLarge`, `LocalWrite`, those of streams.
    """
    size = opening.remote.size
    if sink.max_size is not None and size is not None and size > sink.max_size:
        opening.way.cancel()
        raise TooLarge(f"{path}: {size} bytes are announced, {sink.max_size} is the limit (--max-size)")
    start, stream = _start(control, path, opening, offset)
    if stream is None:
        raise path_error(f"{path}: not sent", start)
    try:
        if size is None and not offset and sink.converter is None:
            size = parse_announced_size(start)
        expect(size)
        data = secure_data(control, stream)
    except BaseException:
        stream.close()
        raise
    there = offset + len(overlap)
    try:
        if overlap and not _same(data, overlap):
            raise ContentMismatch
        transfer = Receiver(
            data.stream,
            sink.descriptor,
            sink.name,
            limit=_limit(size, sink.max_size, there),
            progress=sink.progress,
            look=sink.look,
            converter=sink.converter,
            rate=sink.rate,
        )
        sink.progress(there)
        broken = _run(transfer, None if size is None else size - there)
    finally:
        data.stream.close()
    if sink.max_size is not None and there + transfer.moved > sink.max_size:
        raise TooLarge(f"{path}: more than {sink.max_size} bytes came (--max-size)")
    end = start if start.first == 2 else final_reply(control)
    note = judge(path, there + transfer.moved, size, broken, end)
    code = str(end.code) if isinstance(end, Reply) else "none"
    return TransferResult(there + transfer.moved, size, code, note, data.resumed)


def judge(path: str, came: int, size: int | None, broken: InetError | None, end: "Reply | InetError") -> str | None:
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
    """The lines of a listing, as they come. Errors: those of `path_error`, `Incomplete`, `TooLarge`, those of streams.

    pure-ftpd ends a listing that it has cut with a 226, too, and says so in its text.
    """
    way = data_connector(control)
    (reply,) = control.ask_all([way.command])
    start, stream = way.begin_transfer(command, reply)
    if stream is None:
        raise path_error(what, start)
    try:
        data = secure_data(control, stream)
    except BaseException:
        stream.close()
        raise
    came = count = 0
    try:
        while rows := data.stream.read(parse_rows):
            came, count = came + sum(map(len, rows)), count + len(rows)
            if came > MAX_LISTING:
                raise TooLarge(f"{what}: over {MAX_LISTING} bytes came")
            if count > MAX_ROWS:
                raise TooLarge(f"{what}: over {MAX_ROWS} lines came")
            yield rows
    finally:
        data.stream.close()
    end = start if start.first == 2 else final_reply(control)
    if isinstance(end, EmptyReply | ReceiveFailed | Incomplete):
        raise Incomplete(f"{what}: the listing may be incomplete: no final reply: {end.message}")
    if isinstance(end, InetError):
        raise end
    if end.first != 2 or "truncated" in end.text.lower():
        raise Incomplete.from_reply(f"{what}: the listing is incomplete", end)


def retrieve_tail(control: Control, path: str, offset: int, size: int) -> bytes:
    """The `size` bytes from `offset` on, which are the file's last. Nothing when they cannot be had."""
    opening = open_retrieval(control, path)
    try:
        start, stream = _start(control, path, opening, offset)
    except NoResume:
        return b""
    if stream is None:
        return b""
    try:
        data = secure_data(control, stream).stream
        tail = data.read(lambda reader: reader.rest(size))
    except (Incomplete, TooLarge, ReceiveFailed):
        tail = b""
    finally:
        stream.close()
    if start.first == 1:
        final_reply(control)
    return tail


def final_reply(control: Control) -> "Reply | InetError":
    """The reply behind the data, or why there is none."""
    try:
        return control.reply()
    except InetError as error:
        return error


def _start(control: Control, path: str, opening: TransferRequest, offset: int) -> tuple[Reply, SocketStream | None]:
    """RETR from an offset on: its first reply, and the data connection, None if it was refused. `NoResume`.

    An offset that no transfer has used up stands for the next one, be it another file's, or an upload.
    """
    if not offset:
        return opening.way.begin_transfer(Command("RETR", path), opening.reply)
    reply = control.ask("REST", str(offset))
    if reply.code != 350:
        opening.way.cancel()
        raise NoResume.from_reply(f"REST {offset} refused", reply)
    try:
        start, stream = opening.way.begin_transfer(Command("RETR", path), opening.reply)
    except InetError:
        control.abandon()
        raise
    if stream is None and control.usable:
        control.ask("REST", "0")
    return start, stream


def _limit(size: int | None, max_size: int | None, there: int) -> int | None:
    """After how many bytes the transfer may be stopped: one more shows that too many come."""
    limits = [limit for limit in (size, max_size) if limit is not None]
    return max(0, min(limits) - there) if limits else None


def _same(data: Data, overlap: bytes) -> bool:
    """Whether the next bytes are those that are here already."""
    try:
        return data.stream.read(lambda reader: reader.exact(len(overlap))) == overlap
    except (Incomplete, InetError) as error:
        if isinstance(error, TimedOut):
            raise
        return False


def _run(transfer: Receiver, left: int | None) -> InetError | None:
    """Move the bytes. A data connection that breaks is reported to `judge`; a silent one ends everything."""
    try:
        transfer.run()
    except ReceiveFailed as error:
        return error
    except TimedOut:
        if left is None or transfer.moved != left:
            raise
    return None
