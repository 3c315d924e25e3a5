"""The control connection: commands out, replies in, and the way to a login.

    GREETED   220 | 120 then 220; AUTH TLS -> 234 (RFC 4217 section 4) and the handshake
      |       USER -> 230 | 331, PASS -> 230 | 202; under TLS: PBSZ 0, PROT P
    READY     everything else

Independent commands go out in one write, with the login in front if that is still to come: one round trip for all of
them. Nothing is sent before the greeting, or across AUTH TLS. PASS follows USER in one write only when the password is
nobody's secret, or inside TLS: a server that insists on TLS refuses USER, and the password must not have left by then.

RFC 959 does not promise that a server reads on behind a command. One that throws away what stood there, or answers more
or less often than it was asked, is found out by a reply that does not fit or does not come. Then PWD is sent, or FEAT
before the login, whose answer fits nothing else: it shows where the conversation stands. What was left unanswered is
asked again, one command at a time, and so is everything from then on with that server. A login is never repeated.

Nothing is pipelined behind RETR or STOR: during a transfer, ProFTPD does not answer what it reads, pyftpdlib drops the
data connection at an EPSV, and a reply that comes out of turn could pass for the transfer's own.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum

from inetcli.errors import InetError, LoginDenied, ProtocolViolation, TimedOut, TlsHandshake
from inetcli.net.credentials import Credentials, clear_text_note
from inetcli.net.deadline import Deadline
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.wait import Cancelled, WaitLimits
from inetcli.protocols.ftp.errors import reply_error
from inetcli.protocols.ftp.model import Features
from inetcli.protocols.ftp.server_state import ANONYMOUS, ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command, parse_features, parse_path
from inetcli.wire.replies import Reply, parse_reply

STALL_S = 3.0
"""How long the next reply to commands that went out together may take, before the server is suspected of having thrown
away the rest. One that is only slow is asked one question more."""

PROBE = Command("PWD")

EARLY_PROBE = Command("FEAT")
"""What shows where the conversation stands, after a login and before it: vsftpd refuses all but a few things there."""


class State(Enum):
    """How far the conversation has come."""

    GREETED = "greeted"
    READY = "ready"


class Control:
    """A control connection to one server."""

    def __init__(
        self, session: Session, stream: SocketStream, server_key: ServerKey, server_state: ServerState
    ) -> None:
        self.session = session
        self.stream = stream
        self.server_key = server_key
        self.server_state = server_state
        self.state = State.GREETED
        self.answered = 0
        """Replies that have come since a target took this connection."""
        self.fresh = True
        """No other target has used it."""
        self.type: str | None = None
        """The representation type that is set, of TYPE."""
        self._agreed = False
        self._home: str | None = None
        self._hung_up = False
        self._outstanding = 0

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken here."""
        return not self.stream.can_splice

    @property
    def usable(self) -> bool:
        """Whether another target may go on with it: every reply is here."""
        return self.state is State.READY and not self._outstanding

    @property
    def rejected(self) -> bool:
        """Whether the server hung up on us before we were logged in: it has too many users."""
        return self._hung_up and self.state is State.GREETED

    @property
    def encoding(self) -> str:
        """The encoding of names: UTF-8 where the server says so, or the user says nothing else."""
        features = self.server_state.features
        return "utf-8" if features and features.utf8 else self.server_key.encoding or "utf-8"

    def adopt(self, session: Session) -> None:
        """Go on for another target: its limits, its trace."""
        self.session = session
        self.stream.limits = session.wait_limits()
        self.stream.trace = session.trace
        session.attempt.tls = self.stream.facts.summary() if self.stream.facts else None
        self.answered = 0
        self.fresh = False

    def ask(self, verb: str, argument: str = "") -> Reply:
        """One command and its reply. `Refused` for 421: the server is about to hang up."""
        return self.ask_all([Command(verb, argument)])[0]

    def ask_all(self, commands: Sequence[Command]) -> list[Reply]:
        """The replies to commands that do not depend on each other, the login in front where it is still to come.

        Errors: `LoginDenied`, `Refused` for 421, those of the stream.
        """
        if self.state is State.READY:
            return self._converse(commands)
        return self._log_in(self._login_commands(), commands)

    def send(self, command: Command) -> None:
        """One command whose reply is asked for later, with `reply`."""
        self._send([command])

    def reply(self) -> Reply:
        """The next reply."""
        reply = self.stream.read(parse_reply)
        if reply.code == 421:  # no answer: it may have come before the command did
            self._hung_up = True
            raise reply_error("the server closes the connection", reply)
        self.answered += 1
        if reply.first != 1:
            self._outstanding -= 1
        return reply

    def abandon(self) -> None:
        """Something is under way that nobody will wait for: this connection is of no use to others."""
        self._outstanding += 1

    @contextmanager
    def overtime(self, seconds: float) -> Iterator[None]:
        """Some time beyond every limit, to tidy up."""
        usual = self.stream.limits
        limit = Deadline(usual.deadline.clock).within(seconds, "timed out: no time left to tidy up")
        self.stream.limits = WaitLimits(limit, seconds, usual.cancel)
        try:
            yield
        finally:
            self.stream.limits = usual

    def settle(self) -> None:
        """Wait for the replies that are still to come."""
        while self._outstanding > 0:
            self.reply()

    def features(self) -> Features:
        """What the server can do; asked once."""
        if self.server_state.features is None:
            self.agree_on_names()
        return self.server_state.features or Features({})

    def agree_on_names(self, name: str | None = None) -> None:
        """Say that our names are UTF-8, and find out whether the server's are (RFC 2640): once for a connection, and
        only if it matters for `name`. Some servers want to be told, others do it anyway; a refusal is no matter."""
        ascii_only = name is not None and name.isascii() and self.server_key.encoding is None
        if not (self._agreed or ascii_only):
            features, _ = self.ask_all([Command("FEAT"), Command("OPTS", "UTF8 ON")])
            self.server_state.features = parse_features(features)
            self._agreed = True

    def home(self) -> str:
        """The folder that the login began in; asked once, so before the first CWD. `Refused`, `ProtocolViolation`."""
        if self._home is None:
            reply = self.ask("PWD")
            if reply.code != 257:
                raise reply_error("the server does not tell the folder", reply)
            self._home = parse_path(reply)
        return self._home

    def quit(self) -> None:
        """QUIT, without waiting for the answer: everything that counts is done."""
        try:
            self.stream.send(Command("QUIT").encode())
        except (InetError, Cancelled):
            pass
        finally:
            self.stream.close()

    # The login

    def _login_commands(self) -> list[Command]:
        who = self.server_key.credentials
        login = [Command("USER", who.user)]
        if who.password is not None:
            login.append(Command("PASS", secret=who.password))
        return login

    def _log_in(self, login: list[Command], commands: Sequence[Command]) -> list[Reply]:
        """USER and PASS, under TLS PBSZ and PROT, and with or after them `commands`; the replies to these."""
        who = self.server_key.credentials
        protect = [Command("PBSZ", "0"), Command("PROT", "P")] if self.secure else []
        rest = [*protect, *commands]
        after: list[Reply] = []

        def heed(before: Sequence[Reply], came: Sequence[Reply]) -> None:
            if len(before) + len(came) == len(login):  # who refuses it may close at once, and answer nothing else
                self._judge([*before, *came])

        if self.server_state.pipelines and (self.secure or who is ANONYMOUS):
            self._commit(who)
            replies = self._converse([*login, *rest], lambda came: heed([], came))
            answers, after = replies[: len(login)], replies[len(login) :]
        else:
            answers = self._converse(login[:1])
            if answers[0].code == 331 and who.password is not None:
                if not self.secure and (note := clear_text_note(who, self.stream.peer.host)):
                    self.session.note(note)
                self._commit(who)
                at_once = rest if self.server_state.pipelines else []
                replies = self._converse([login[1], *at_once], lambda came: heed(answers, came))
                answers, after = [answers[0], replies[0]], replies[1:]
        self._judge(answers)
        self.session.attempt.allow_retry()
        self.state = State.READY
        self.server_state.accept_login()
        if len(after) < len(rest):
            after = self._converse(rest)
        for command, reply in zip(protect, after, strict=False):
            if reply.code != 200:
                what = f"{command.verb} {command.argument}"
                raise TlsHandshake.from_reply(f"{what} refused", reply)
        return after[len(protect) :]

    def _commit(self, who: Credentials) -> None:
        """From here until it is accepted, a password is not to be sent by another try."""
        if who is not ANONYMOUS:
            self.session.attempt.forbid_retry("a password has gone out that is not accepted yet")

    def _judge(self, replies: Sequence[Reply]) -> None:
        """Whether the login went well: 230 to USER is enough, whatever is said to a PASS that was not needed."""
        who = self.server_key.credentials
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
        if self.server_state.login_succeeded:  # ProFTPD's MaxClientsPerHost says 530
            self._hung_up = True
            raise reply_error(why, reply)
        raise self.server_state.deny_login(LoginDenied.from_reply(f"{who.user}: {why}", reply, quoted=False))

    # Commands and replies in step, and getting back into it

    def _send(self, commands: Sequence[Command]) -> None:
        if not self._outstanding:
            self.stream.reader.drain()  # what came unasked answers nothing
        data = b"".join(command.encode(self.encoding) for command in commands)
        shown = b"".join(command.shown(self.encoding) for command in commands)
        self._outstanding += len(commands)
        self.stream.send(data, shown=shown)

    def _converse(
        self, commands: Sequence[Command], heed: Callable[[list[Reply]], object] = lambda came: None
    ) -> list[Reply]:
        """The replies to these commands; `heed` sees those that have come, after each."""
        if not self.server_state.pipelines or len(commands) < 2:
            return [self._in_step(command) for command in commands]
        self._send(commands)
        replies: list[Reply] = []
        for command in commands:
            reply = self._soon() if replies else self.reply()
            if reply is None or not command.fits(reply):
                return self._again(commands, replies, reply)
            replies.append(reply)
            heed(replies)
        return replies

    def _in_step(self, command: Command) -> Reply:
        self._send([command])
        return self.reply()

    def _soon(self) -> Reply | None:
        """The next reply; None = it does not come for a while, though there is time left."""
        usual = self.stream.limits
        self.stream.limits = replace(usual, silence_s=min(STALL_S, usual.silence_s / 2))
        try:
            return self.reply()
        except TimedOut:
            if usual.deadline.passed:
                raise
            return None
        finally:
            self.stream.limits = usual

    def _again(self, commands: Sequence[Command], replies: list[Reply], misfit: Reply | None) -> list[Reply]:
        """Find back into step, and ask what was not answered. `misfit` is the reply that answers no command, None = no
        reply came for a while."""
        late = self._find_place(commands, len(commands) - len(replies))
        if misfit is None:
            for command, reply in zip(commands[len(replies) :], late, strict=False):
                if not command.fits(reply):
                    break
                replies.append(reply)
            if len(replies) == len(commands):
                return replies  # it was only slow
        else:
            login = sum(command.verb in ("USER", "PASS") for command in commands)
            if len(replies) < login:
                replies += [self._login_reply(misfit, late)] * (login - len(replies))
            del replies[login:]
        self.server_state.pipelines = False
        self.session.note("the server loses count of commands that are sent together: asking one at a time")
        return [*replies, *(self._in_step(command) for command in commands[len(replies) :])]

    def _login_reply(self, misfit: Reply, late: Sequence[Reply]) -> Reply:
        """Among replies that nobody can count any more, the one that says how the login went: it is not repeated."""
        for reply in (misfit, *late):
            if reply.code in (230, 202, 332) or reply.first == 5:
                return reply
        raise ProtocolViolation(f'expected a reply to the login, got "{misfit}"')

    def _find_place(self, commands: Sequence[Command], missing: int) -> list[Reply]:
        """Ask something whose answer fits nothing else; the replies that came before that answer.

        A slow server is waited for, as it always is: to take a late reply for another one would be worse than to fail.
        Behind a lone refusal, the wait is shorter where no password could be sent twice for it.
        """
        early = self.state is State.GREETED and EARLY_PROBE not in commands
        probe, answer = (EARLY_PROBE, 211) if early else (PROBE, 257)
        self._send([probe])
        came: list[Reply] = []
        while len(came) <= missing:
            lone = len(came) == 1 and came[0].first == 5
            try:
                reply = self._soon() if lone and self.server_key.credentials is ANONYMOUS else self.reply()
            except TimedOut:
                if not lone or self.session.deadline.passed:
                    raise
                reply = None
            if reply is None:
                break  # a refused probe, and nothing else
            if reply.code == answer:
                self._outstanding = 0
                return came
            came.append(reply)
        if came[-1].first < 4:
            raise ProtocolViolation(
                f'expected an answer to {probe.verb}, got "{came[-1]}": the server cannot be followed'
            )
        self._outstanding = 0
        return came[:-1]  # the last was the probe's refusal
