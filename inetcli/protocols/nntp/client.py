"""The newest article of a group:

    200 | 201                              greeting
    GROUP g          -> 211 count low high
    ARTICLE high     -> 220, the article   (the straight way: two commands)
                     -> 423                cancelled or expired: look for the newest that is left

RFC 3977 section 6.1.1.2 lets a server name marks with nothing behind them. So the search goes down in windows of
numbers, each twice the one before it, by OVER, or XOVER, or LISTGROUP with a range, or STAT, whichever the server has.
CAPABILITIES is not asked: some servers answer it with 400 or 480 and hang up.

480 may come to any command (RFC 4643 section 2.2): then AUTHINFO, and the command once more. So may 401 MODE-READER,
from a server for servers that has readers, too (RFC 3977 section 3.4.2): then MODE READER, and the command once more.
"""

from collections.abc import Iterator

from inetcli.errors import Empty, InetError, LoginDenied, ProtocolViolation, TlsHandshake
from inetcli.net.credentials import Credentials, Login, clear_text_note
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.trust import TlsMode
from inetcli.protocols.nntp.article import parse_article
from inetcli.protocols.nntp.errors import login_error, reply_error
from inetcli.protocols.nntp.model import Article, Group
from inetcli.protocols.nntp.wire import encode_command, parse_article_number, parse_group, parse_numbers
from inetcli.secret import MASK
from inetcli.wire.dotblock import MAX_BLOCK, parse_block
from inetcli.wire.replies import Reply, parse_status

FIRST_WINDOW = 64
MAX_WINDOWS = 24
"""64 x 2**24 numbers: a thousand times the largest group there is."""

