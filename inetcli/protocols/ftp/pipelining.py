"""Commands that go out together, and getting back into step with a server that loses count.

Independent commands go out in one write: one round trip for all of them. RFC 959 does not promise that a server reads
on behind a command. A server that throws away what stood there, or answers more or less often than it was asked, is
found out by a reply that does not fit or does not come. Then PWD is sent, or FEAT before the login, whose answer fits
nothing else and so shows where the conversation stands. Commands that were left unanswered are asked again, one at a
time, and so is everything from then on with that server. A login is never repeated.

Nothing is pipelined behind RETR or STOR: during a transfer, ProFTPD does not answer what it reads, pyftpdlib drops the
data connection at an EPSV, and a reply that comes out of turn could pass for the transfer's own.
"""

from collections.abc import Iterator, Sequence

from inetcli.errors import ProtocolViolation, TimedOut
from inetcli.protocols.ftp.connection import ControlConnection
from inetcli.protocols.ftp.server_state import ANONYMOUS
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply

STALL_S = 3.0
"""How long the next reply to commands that went out together may take, before the server is suspected of having thrown
away the rest. A server that is merely slow receives one extra probe command."""

PROBE = Command("PWD")

EARLY_PROBE = Command("FEAT")
"""The probe before a login: vsftpd refuses all but a few commands there."""

LOGIN = ("USER", "PASS")
"""The commands that are never repeated."""


def converse(connection: ControlConnection, commands: Sequence[Command]) -> Iterator[Reply]:
    """Send commands that do not depend on each other, and yield their replies.

    The replies to a login come at once, because a server that refuses it may close at once and answer nothing else. The
    others come when all are here: until then the server may turn out to have lost count.

    Errors: `ProtocolViolation` for a server that cannot be followed, `Refused` for 421, those of the stream.
    """
    replies: list[Reply] = []
    yielded = 0
    if connection.server_state.pipelines and len(commands) > 1:
        probe = EARLY_PROBE if connection.needs_login and EARLY_PROBE not in commands else PROBE
        connection.send(commands)
        for command in commands:
            reply = _next_soon(connection) if replies else connection.reply()
            if reply is None or not command.fits(reply):
                replies = _catch_up(connection, commands, replies, reply, probe)
                break
            replies.append(reply)
            if command.verb in LOGIN:
                yield reply
                yielded += 1
    one_by_one = [connection.exchange(command) for command in commands[len(replies) :]]
    yield from [*replies[yielded:], *one_by_one]


def _next_soon(connection: ControlConnection) -> Reply | None:
    """Return the next reply; None = none comes for a while, though there is time left."""
    limits = connection.stream.limits
    try:
        return connection.reply(silence_s=min(STALL_S, limits.silence_s / 2))
    except TimedOut:
        if limits.deadline.passed:
            raise
        return None


def _catch_up(
    connection: ControlConnection,
    commands: Sequence[Command],
    replies: list[Reply],
    misfit: Reply | None,
    probe: Command,
) -> list[Reply]:
    """Find back into step; return the replies that count, to the first of the commands.

    `replies` have come and fit; `misfit` answers no command, None = no reply came for a while.
    """
    late = _find_place(connection, probe, len(commands) - len(replies))
    if misfit is None:
        for command, reply in zip(commands[len(replies) :], late, strict=False):
            if not command.fits(reply):
                break
            replies.append(reply)
        if len(replies) == len(commands):
            return replies  # the server was merely slow
    else:
        login = sum(command.verb in LOGIN for command in commands)
        if len(replies) < login:
            replies += [_login_reply(misfit, late)] * (login - len(replies))
        del replies[login:]
    connection.server_state.pipelines = False
    connection.session.note("server does not support pipelining; sending commands one at a time")
    return replies


def _login_reply(misfit: Reply, late: Sequence[Reply]) -> Reply:
    """Among replies that nobody can count any more, the one that says how the login went."""
    for reply in (misfit, *late):
        if reply.code in (230, 202, 332) or reply.first == 5:
            return reply
    raise ProtocolViolation(f'expected a reply to the login, got "{misfit}"')


def _find_place(connection: ControlConnection, probe: Command, missing: int) -> list[Reply]:
    """Send a probe, whose answer fits nothing else; return the replies that came before that answer.

    A slow server is waited for, as it always is: to take a late reply for another one would be worse than to fail.
    Behind a lone refusal, the wait is shorter where no password could be sent twice for it.
    """
    connection.send([probe])
    came: list[Reply] = []
    while len(came) <= missing:
        lone = len(came) == 1 and came[0].first == 5
        try:
            anonymous = connection.server_key.credentials is ANONYMOUS
            reply = _next_soon(connection) if lone and anonymous else connection.reply()
        except TimedOut:
            if not lone or connection.session.deadline.passed:
                raise
            reply = None
        if reply is None:
            break  # a refused probe, and nothing else
        if probe.fits(reply) and reply.first < 4:
            connection.resynchronise()
            return came
        came.append(reply)
    if came[-1].first < 4:
        raise ProtocolViolation(f'expected an answer to {probe.verb}, got "{came[-1]}": the server cannot be followed')
    connection.resynchronise()
    return came[:-1]  # the last was the probe's refusal
