"""The newest article of a group:

    200 | 201                              greeting
    GROUP g          -> 211 count low high
    ARTICLE high     -> 220, the article   (normal case: two commands)
                     -> 423                cancelled or expired: search for the newest remaining article

RFC 3977 section 6.1.1.2 allows marks without an article behind them. So the search goes downwards in windows of article
numbers, each twice as large as the one before, by OVER, XOVER, LISTGROUP with a range, or STAT, whichever the server
supports. CAPABILITIES is not sent: some servers answer it with 400 or 480 and close the connection.

480 may be the reply to any command (RFC 4643 section 2.2): then AUTHINFO is sent, and the command is repeated. 401
MODE-READER may come from a transit server that also has readers (RFC 3977 section 3.4.2): then MODE READER is sent, and
the command is repeated.
"""

from collections.abc import Iterator

from inetcli.errors import Empty, InetError, LoginDenied, ProtocolViolation, TlsHandshake
from inetcli.net.credentials import Credentials, Login, clear_text_note
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.trust import TlsMode
from inetcli.net.wait import Cancelled
from inetcli.protocols.nntp.article import parse_article
from inetcli.protocols.nntp.errors import login_error, reply_error
from inetcli.protocols.nntp.model import Article, Group
from inetcli.protocols.nntp.wire import encode_command, parse_article_number, parse_group, parse_numbers
from inetcli.secret import MASK
from inetcli.wire.dotblock import MAX_BLOCK, parse_block
from inetcli.wire.replies import Reply, parse_status

FIRST_WINDOW = 64
MAX_WINDOWS = 24
"""64 x 2**24 numbers: a thousand times the largest existing group."""

MAX_STATS = 256
"""Articles tested one by one, if the server supports no other command."""

_MISSING = (420, 423, 430)
_NO_SUCH_COMMAND = (500, 501, 502, 503)


