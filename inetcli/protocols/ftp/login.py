"""The login: USER -> 230 | 331, PASS -> 230 | 202, and with TLS also PBSZ 0 and PROT P (RFC 4217 section 9).

The commands that need the login are sent together with it. PASS follows USER in one write only if the password is not
secret, or with TLS: a server that requires TLS refuses USER, and the password must not have been sent before that
refusal. A login that was denied is not tried again, and no other attempt sends a password that was sent but not yet
accepted.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from inetcli.errors import LoginDenied, TlsHandshake
from inetcli.net.credentials import clear_text_note
from inetcli.protocols.ftp.connection import ControlConnection
from inetcli.protocols.ftp.errors import reply_error
from inetcli.protocols.ftp.pipelining import exchange_all
from inetcli.protocols.ftp.server_state import ANONYMOUS
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply


def log_in(connection: ControlConnection, commands: Sequence[Command]) -> list[Reply]:
    """Log in, send `commands` in the same write or after the login, and return the replies to `commands`.

    Errors: `LoginDenied`, `TlsHandshake` if the server does not protect data connections, those of `exchange_all`.
    """
    protection = [Command("PBSZ", "0"), Command("PROT", "P")] if connection.uses_tls else []
    rest = [*protection, *commands]
    trace = connection.session.trace
    try:
        login_replies, replies = _send_login(connection, rest)
        _check_login(connection, login_replies)
    finally:
        trace.end_phase("login")
    trace.begin_phase("commands")
    remaining_replies = list(replies)
    connection.accept_login()
    if len(remaining_replies) < len(rest):
        remaining_replies = list(exchange_all(connection, rest))
    for command, reply in zip(protection, remaining_replies, strict=False):
        if reply.code != 200:
            raise TlsHandshake.from_reply(f"{command.verb} {command.argument} refused", reply)
    return remaining_replies[len(protection) :]


def _send_login(connection: ControlConnection, rest: Sequence[Command]) -> tuple[list[Reply], Iterator[Reply]]:
    """Send USER and PASS, together with `rest` if allowed; return their replies, and the later ones as an iterator."""
    credentials = connection.server_key.credentials
    user = Command("USER", credentials.user)
    password = [Command("PASS", secret=credentials.password)] if credentials.password is not None else []
    pipelines = connection.server_state.pipelines
    if pipelines and (connection.uses_tls or credentials is ANONYMOUS):
        _forbid_password_retry(connection)
        replies = exchange_all(connection, [user, *password, *rest])
        return list(islice(replies, 1 + len(password))), replies
    login_replies = list(exchange_all(connection, [user]))
    if login_replies[0].code != 331 or not password:
        return login_replies, iter(())
    if not connection.uses_tls and (note := clear_text_note(credentials, connection.stream.peer.host)):
        connection.session.note(note)
    _forbid_password_retry(connection)
    replies = exchange_all(connection, [*password, *(rest if pipelines else [])])
    return [*login_replies, next(replies)], replies


def _forbid_password_retry(connection: ControlConnection) -> None:
    """Forbid that another attempt sends the password, until it is accepted."""
    if connection.server_key.credentials is not ANONYMOUS:
        connection.session.attempt.forbid_retry("a password was sent and is not accepted yet")


def _check_login(connection: ControlConnection, replies: Sequence[Reply]) -> None:
    """Raise an error unless the login succeeded. 230 to USER is enough, whatever the reply to an unnecessary PASS."""
    credentials = connection.server_key.credentials
    reply = replies[0] if replies[0].code != 331 else replies[-1]
    match reply.code:
        case 230 | 202 | 232:
            return
        case 331 if len(replies) == 1:
            reason = "the server requires a password, and none was given (--password-file, netrc)"
        case 332:
            reason = "the server requires an account (ACCT)"
        case _:
            reason = f'login denied: "{reply}"'
    if connection.server_state.login_succeeded:  # The reply of ProFTPD's MaxClientsPerHost is 530.
        connection.reject()
        raise reply_error(reason, reply)
    denied = LoginDenied.from_reply(f"{credentials.user}: {reason}", reply, quoted=False)
    raise connection.server_state.deny_login(denied)
