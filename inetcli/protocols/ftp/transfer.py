"""One RETR, and whether to believe it.

    TYPE I, SIZE path, EPSV, RETR path -> 150, bytes on the data connection, 226

The end of the data connection is the end of the file, and also what a broken one looks like. So the bytes are counted
against the announced size, either way, and the final reply has its say. Most clients report success for a file that was
cut; that is what `judge` is for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from inetcli.errors import Incomplete, InetError, ReceiveFailed, TimedOut
from inetcli.net.copy import Look, Transfer
from inetcli.protocols.ftp.control import Control, failed, missing
from inetcli.protocols.ftp.data import open_data, secure_data
from inetcli.protocols.ftp.wire import parse_announced_size, parse_size
from inetcli.wire.replies import Reply


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A transfer that is to be believed. `note` = what was odd about it all the same."""

    bytes: int
    size: int | None
    final: str
    note: str | None
    data_resumed: bool


def retrieve(
    control: Control,
    path: str,
    descriptor: int,
    name: str,
    *,
    progress: Callable[[int], object],
    expect: Callable[[int | None], object],
    look: Look | None = None,
) -> Retrieved:
    """Fetch `path` into `descriptor`, called `name` in messages. Errors: `NotFound`, `Denied`, `Incomplete`, `Refused`,
    `LocalWrite`, those of streams."""
    reply = control.ask("TYPE", "I")
    if reply.first != 2:
        raise failed("binary mode refused", reply)
    reply = control.ask("SIZE", path)
    # A refused SIZE says nothing: some servers have none, others refuse it for now. RETR decides.
    size = parse_size(reply) if reply.code == 213 else None
    data = open_data(control)
    try:
        start = control.ask("RETR", path)
        if start.first not in (1, 2):
            raise missing(f"{path}: not sent", start)
        size = parse_announced_size(start) if size is None else size
        expect(size)
        data = secure_data(control, data)
        resumed = control.secure and getattr(data, "facts").session_reused  # noqa: B009 - a TlsStream then
        transfer = Transfer(data, descriptor, name, limit=size, progress=progress, look=look)
        broken = _run(transfer, size)
    finally:
        data.close()
    end = start if start.first == 2 else _final(control)
    note = judge(path, transfer.moved, size, broken, end)
    return Retrieved(transfer.moved, size, str(end.code) if isinstance(end, Reply) else "none", note, bool(resumed))


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


def _run(transfer: Transfer, size: int | None) -> InetError | None:
    """Move the bytes. A data connection that breaks is reported to `judge`; a silent one ends everything."""
    try:
        transfer.run()
    except ReceiveFailed as error:
        return error
    except TimedOut:
        if size is None or transfer.moved != size:
            raise
    return None


def _final(control: Control) -> "Reply | InetError":
    """The reply behind the data, or why there is none."""
    try:
        return control.reply()
    except InetError as error:
        return error
