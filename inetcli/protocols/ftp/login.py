"""The login: USER -> 230 | 331, PASS -> 230 | 202, and under TLS PBSZ 0 and PROT P (RFC 4217 section 9).

The commands that need the login go out with it. PASS follows USER in one write only when the password is nobody's
secret, or inside TLS: a server that insists on TLS refuses USER, and the password must not have left by then. A login
that was refused is not tried again, and a password that has gone out is not sent by another try until it is accepted.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

from inetcli.errors import LoginDenied, TlsHandshake
from inetcli.net.credentials import clear_text_note
from inetcli.protocols.ftp.connection import ControlConnection
from inetcli.protocols.ftp.errors import reply_error
from inetcli.protocols.ftp.pipelining import converse
from inetcli.protocols.ftp.server_state import ANONYMOUS
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply


def log_in(connection: ControlConnection, commands: Sequence[Command]) -> list[Reply]:
    """Log in, with `commands` in the same write or behind it; return the replies to these.

    Errors: `LoginDenied`, `TlsHandshake` when the server does not protect data, those of `converse`.
    """
    protection = [Command("PBSZ", "0"), Command("PROT", "P")] if connection.secure else []
    rest = [*protection, *commands]
    trace = connection.session.trace
    try:
        answers, replies = _send_login(connection, rest)
        _judge(connection, answers)
    finally:
        trace.lap("login")
    trace.follow("commands")
    after = list(replies)
    connection.accept_login()
    if len(after) < len(rest):
        after = list(converse(connection, rest))
    for command, reply in zip(protection, after, strict=False):
        if reply.code != 200:
            raise TlsHandshake.from_reply(f"{command.verb} {command.argument} refused", reply)
    return after[len(protection) :]


def _send_login(connection: ControlConnection, rest: Sequence[Command]) -> tuple[list[Reply], Iterator[Reply]]:
    """Send USER and PASS, and `rest` with them where that may be; return the replies to the two, and those to come."""
    who = connection.server_key.credentials
    user = Command("USER", who.user)
    password = [Command("PASS", secret=who.password)] if who.password is not None else []
    pipelines = connection.server_state.pipelines
    if pipelines and (connection.secure or who is ANONYMOUS):
        _hold_password(connection)
        replies = converse(connection, [user, *password, *rest])
        return list(islice(replies, 1 + len(password))), replies
    answers = list(converse(connection, [user]))
    if answers[0].code != 331 or not password:
        return answers, iter(())
    if not connection.secure and (note := clear_text_note(who, connection.stream.peer.host)):
        connection.session.note(note)
    _hold_password(connection)
    replies = converse(connection, [*password, *(rest if pipelines else [])])
    return [*answers, next(replies)], replies


def _hold_password(connection: ControlConnection) -> None:
    """Forbid that another try sends the password, from here until it is accepted."""
    if connection.server_key.credentials is not ANONYMOUS:
        connection.session.attempt.forbid_retry("a password has gone out that is not accepted yet")


def _judge(connection: ControlConnection, replies: Sequence[Reply]) -> None:
    """Raise if the login did not go well. 230 to USER is enough, whatever the reply to a PASS that was not needed."""
    who = connection.server_key.credentials
    reply = replies[0] if replies[0].code != 331 else replies[-1]
    match reply.code:
        case 230 | 202 | 232:
            return
        case 331 if len(replies) == 1:
            why = "the server wants a password, and none was given (--password-file, netrc)"
        case 332:
            why = "the server wants an account (ACCT)"
        case _:
            why = f'login denied: "{reply}"'
    if connection.server_state.login_succeeded:  # ProFTPD's MaxClientsPerHost says 530
        connection.reject()
        raise reply_error(why, reply)
    raise connection.server_state.deny_login(LoginDenied.from_reply(f"{who.user}: {why}", reply, quoted=False))