MAX_STATS = 256
"""Articles that are asked for one by one, when the server has nothing better."""

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
        """The newest article that exists. `NotFound`: no such group; `Empty`: no article in it."""
        group = self.group(name)
        if group.empty:
            raise Empty(f"{name}: the group is empty")
        number = group.high
        article = self._article(group, number)
        for candidate in self._downwards(group) if article is None else ():
            article = self._article(group, candidate)
            if article is not None:
                break
        if article is None:
            raise Empty(f"{name}: no article is left behind the marks {group.low} to {group.high}")
        return article

    def group(self, name: str) -> Group:
        """Select a group."""
        reply = self.ask("GROUP", name)
        if reply.code == 411:
            raise reply_error(f"{name}: no such group", reply)
        if reply.code != 211:
            raise reply_error(f"{name}: the group cannot be read", reply)
        return parse_group(reply, name)

    def ask(self, *words: str) -> Reply:
        """One command and its status line. Asked for another mode or a login, see to it and ask again. 400 ends
        everything: `Refused`."""
        line = encode_command(*words)
        reply = self._exchange(line)
        if reply.code == 401:
            self._become_reader(reply)
            reply = self._exchange(line)
        if reply.code == 480:
            self._log_in(reply)
            reply = self._exchange(line)
        if reply.code in (480, 483):
            raise login_error(words[0], reply)
        return reply

    def quit(self) -> None:
        """QUIT, without waiting for the answer: everything that counts is done."""
        try:
            self.stream.send(encode_command("QUIT"))
        except InetError:
            pass
        finally:
            self.stream.close()

    def _article(self, group: Group, number: int) -> Article | None:
        reply = self.ask("ARTICLE", str(number))
        if reply.code in _MISSING:
            return None
        if reply.code != 220:
            raise reply_error(f"{group.name}: article {number} cannot be read", reply)
        lines = self.stream.read(lambda reader: parse_block(reader, MAX_BLOCK, f"article {number}"))
        return parse_article(lines, group.name, parse_article_number(reply) or number)

    def _downwards(self, group: Group) -> Iterator[int]:
        """Numbers that exist, the highest first, as far as the server tells; below the high mark, down to the low."""
        top, size = group.high - 1, FIRST_WINDOW
        for _ in range(MAX_WINDOWS):
            if top < group.low:
                return
            bottom = max(group.low, top - size + 1)
            yield from sorted(self._existing(group, bottom, top), reverse=True)
            top, size = bottom - 1, size * 2

    def _existing(self, group: Group, bottom: int, top: int) -> list[int]:
        """The numbers from `bottom` to `top` that have articles."""
        span = f"{bottom}-{top}"
        ways: list[tuple[tuple[str, ...], int]] = [
            (("OVER", span), 224),
            (("XOVER", span), 224),
            (("LISTGROUP", group.name, span), 211),
        ]
        for words, wanted in ways:
            reply = self.ask(*words)
            if reply.code == wanted:
                numbers = self.stream.read(parse_numbers)
                return [number for number in numbers if bottom <= number <= top]
            if reply.code in _MISSING:
                return []
            if reply.code not in _NO_SUCH_COMMAND:
                raise reply_error(f"{group.name}: {words[0]} refused", reply)
        lowest = max(bottom, top - MAX_STATS + 1)
        return [number for number in range(top, lowest - 1, -1) if self.ask("STAT", str(number)).code == 223][:1]

    def _exchange(self, line: bytes) -> Reply:
        self.stream.send(line)
        return self._status()

    def _status(self) -> Reply:
        reply = self.stream.read(parse_status)
        if reply.code == 400:
            raise reply_error("the server closes the connection", reply)
        return reply

    def _become_reader(self, wanted: Reply) -> None:
        """MODE READER (RFC 3977 section 5.3), when that is the mode that the server wants."""
        if wanted.text.split()[:1] != ["MODE-READER"]:
            raise reply_error("the server wants to be in another mode", wanted)
        reply = self._exchange(encode_command("MODE", "READER"))
        if reply.code not in (200, 201):
            raise reply_error("the server takes no readers", reply)

    def _log_in(self, wanted: Reply) -> None:
        """AUTHINFO USER and PASS (RFC 4643 section 2.3). Each goes out once."""
        who = self._credentials
        if who is None or who.password is None:
            raise login_error("a login is needed, and none was given (--user with --password-file, netrc)", wanted)
        if note := None if not self.stream.can_splice else clear_text_note(who, self.stream.peer.host):
            self._session.note(note)
        self.stream.send(encode_command("AUTHINFO", "USER", who.user))
        reply = self._status()
        if reply.code == 381:
            self._session.attempt.forbid_retry("a password has gone out that is not accepted yet")
            shown = encode_command("AUTHINFO", "PASS", MASK)
            self.stream.send(_password_line(who), shown=shown)
            reply = self._status()
        if reply.code != 281:
            raise login_error(f"login as {who.user} denied", reply)
        self._session.attempt.allow_retry()
        self._session.trace.lap("login")
        self._session.trace.follow("commands")


def connect(session: Session, host: str, port: int, login: Login) -> Connection:
    """Open a connection, greeted, and inside TLS if it is to be. Errors: those of connecting and TLS, `Refused`."""

    def greet(session: Session, stream: SocketStream) -> Connection:
        greeting = stream.read(parse_status)
        if greeting.code in (400, 502):
            raise reply_error("connection rejected", greeting)
        if greeting.code not in (200, 201):
            raise ProtocolViolation.from_reply(
                f'expected a greeting of 200 or 201, got "{greeting}"', greeting, quoted=False
            )
        session.trace.lap("login")
        if login.tls is TlsMode.EXPLICIT:
            stream = _start_tls(session, stream, host)
        session.trace.follow("commands")
        return Connection(session, stream, host, login.credentials)

    return session.open(host, port, tls=login.tls, greet=greet)


def _start_tls(session: Session, stream: SocketStream, host: str) -> SocketStream:
    stream.send(encode_command("STARTTLS"))
    reply = stream.read(parse_status)
    if reply.code != 382:
        raise TlsHandshake.from_reply("STARTTLS refused", reply)
    session.trace.lap("login")  # the handshake is a phase of its own
    return session.start_tls(stream, host)


def _password_line(who: Credentials) -> bytes:
    assert who.password is not None
    secret = who.password.reveal()
    if any(character in secret for character in "\r\n\0"):
        raise LoginDenied("the password holds a CR, LF or NUL, which NNTP cannot send")
    return f"AUTHINFO PASS {secret}\r\n".encode("utf-8", "surrogateescape")
