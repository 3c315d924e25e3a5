"""Pipelining: sending several commands in one write, and matching the replies if the server does not support this.

Independent commands are sent in one write and need one round trip. RFC 959 does not promise that a server accepts
further commands before its reply. A server that drops commands, or sends too many or too few replies, is detected by a
reply that does not fit its command or does not arrive. The client then sends a probe: PWD, or FEAT before the login.
Only the probe can have that reply, so that every reply before it can be assigned. Commands without a reply are sent
again, one at a time, and so are all later commands to that server. A login is never repeated.

No command is sent after RETR or STOR until the final reply: during a transfer ProFTPD does not reply to commands,
pyftpdlib drops the data connection after an EPSV, and a reply in the wrong order could be taken for the final reply.
"""

from collections.abc import Iterator, Sequence

from inetcli.errors import ProtocolViolation, TimedOut
from inetcli.protocols.ftp.connection import ControlConnection
from inetcli.protocols.ftp.server_state import ANONYMOUS
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply

STALL_S = 3.0
"""The longest time in seconds to wait for the next reply to pipelined commands.

After this time, the server may have dropped the rest of the commands. A server that is merely slow receives one extra
probe command.
"""

PROBE = Command("PWD")

EARLY_PROBE = Command("FEAT")
"""The probe before a login, because vsftpd accepts only a few commands there."""

LOGIN_VERBS = ("USER", "PASS")
"""The commands that are never repeated."""


def exchange_all(connection: ControlConnection, commands: Sequence[Command]) -> Iterator[Reply]:
    """Send commands that do not depend on each other, and yield their replies.

    The replies to a login are yielded at once, because a server that denies the login may close the connection without
    further replies. The other replies are yielded when all have arrived, because the assignment may change until then.

    Errors: `ProtocolViolation` if replies cannot be assigned to commands, `Refused` for 421, those of the stream.
    """
    replies: list[Reply] = []
    yielded = 0
    if connection.server_state.pipelines and len(commands) > 1:
        probe = EARLY_PROBE if connection.needs_login and EARLY_PROBE not in commands else PROBE
        connection.send(commands)
        for command in commands:
            reply = _read_reply_or_stall(connection) if replies else connection.read_reply()
            if reply is None or not command.fits(reply):
                replies = _resynchronise(connection, commands, replies, reply, probe)
                break
            replies.append(reply)
            if command.verb in LOGIN_VERBS:
                yield reply
                yielded += 1
    one_by_one = [connection.exchange(command) for command in commands[len(replies) :]]
    yield from [*replies[yielded:], *one_by_one]


def _read_reply_or_stall(connection: ControlConnection) -> Reply | None:
    """Return the next reply; None = no reply arrived within the stall limit, and the deadline has not passed."""
    limits = connection.stream.limits
    try:
        return connection.read_reply(silence_s=min(STALL_S, limits.silence_s / 2))
    except TimedOut:
        if limits.deadline.passed:
            raise
        return None


def _resynchronise(
    connection: ControlConnection,
    commands: Sequence[Command],
    replies: list[Reply],
    unexpected: Reply | None,
    probe: Command,
) -> list[Reply]:
    """Resynchronise with the server; return the valid replies, which are those to the first commands.

    `replies` have arrived and fit; `unexpected` fits no command, None = no reply arrived within the stall limit.
    """
    earlier_replies = _send_probe(connection, probe, len(commands) - len(replies))
    if unexpected is None:
        for command, reply in zip(commands[len(replies) :], earlier_replies, strict=False):
            if not command.fits(reply):
                break
            replies.append(reply)
        if len(replies) == len(commands):
            return replies  # The server was merely slow.
    else:
        login = sum(command.verb in LOGIN_VERBS for command in commands)
        if len(replies) < login:
            replies += [_login_reply(unexpected, earlier_replies)] * (login - len(replies))
        del replies[login:]
    connection.server_state.pipelines = False
    connection.session.note("server does not support pipelining; sending commands one at a time")
    return replies


def _login_reply(unexpected: Reply, earlier_replies: Sequence[Reply]) -> Reply:
    """Return the reply that tells the result of the login, from replies that cannot be counted any more."""
    for reply in (unexpected, *earlier_replies):
        if reply.code in (230, 202, 332) or reply.first == 5:
            return reply
    raise ProtocolViolation(f'expected a reply to the login, got "{unexpected}"')


def _send_probe(connection: ControlConnection, probe: Command, missing_count: int) -> list[Reply]:
    """Send a probe and return the replies that arrived before the reply to the probe.

    A slow server gets the usual time, because assigning a late reply to the wrong command would be worse than an error.
    After a single refusal the wait is shorter, if no secret password could be sent twice because of it.
    """
    connection.send([probe])
    received: list[Reply] = []
    while len(received) <= missing_count:
        single_refusal = len(received) == 1 and received[0].first == 5
        try:
            anonymous = connection.server_key.credentials is ANONYMOUS
            reply = _read_reply_or_stall(connection) if single_refusal and anonymous else connection.read_reply()
        except TimedOut:
            if not single_refusal or connection.session.deadline.passed:
                raise
            reply = None
        if reply is None:
            break  # The probe was refused, and no other reply arrived.
        if probe.fits(reply) and reply.first < 4:
            connection.resynchronise()
            return received
        received.append(reply)
    if received[-1].first < 4:
        expected = f'expected a reply to {probe.verb}, got "{received[-1]}"'
        raise ProtocolViolation(f"{expected}: replies and commands do not match")
    connection.resynchronise()
    return received[:-1]  # The last reply refused the probe.
