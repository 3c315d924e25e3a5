"""The control connection itself: command lines out, replies in, and the states that it goes through.

    GREETED ----> LOGGING_IN ----> AWAITING <---> READY         AWAITING: replies are still to come
         \\            |               |            |
          +-- 421 -----+               +--- 421 ----+           READY: every reply is here, and so another target
                 v                           v                         may have the connection
             REJECTED                      BROKEN

The states and the events that lead from one to the next stand in one table, `_NEXT`. All else are plain facts.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from inetcli.errors import InetError
from inetcli.net.deadline import Deadline
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.wait import Cancelled
from inetcli.protocols.ftp.errors import reply_error
from inetcli.protocols.ftp.server_state import ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply, parse_reply


class ControlState(Enum):
    """The state of a control connection."""

    GREETED = auto()
    LOGGING_IN = auto()
    READY = auto()
    AWAITING = auto()
    REJECTED = auto()
    BROKEN = auto()


class ControlEvent(Enum):
    """An event that changes the state of a control connection."""

    SENT = auto()
    LOGGED_IN = auto()
    ALL_ANSWERED = auto()
    HUNG_UP = auto()
    REUSE_FORBIDDEN = auto()


_NEXT: Mapping[ControlState, Mapping[ControlEvent, ControlState]] = {
    ControlState.GREETED: {
        ControlEvent.SENT: ControlState.LOGGING_IN,
        ControlEvent.HUNG_UP: ControlState.REJECTED,
        ControlEvent.REUSE_FORBIDDEN: ControlState.BROKEN,
    },
    ControlState.LOGGING_IN: {
        ControlEvent.LOGGED_IN: ControlState.AWAITING,
        ControlEvent.HUNG_UP: ControlState.REJECTED,
        ControlEvent.REUSE_FORBIDDEN: ControlState.BROKEN,
    },
    ControlState.READY: {
        ControlEvent.SENT: ControlState.AWAITING,
        ControlEvent.HUNG_UP: ControlState.BROKEN,
        ControlEvent.REUSE_FORBIDDEN: ControlState.BROKEN,
    },
    ControlState.AWAITING: {
        ControlEvent.ALL_ANSWERED: ControlState.READY,
        ControlEvent.HUNG_UP: ControlState.BROKEN,
        ControlEvent.REUSE_FORBIDDEN: ControlState.BROKEN,
    },
    ControlState.REJECTED: {},
    ControlState.BROKEN: {},
}
"""Which event leads from a state to which other; all others change nothing."""

_BEFORE_LOGIN = (ControlState.GREETED, ControlState.LOGGING_IN, ControlState.REJECTED)


class ControlConnection:
    """A control connection to one server, greeted."""

    def __init__(
        self, session: Session, stream: SocketStream, server_key: ServerKey, server_state: ServerState
    ) -> None:
        self.session = session
        self.stream = stream
        self.server_key = server_key
        self.server_state = server_state
        self.answered = 0
        """Replies that have come since a target took this connection."""
        self.fresh = True
        """No other target has used the connection."""
        self._state = ControlState.GREETED
        self._outstanding = 0
        """Replies that are still to come."""

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken here."""
        return not self.stream.can_splice

    @property
    def usable(self) -> bool:
        """Whether another target may go on with the connection: every reply is here."""
        return self._state is ControlState.READY

    @property
    def rejected(self) -> bool:
        """Whether the server hung up on us before we were logged in: it has too many users."""
        return self._state is ControlState.REJECTED

    @property
    def needs_login(self) -> bool:
        """Whether no login has been accepted here."""
        return self._state in _BEFORE_LOGIN

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
        session.trace.follow("commands")
        session.attempt.tls = self.stream.facts.summary() if self.stream.facts else None
        self.answered = 0
        self.fresh = False

    def send(
        self, commands: Sequence[Command], *, silence_s: float | None = None, deadline: Deadline | None = None
    ) -> None:
        """Send commands in one write; their replies are read later, with `reply`."""
        if not self._outstanding:
            self.stream.reader.drain()  # what came unasked answers nothing
        data = b"".join(command.encode(self.encoding) for command in commands)
        shown = b"".join(command.shown(self.encoding) for command in commands)
        self._outstanding += len(commands)
        self._follow(ControlEvent.SENT)
        self.stream.send(data, shown=shown, silence_s=silence_s, deadline=deadline)

    def reply(self, *, silence_s: float | None = None, deadline: Deadline | None = None) -> Reply:
        """Return the next reply. `Refused` for 421: the server is about to hang up. Errors: those of the stream."""
        reply = self.stream.read(parse_reply, silence_s=silence_s, deadline=deadline)
        if reply.code == 421:  # no answer: it may have come before the command did
            self.reject()
            raise reply_error("the server closes the connection", reply)
        self.answered += 1
        if reply.first != 1:
            self._outstanding -= 1
            if not self._outstanding:
                self._follow(ControlEvent.ALL_ANSWERED)
        return reply

    def exchange(self, command: Command, *, silence_s: float | None = None, deadline: Deadline | None = None) -> Reply:
        """Send one command, and return its reply."""
        self.send([command], silence_s=silence_s, deadline=deadline)
        return self.reply(silence_s=silence_s, deadline=deadline)

    def accept_login(self) -> None:
        """Record that the login went well, here and for the server."""
        self.session.attempt.allow_retry()
        self.server_state.accept_login()
        self._follow(ControlEvent.LOGGED_IN)
        if not self._outstanding:
            self._follow(ControlEvent.ALL_ANSWERED)

    def reject(self) -> None:
        """Record that the server wants no more of us here: it hangs up, or has too many users."""
        self._follow(ControlEvent.HUNG_UP)

    def resynchronise(self) -> None:
        """Record that no reply is still to come: a probe has shown where the conversation stands."""
        self._outstanding = 0
        self._follow(ControlEvent.ALL_ANSWERED)

    def forbid_reuse(self) -> None:
        """Mark the connection as not reusable: a reply is outstanding that will not be read, or the server is left in
        a state that would surprise the next target."""
        self._follow(ControlEvent.REUSE_FORBIDDEN)

    def tidy_up(self, command: Command, seconds: float) -> Reply | None:
        """Read the replies that are still to come, and send one command more, in `seconds` beyond every limit.

        None = the connection is of no more use. Errors: those of the stream, `Refused`.
        """
        if self._state is ControlState.BROKEN:
            return None
        limits = self.stream.limits
        deadline = Deadline(limits.deadline.clock).within(seconds, "timed out: no time left to tidy up")
        while self._outstanding > 0:
            self.reply(silence_s=seconds, deadline=deadline)
        return self.exchange(command, silence_s=seconds, deadline=deadline)

    def quit(self) -> None:
        """Send QUIT, without waiting for the answer: everything that counts is done."""
        try:
            self.stream.send(Command("QUIT").encode())
        except (InetError, Cancelled):
            pass
        finally:
            self.stream.close()

    def _follow(self, event: ControlEvent) -> None:
        self._state = _NEXT[self._state].get(event, self._state)