class Connection:
    """A connection to one news server."""

    def __init__(self, session: Session, stream: SocketStream, host: str, credentials: Credentials | None) -> None:
        self._session = session
        self._credentials = credentials
        self.stream = stream
        self.host = host

    def latest(self, name: str) -> Article:
        """Return the newest existing article. `NotFound`: no such group; `Empty`: no article in it."""
        group = self.group(name)
        if group.empty:
            raise Empty(f"{name}: the group is empty")
        number = group.high
        article = self._fetch_article(group, number)
        for candidate in self._numbers_downwards(group) if article is None else ():
            article = self._fetch_article(group, candidate)
            if article is not None:
                break
        if article is None:
            raise Empty(f"{name}: no article between the marks {group.low} and {group.high}")
        return article

    def group(self, name: str) -> Group:
        """Select a group and return its marks."""
        reply = self.command("GROUP", name)
        if reply.code == 411:
            raise reply_error(f"{name}: no such group", reply)
        if reply.code != 211:
            raise reply_error(f"{name}: cannot select the group", reply)
        return parse_group(reply, name)

    def command(self, *words: str) -> Reply:
        """Send a command and return its status line; repeat it after a requested mode change or login.

        `Refused` for 400, after which the server closes the connection.
        """
        line = encode_command(*words)
        reply = self._exchange(line)
        if reply.code == 401:
            self._switch_to_reader_mode(reply)
            reply = self._exchange(line)
        if reply.code == 480:
            self._log_in(reply)
            reply = self._exchange(line)
        if reply.code in (480, 483):
            raise login_error(words[0], reply)
        return reply

    def quit(self) -> None:
        """Send QUIT without waiting for the reply, and close the connection."""
        try:
            self.stream.send(encode_command("QUIT"))
        except (InetError, Cancelled):
            pass
        finally:
            self.stream.close()

    def _fetch_article(self, group: Group, number: int) -> Article | None:
        reply = self.command("ARTICLE", str(number))
        if reply.code in _MISSING:
            return None
        if reply.code != 220:
            raise reply_error(f"{group.name}: cannot read article {number}", reply)
        lines = self.stream.read(lambda reader: parse_block(reader, MAX_BLOCK, f"article {number}"))
        return parse_article(lines, group.name, parse_article_number(reply) or number)

    def _numbers_downwards(self, group: Group) -> Iterator[int]:
        """Yield existing article numbers below the high mark down to the low mark, the highest first."""
        top, size = group.high - 1, FIRST_WINDOW
        for _ in range(MAX_WINDOWS):
            if top < group.low:
                return
            bottom = max(group.low, top - size + 1)
            yield from sorted(self._existing_numbers(group, bottom, top), reverse=True)
            top, size = bottom - 1, size * 2

    def _existing_numbers(self, group: Group, bottom: int, top: int) -> list[int]:
        """Return the numbers from `bottom` to `top` that have articles."""
        span = f"{bottom}-{top}"
        commands: list[tuple[tuple[str, ...], int]] = [
            (("OVER", span), 224),
            (("XOVER", span), 224),
            (("LISTGROUP", group.name, span), 211),
        ]
        for words, expected_code in commands:
            reply = self.command(*words)
            if reply.code == expected_code:
                numbers = self.stream.read(parse_numbers)
                return [number for number in numbers if bottom <= number <= top]
            if reply.code in _MISSING:
                return []
            if reply.code not in _NO_SUCH_COMMAND:
                raise reply_error(f"{group.name}: {words[0]} refused", reply)
        lowest = max(bottom, top - MAX_STATS + 1)
        return [number for number in range(top, lowest - 1, -1) if self.command("STAT", str(number)).code == 223][:1]

    def _exchange(self, line: bytes) -> Reply:
        self.stream.send(line)
        return self._read_status()

    def _read_status(self) -> Reply:
        reply = self.stream.read(parse_status)
        if reply.code == 400:
            raise reply_error("server closes the connection", reply)
        return reply

    def _switch_to_reader_mode(self, refusal: Reply) -> None:
        """Send MODE READER (RFC 3977 section 5.3), if the server requests that mode."""
        if refusal.text.split()[:1] != ["MODE-READER"]:
            raise reply_error("server requires an unknown mode", refusal)
        reply = self._exchange(encode_command("MODE", "READER"))
        if reply.code not in (200, 201):
            raise reply_error("server does not accept readers", reply)

    def _log_in(self, refusal: Reply) -> None:
        """Send AUTHINFO USER and PASS (RFC 4643 section 2.3), each once."""
        credentials = self._credentials
        if credentials is None or credentials.password is None:
            raise login_error("login required; use --user with --password-file, or netrc", refusal)
        if note := None if not self.stream.can_splice else clear_text_note(credentials, self.stream.peer.host):
            self._session.note(note)
        self.stream.send(encode_command("AUTHINFO", "USER", credentials.user))
        reply = self._read_status()
        if reply.code == 381:
            self._session.attempt.forbid_retry("a password has been sent")
            shown = encode_command("AUTHINFO", "PASS", MASK)
            self.stream.send(_password_line(credentials), shown=shown)
            reply = self._read_status()
        if reply.code != 281:
            raise login_error(f"login as {credentials.user} denied", reply)
        self._session.attempt.allow_retry()
        self._session.trace.end_phase("login")
        self._session.trace.begin_phase("commands")


def connect(session: Session, host: str, port: int, login: Login) -> Connection:
    """Open a connection and read the greeting, with TLS if requested. Errors: those of connecting and TLS,
    `Refused`."""

    def greet(session: Session, stream: SocketStream) -> Connection:
        greeting = stream.read(parse_status)
        if greeting.code in (400, 502):
            raise reply_error("connection rejected", greeting)
        if greeting.code not in (200, 201):
            raise ProtocolViolation.from_reply(
                f'expected a greeting of 200 or 201, got "{greeting}"', greeting, quoted=False
            )
        session.trace.end_phase("login")
        if login.tls is TlsMode.EXPLICIT:
            stream = _start_tls(session, stream, host)
        session.trace.begin_phase("commands")
        return Connection(session, stream, host, login.credentials)

    return session.open(host, port, tls=login.tls, greet=greet)


def _start_tls(session: Session, stream: SocketStream, host: str) -> SocketStream:
    stream.send(encode_command("STARTTLS"))
    reply = stream.read(parse_status)
    if reply.code != 382:
        raise TlsHandshake.from_reply("STARTTLS refused", reply)
    session.trace.end_phase("login")  # the handshake is a phase of its own
    return session.start_tls(stream, host)


def _password_line(credentials: Credentials) -> bytes:
    assert credentials.password is not None
    secret = credentials.password.reveal()
    if any(character in secret for character in "\r\n\0"):
        raise LoginDenied("the password contains a CR, LF or NUL, which NNTP cannot send")
    return f"AUTHINFO PASS {secret}\r\n".encode("utf-8", "surrogateescape")
