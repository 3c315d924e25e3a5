"""One STOR or APPE: bytes to the server, and whether it has taken them.

    STOR path -> 150, bytes on the data connection, its end -> 226

The end of the data connection is the end of the file, for the server, too: a source that fails in the middle leaves a
file there that looks whole. So the file has another name until it is checked (`upload`).

Under TLS the end is said by close_notify, and the server's own end is waited for: a socket that is closed with a
session ticket unread in it resets the connection, and the server may lose what came before.
"""

from inetcli.errors import Incomplete, InetError, LocalRead, TimedOut
from inetcli.net.copy import Sender, SendSource
from inetcli.protocols.ftp.data import DataConnection
from inetcli.protocols.ftp.errors import upload_error
from inetcli.wire.replies import Reply

CLOSE_S = 5.0
"""How long the server's end of a data connection is waited for under TLS: its 226 counts, this is a courtesy."""


def store(data: DataConnection, path: str, source: SendSource) -> int:
    """Send everything over the data connection, and close it; return how many bytes went out.

    Errors: `UploadRefused`, `Incomplete`, `Refused`, `LocalRead`, `TimedOut`, those of streams.
    """
    broken: InetError | None = None
    with data:
        data.start_tls()
        sender = Sender(data.stream, source)
        try:
            sender.run()
            data.stream.finish_sending()
            if data.secure:
                data.stream.wait_for_end(CLOSE_S)
        except InetError as error:
            broken = error
    if isinstance(broken, TimedOut):
        raise broken  # one silence is enough
    end = data.final_reply()  # a server that hangs up says why
    if isinstance(broken, LocalRead):
        raise broken  # the server takes what came for a whole file, and may be told now to remove it
    _judge(path, sender.moved, broken, end)
    return sender.moved


def _judge(path: str, sent: int, broken: InetError | None, end: Reply | InetError) -> None:
    """Raise unless the server says that it has everything."""
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
