"""One STOR or APPE: bytes to the server, and whether it has taken them.

    STOR path -> 150, bytes on the data connection, its end -> 226

The end of the data connection is the end of the file, for the server, too: a source that fails in the middle leaves a
file there that looks whole. That is why it has another name until it is checked (`upload`).

Under TLS the end is said by close_notify, and the server's own end is waited for: a socket that is closed with a
session ticket unread in it resets the connection, and the server may lose what came before.
"""

from collections.abc import Callable
from dataclasses import dataclass

from inetcli.errors import Incomplete, InetError, LocalRead, TimedOut
from inetcli.net.copy import Converter, Observer, Sender
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.data import secure_data
from inetcli.protocols.ftp.errors import upload_error
from inetcli.protocols.ftp.transfer import final_reply
from inetcli.wire.replies import Reply

CLOSE_S = 5.0
"""How long the server's end of a data connection is waited for under TLS: its 226 counts, this is only manners."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes come from, and what happens to them on the way. `name` is for messages; `waits`: they may take
    their time to come."""

    descriptor: int
    name: str
    waits: bool
    progress: Callable[[int], object]
    look: Observer | None = None
    converter: Converter | None = None
    rate: int | None = None


def store(control: Control, path: str, start: Reply, stream: SocketStream, source: Source) -> int:
    """Send everything over the data connection that the first reply, `start`, belongs to; how many bytes went out.

    Errors: `UploadRefused`, `Incomplete`, `Refused`, `LocalRead`, `TimedOut`, those of streams.
    """
    try:
        data = secure_data(control, stream)
    except BaseException:
        stream.close()
        raise
    sending = Sender(
        data.stream,
        source.descriptor,
        source.name,
        waits=source.waits,
        progress=source.progress,
        look=source.look,
        converter=source.converter,
        rate=source.rate,
    )
    broken: InetError | None = None
    try:
        sending.run()
        data.stream.finish_sending()
        if control.secure:
            data.stream.wait_for_end(CLOSE_S)
    except InetError as error:
        broken = error
    finally:
        data.stream.close()
    if isinstance(broken, TimedOut):
        raise broken  # one silence is enough
    end = start if start.first == 2 else final_reply(control)  # a server that hangs up says why
    if isinstance(broken, LocalRead):
        raise broken  # the server takes what came for a whole file, and may be told now to remove it
    _judge(path, sending.moved, broken, end)
    return sending.moved


def _judge(path: str, sent: int, broken: InetError | None, end: "Reply | InetError") -> None:
    """Whether the server says that it has everything; else the error is raised."""
    if isinstance(end, Reply):
        if end.first == 5 or end.code == 452:
            raise upload_error(f"{path}: not taken", end)
        if end.first != 2:
            what = f'{path}: {sent} bytes were sent, and the server said "{end}"'
            raise Incomplete.from_reply(what, end, quoted=False)
    if broken:
        raise broken
    if isinstance(end, TimedOut):
        raise end
    if isinstance(end, InetError):
        raise Incomplete(f"{path}: {sent} bytes were sent, and no final reply came: {end.message}")
