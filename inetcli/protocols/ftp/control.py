"""The control connection as its users have it: commands and their replies, with the login where it is still to come.

control        what is asked, and what is agreed on: TYPE, FEAT, the folder of the login
login          USER, PASS, PBSZ, PROT
pipelining     commands that go out together, and their replies in step
connection     lines out, replies in, and the states of the connection
"""

from collections.abc import Sequence

from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.connection import ControlConnection
from inetcli.protocols.ftp.errors import expect_reply, reply_error
from inetcli.protocols.ftp.login import log_in
from inetcli.protocols.ftp.model import Features
from inetcli.protocols.ftp.pipelining import converse
from inetcli.protocols.ftp.server_state import ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command, parse_features, parse_path
from inetcli.wire.replies import Reply


class Control(ControlConnection):
    """A control connection that commands are asked on."""

    def __init__(
        self, session: Session, stream: SocketStream, server_key: ServerKey, server_state: ServerState
    ) -> None:
        super().__init__(session, stream, server_key, server_state)
        self._type: str | None = None
        """The representation type that is set, of TYPE."""
        self._home: str | None = None
        """The folder that the login began in."""
        self._names_agreed = False

    def ask(self, verb: str, argument: str = "") -> Reply:
        """Return the reply to one command. `Refused` for 421: the server is about to hang up."""
        return self.ask_all([Command(verb, argument)])[0]

    def ask_all(self, commands: Sequence[Command]) -> list[Reply]:
        """Return the replies to commands that do not depend on each other.

        Errors: `LoginDenied`, `Refused` for 421, those of the stream.
        """
        if self.needs_login:
            return log_in(self, commands)
        return list(converse(self, commands))

    def ask_in_type(self, representation: str, commands: Sequence[Command]) -> dict[str, Reply]:
        """Return the replies to commands by their verbs, with TYPE in front where that type is not set.

        `Refused` when the server has no such type.
        """
        first = [Command("TYPE", representation)] if self._type != representation else []
        replies = self.ask_all([*first, *commands])
        for reply in replies[: len(first)]:
            expect_reply(reply, 2, lambda reply: reply_error(f"TYPE {representation} refused", reply))
            self._type = representation
        return dict(zip((command.verb for command in commands), replies[len(first) :], strict=True))

    def features(self) -> Features:
        """Return what the server can do; asked once."""
        if self.server_state.features is None:
            self.agree_on_names()
        return self.server_state.features or Features({})

    def agree_on_names(self, name: str | None = None) -> None:
        """Say that our names are UTF-8, and find out whether the server's are (RFC 2640): once for a connection, and
        only if it matters for `name`. Some servers want to be told, others do it anyway; a refusal is no matter."""
        ascii_only = name is not None and name.isascii() and self.server_key.encoding is None
        if not (self._names_agreed or ascii_only):
            features, _ = self.ask_all([Command("FEAT"), Command("OPTS", "UTF8 ON")])
            self.server_state.features = parse_features(features)
            self._names_agreed = True

    def home(self) -> str:
        """Return the folder that the login began in; asked once, so before the first CWD.

        Errors: `Refused`, `ProtocolViolation`.
        """
        if self._home is None:
            reply = self.ask("PWD")
            expect_reply(reply, 257, lambda reply: reply_error("the server does not tell the folder", reply))
            self._home = parse_path(reply)
        return self._home
