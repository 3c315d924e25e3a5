"""One STOR or APPE: sending the bytes, and checking that the server accepted them.

    STOR path -> 150, bytes on the data connection, its end -> 226

The end of the data connection is the end of the file, also for the server. If the source fails in the middle, the
remote file is truncated but looks complete. Therefore the file has a temporary name until it is checked (`upload`).

With TLS, close_notify marks the end, and the client waits for the server's end: closing a socket with an unread session
ticket would reset the connection, and the server might lose bytes that were sent before.
"""

from inetcli.errors import Incomplete, InetError, LocalRead, TimedOut
from inetcli.net.copy import Sender, SendSource
from inetcli.protocols.ftp.data import DataConnection
from inetcli.protocols.ftp.errors import upload_error
from inetcli.wire.replies import Reply

CLOSE_S = 5.0
"""The longest time in seconds to wait for the server's end of a data connection with TLS. Only the 226 is required."""


def store(data: DataConnection, path: str, source: SendSource) -> int:
    """Send all bytes over the data connection and close it; return the number of sent bytes.

    Errors: `UploadRefused`, `Incomplete`, `Refused`, `LocalRead`, `TimedOut`, those of streams.
    """
    stream_error: InetError | None = None
    with data:
        data.start_tls()
        sender = Sender(data.stream, source)
        try:
            sender.run()
            data.stream.finish_sending()
            if data.uses_tls:
                data.stream.wait_for_end(CLOSE_S)
        except InetError as error:
            stream_error = error
    if isinstance(stream_error, TimedOut):
        raise stream_error  # The server is silent, and waiting for the final reply would only repeat the timeout.
    final_reply = data.read_final_reply()  # A server that closes the connection reports the reason.
    if isinstance(stream_error, LocalRead):
        raise stream_error  # The server regards the bytes as a complete file; the caller can remove it now.
    _check_upload(path, sender.copied_bytes, stream_error, final_reply)
    return sender.copied_bytes


def _check_upload(path: str, sent: int, stream_error: InetError | None, final_reply: Reply | InetError) -> None:
    """Raise an error unless the final reply confirms the upload."""
    if isinstance(final_reply, Reply):
        if final_reply.first == 5 or final_reply.code == 452:
            raise upload_error(f"{path}: upload refused", final_reply)
        if final_reply.first != 2:
            message = f'{path}: {sent} bytes were sent, and the server said "{final_reply}"'
            raise Incomplete.from_reply(message, final_reply, quoted=False)
    if stream_error:
        raise stream_error
    if isinstance(final_reply, TimedOut):
        raise final_reply
    if isinstance(final_reply, InetError):
        raise Incomplete(f"{path}: {sent} bytes were sent, and no final reply came: {final_reply.message}")
