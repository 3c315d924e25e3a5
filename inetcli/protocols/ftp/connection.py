"""The control connection: commands, replies, and the states of the connection.

    GREETED ----> LOGGING_IN ----> AWAITING <---> READY         AWAITING: replies are outstanding
         \\            |               |            |
          +-- 421 -----+               +--- 421 ----+           READY: no reply is outstanding, so that another target
                 v                           v                         may use the connection
             REJECTED                      BROKEN

The table `_NEXT` contains all states, and the events that change them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from inetcli.errors import InetError
from inetcli.net.deadline import Deadline
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.wait import Cancel, Cancelled
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
"""The next state for a state and an event. An event that is not in the table changes nothing."""

_BEFORE_LOGIN = (ControlState.GREETED, ControlState.LOGGING_IN, ControlState.REJECTED)


class ControlConnection:
    """A control connection to one server, after the greeting."""

    def __init__(
        self, session: Session, stream: SocketStream, server_key: ServerKey, server_state: ServerState
    ) -> None:
        self.session = session
        self.stream = stream
        self.server_key = server_key
        self.server_state = server_state
        self.used_in_try = session.trace.tries
        """The try of the session that uses the connection now or used it last."""
        self.answered = 0
        """The number of replies received since the current try took the connection."""
        self.fresh = True
        """Whether no other target and no earlier try has used the connection."""
        self._state = ControlState.GREETED
        self._outstanding = 0
        """The number of replies that have not been received yet."""

    @property
    def uses_tls(self) -> bool:
        """Whether the connection uses TLS."""
        return not self.stream.can_splice

    @property
    def usable(self) -> bool:
        """Whether another target may use the connection: no reply is outstanding."""
        return self._state is ControlState.READY

    @property
    def rejected(self) -> bool:
        """Whether the server closed the connection before the login succeeded, because it has too many users."""
        return self._state is ControlState.REJECTED

    @property
    def needs_login(self) -> bool:
        """Whether no login has succeeded on this connection."""
        return self._state in _BEFORE_LOGIN

    @property
    def encoding(self) -> str:
        """The encoding of names: UTF-8 if FEAT lists UTF8, else the one of `--encoding`, else UTF-8."""
        features = self.server_state.features
        return "utf-8" if features and features.utf8 else self.server_key.encoding or "utf-8"

    def adopt(self, session: Session) -> None:
        """Assign the connection to another target, or to its next try: use its limits and its trace from now on."""
        self.session = session
        self.used_in_try = session.trace.tries
        self.stream.limits = session.wait_limits()
        self.stream.trace = session.trace
        session.trace.begin_phase("commands")
        session.attempt.tls = self.stream.facts.summary() if self.stream.facts else None
        self.answered = 0
        self.fresh = False

    def send(
        self, commands: Sequence[Command], *, silence_s: float | None = None, deadline: Deadline | None = None
    ) -> None:
        """Send commands in one write. The caller reads the replies later, with `read_reply`."""
        if not self._outstanding:
            self.stream.reader.drain()  # Bytes that were received without a command are no reply to the next one.
        data = b"".join(command.encode(self.encoding) for command in commands)
        shown = b"".join(command.encode_masked(self.encoding) for command in commands)
        self._outstanding += len(commands)
        self._change_state(ControlEvent.SENT)
        self.stream.send(data, shown=shown, silence_s=silence_s, deadline=deadline)

    def read_reply(self, *, silence_s: float | None = None, deadline: Deadline | None = None) -> Reply:
        """Read the next reply and return it. Errors: those of the stream; `Refused` for 421 (the server hangs up)."""
        reply = self.stream.read(parse_reply, silence_s=silence_s, deadline=deadline)
        if reply.code == 421:  # The server may have sent this reply before it received the command.
            self.reject()
            raise reply_error("the server closes the connection", reply)
        self.answered += 1
        if reply.first != 1:
            self._outstanding -= 1
            if not self._outstanding:
                self._change_state(ControlEvent.ALL_ANSWERED)
        return reply

    def exchange(self, command: Command, *, silence_s: float | None = None, deadline: Deadline | None = None) -> Reply:
        """Send one command and return its reply."""
        self.send([command], silence_s=silence_s, deadline=deadline)
        return self.read_reply(silence_s=silence_s, deadline=deadline)

    def accept_login(self) -> None:
        """Record a successful login, for the connection and for the server."""
        self.session.attempt.allow_retry()
        self.server_state.accept_login()
        self._change_state(ControlEvent.LOGGED_IN)
        if not self._outstanding:
            self._change_state(ControlEvent.ALL_ANSWERED)

    def reject(self) -> None:
        """Record that the server closes the connection or reports too many users."""
        self._change_state(ControlEvent.HUNG_UP)

    def resynchronise(self) -> None:
        """Record that no reply is outstanding, after a probe command was answered."""
        self._outstanding = 0
        self._change_state(ControlEvent.ALL_ANSWERED)

    def forbid_reuse(self) -> None:
        """Mark the connection as not reusable.

        A reply is outstanding that will not be read, or the server is in a state that the next target does not expect.
        """
        self._change_state(ControlEvent.REUSE_FORBIDDEN)

    def ignore_cancel(self) -> None:
        """Let the waits of this connection go on although the program is being stopped. For a last command: the
        connection is not used again."""
        self.stream.limits = replace(self.stream.limits, cancel=Cancel())

    def clean_up(self, command: Command, seconds: float) -> Reply | None:
        """Read the outstanding replies, then send one more command and return its reply, all within `seconds`.

        `seconds` is independent of the limits of the target. None = the connection is not usable any more. Errors:
        those of the stream, `Refused`.
        """
        if self._state is ControlState.BROKEN:
            return None
        limits = self.stream.limits
        deadline = Deadline(limits.deadline.clock).within(seconds, "timed out while cleaning up on the server")
        while self._outstanding > 0:
            self.read_reply(silence_s=seconds, deadline=deadline)
        return self.exchange(command, silence_s=seconds, deadline=deadline)

    def quit(self) -> None:
        """Send QUIT and close the connection, without waiting for the reply, which cannot change any result."""
        try:
            self.stream.send(Command("QUIT").encode())
        except (InetError, Cancelled):
            pass
        finally:
            self.stream.close()

    def _change_state(self, event: ControlEvent) -> None:
        self._state = _NEXT[self._state].get(event, self._state)
