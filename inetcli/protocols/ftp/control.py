"""The control connection with its login and its settings: the class that the other modules use.

control        commands, and the settings of the connection: TYPE, FEAT, the login folder
login          USER, PASS, PBSZ, PROT
pipelining     commands that are sent together, and the matching of their replies
connection     sending, receiving, and the states of the connection
"""

from collections.abc import Sequence

from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.connection import ControlConnection
from inetcli.protocols.ftp.errors import expect_reply, reply_error
from inetcli.protocols.ftp.login import log_in
from inetcli.protocols.ftp.model import Features
from inetcli.protocols.ftp.pipelining import exchange_all
from inetcli.protocols.ftp.server_state import ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command, parse_features, parse_path
from inetcli.wire.replies import Reply


class Control(ControlConnection):
    """A control connection that logs in before the first command."""

    def __init__(
        self, session: Session, stream: SocketStream, server_key: ServerKey, server_state: ServerState
    ) -> None:
        super().__init__(session, stream, server_key, server_state)
        self._type: str | None = None
        """The current representation type (TYPE); None = not set."""
        self._login_folder: str | None = None
        """The folder in which the login began; None = not requested yet."""
        self._utf8_negotiated = False

    def ask(self, verb: str, argument: str = "") -> Reply:
        """Send one command and return its reply. `Refused` for 421 (the server closes the connection)."""
        return self.ask_all([Command(verb, argument)])[0]

    def ask_all(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands that do not depend on each other, and return their replies.

        Errors: `LoginDenied`, `Refused` for 421, those of the stream.
        """
        if self.needs_login:
            return log_in(self, commands)
        return list(exchange_all(self, commands))

    def ask_in_type(self, representation: str, commands: Sequence[Command]) -> dict[str, Reply]:
        """Send commands and return their replies by verb. TYPE is sent in front if that type is not set.

        Errors: `Refused` if the server does not support the type.
        """
        type_commands = [Command("TYPE", representation)] if self._type != representation else []
        replies = self.ask_all([*type_commands, *commands])
        for reply in replies[: len(type_commands)]:
            expect_reply(reply, 2, lambda reply: reply_error(f"TYPE {representation} refused", reply))
            self._type = representation
        return dict(zip((command.verb for command in commands), replies[len(type_commands) :], strict=True))

    def features(self) -> Features:
        """Return the features of the server, which FEAT requests once."""
        if self.server_state.features is None:
            self.negotiate_utf8()
        return self.server_state.features or Features({})

    def negotiate_utf8(self, name: str | None = None) -> None:
        """Request UTF-8 names (RFC 2640): send FEAT and OPTS UTF8 ON, once for a connection.

        No effect if `name` is ASCII and no other encoding is set. Some servers need OPTS, others use UTF-8 in any case;
        a refusal is ignored.
        """
        ascii_only = name is not None and name.isascii() and self.server_key.encoding is None
        if not (self._utf8_negotiated or ascii_only):
            features, _ = self.ask_all([Command("FEAT"), Command("OPTS", "UTF8 ON")])
            self.server_state.features = parse_features(features)
            self._utf8_negotiated = True

    def login_folder(self) -> str:
        """Return the folder in which the login began. PWD requests it once, which must be before the first CWD.

        Errors: `Refused`, `ProtocolViolation`.
        """
        if self._login_folder is None:
            reply = self.ask("PWD")
            expect_reply(reply, 257, lambda reply: reply_error("PWD refused", reply))
            self._login_folder = parse_path(reply)
        return self._login_folder
