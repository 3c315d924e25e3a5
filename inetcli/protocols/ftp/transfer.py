"""One download transfer: the requests before it, the data, and the check that the data is complete.

    TYPE I, SIZE path, MDTM path, EPSV     `request_retrieval`: facts of the file, and a connector, in one write
    REST offset -> 350                     `retrieve` from here on; REST only for a resumed transfer
    RETR path -> 150, bytes on the data connection, 226

The end of the data connection marks the end of the file, but a broken connection looks the same. Therefore
`check_transfer` compares the number of bytes with the announced size, for too few and too many bytes, and checks the
final reply. Most clients report success for a truncated file.
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
"""The largest number of bytes and lines of a listing: more than in any real folder, but within the memory."""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A prepared download: the facts of the file and the connector for its data. Use it in a `with`.

    `text`: TYPE A; `max_size`: a larger file is an error.
    """

    control: Control
    path: str
    remote: Remote
    connector: Connector
    reply: Reply
    text: bool = False
    max_size: int | None = None

    def begin(self, offset: int) -> DataConnection | Reply:
        """Send RETR, after REST if `offset` is not 0. Returns a reply instead if the transfer is refused. `NoResume`.

        An offset that no transfer used would apply to the next transfer, which may be another file or an upload.
        Therefore the offset is reset, or the connection is not reused.
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
    """The result of a complete transfer.

    `bytes` is the size of the whole file, `final` the code of the final reply or "none", `note` a fact for the user
    that is no failure.
    """

    bytes: int
    size: int | None
    final: str
    note: str | None
    data_resumed: bool


class ContentMismatch(Exception):
    """The difference between the bytes that are present and those of the remote file."""


def request_retrieval(
    control: Control, path: str, *, text: bool = False, max_size: int | None = None
) -> TransferRequest:
    """Request the facts of a file and a data connection, in one round trip.

    A refused SIZE or MDTM has no consequence: some servers do not support the command, others refuse it temporarily.
    Only the reply to RETR counts. SIZE is not sent in TYPE A, because it may count the bytes of another representation.
    """
    control.negotiate_utf8(path)
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
    """Download a file from `offset` on. Its first bytes must equal `overlap`; otherwise raises `ContentMismatch`.

    Errors: `NotFound`, `Denied`, `Incomplete`, `Refused`, `NoResume`, `TooLarge`, `LocalWrite`, those of streams.
    """
    path, size, max_size = request.path, request.remote.size, request.max_size
    if max_size is not None and size is not None and size > max_size:
        raise TooLarge(f"{path}: the announced size is {size} bytes, the limit is {max_size} (--max-size)")
    opened = request.begin(offset)
    if isinstance(opened, Reply):
        raise path_error(f"{path}: download refused", opened)
    present_bytes = offset + len(overlap)
    with opened as data:
        if size is None and not offset and not request.text:
            size = parse_announced_size(data.first_reply)
        sink.progress.expect(size)
        data.start_tls()
        differs = overlap and not _matches_overlap(data.stream, overlap)
        if not differs:
            sink.progress.advance(present_bytes)
            receiver = Receiver(data.stream, sink, limit=_limit(size, max_size, present_bytes))
            stream_error = _run(receiver, None if size is None else size - present_bytes)
    if differs:
        data.read_final_reply()  # The reply belongs to the abandoned transfer and not to the next command.
        raise ContentMismatch
    received_bytes = present_bytes + receiver.copied_bytes
    if max_size is not None and received_bytes > max_size:
        raise TooLarge(f"{path}: more than {max_size} bytes came (--max-size)")
    final_reply = data.read_final_reply()
    note = check_transfer(received_bytes, size, stream_error, final_reply)
    final = str(final_reply.code) if isinstance(final_reply, Reply) else "none"
    return TransferResult(received_bytes, size, final, note, data.session_resumed)


def check_transfer(
    received_bytes: int, size: int | None, stream_error: InetError | None, final_reply: Reply | InetError
) -> str | None:
    """Check that a transfer is complete. Returns a note for the user or None; raises an error if it is not complete.

    `stream_error` is the error of the data connection, `final_reply` the final reply, or the error of reading it.
    """
    code, text = None, None
    if isinstance(final_reply, Reply):
        code, text, reply_text = final_reply.code, str(final_reply), f'the server said "{final_reply}"'
    else:
        reply_text = f"no final reply: {final_reply.message}"
    if size is not None and received_bytes != size:
        too_few = received_bytes < size
        counts = f"{received_bytes} of {size} bytes came" if too_few else f"more than the announced {size} bytes came"
        cause = f" ({stream_error.message})" if stream_error else ""
        conjunction = "yet " if isinstance(final_reply, Reply) and final_reply.first == 2 else ""
        raise Incomplete(f"incomplete: {counts}{cause}, {conjunction}{reply_text}", reply_code=code, reply=text)
    if stream_error:
        raise stream_error
    if isinstance(final_reply, Reply):
        if final_reply.first != 2:
            raise Incomplete(f"incomplete: {received_bytes} bytes came, and {reply_text}", reply_code=code, reply=text)
        return None
    if size is None and isinstance(final_reply, TimedOut):
        raise final_reply
    if size is None:
        raise Incomplete(f"{received_bytes} bytes of an unknown size came, and {reply_text}")
    return f"all {size} bytes came, but {reply_text}"


def retrieve_rows(control: Control, command: Command, context: str) -> Iterator[list[bytes]]:
    """Yield the lines of a listing as they arrive. `context` begins the messages.

    Errors: those of `path_error`, `Incomplete`, `TooLarge`, those of streams.
    pure-ftpd also sends 226 after a truncated listing, and mentions the truncation in the text of the reply.
    """
    opened = begin_transfer(control, command)
    if isinstance(opened, Reply):
        raise path_error(context, opened)
    received_bytes = received_rows = 0
    with opened as data:
        data.start_tls()
        while rows := data.stream.read(parse_rows):
            received_bytes, received_rows = received_bytes + sum(map(len, rows)), received_rows + len(rows)
            if received_bytes > MAX_LISTING:
                raise TooLarge(f"{context}: the listing exceeds {MAX_LISTING} bytes")
            if received_rows > MAX_ROWS:
                raise TooLarge(f"{context}: the listing exceeds {MAX_ROWS} lines")
            yield rows
    final_reply = data.read_final_reply()
    if isinstance(final_reply, EmptyReply | ReceiveFailed | Incomplete):
        raise Incomplete(f"{context}: the listing may be incomplete: no final reply: {final_reply.message}")
    if isinstance(final_reply, InetError):
        raise final_reply
    if final_reply.first != 2 or "truncated" in final_reply.text.lower():
        raise Incomplete.from_reply(f"{context}: the listing is incomplete", final_reply)


def retrieve_tail(control: Control, path: str, offset: int, size: int) -> bytes:
    """Return the last `size` bytes of a file, which begin at `offset`; empty if the server does not send them."""
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
    data.read_final_reply()
    return tail


def _limit(size: int | None, max_size: int | None, present_bytes: int) -> int | None:
    """Return the number of bytes after which to stop the transfer; one more byte shows that there are too many."""
    limits = [limit for limit in (size, max_size) if limit is not None]
    return max(0, min(limits) - present_bytes) if limits else None


def _matches_overlap(stream: SocketStream, overlap: bytes) -> bool:
    """Return whether the next bytes of the stream equal the ones that are present."""
    try:
        return stream.read(lambda reader: reader.exact(len(overlap))) == overlap
    except InetError as error:
        if isinstance(error, TimedOut):
            raise
        return False


def _run(receiver: Receiver, missing_bytes: int | None) -> InetError | None:
    """Receive the bytes. Returns the error of a broken data connection; a timeout is raised if bytes are missing."""
    try:
        receiver.run()
    except ReceiveFailed as error:
        return error
    except TimedOut:
        if missing_bytes is None or receiver.copied_bytes != missing_bytes:
            raise
    return None
