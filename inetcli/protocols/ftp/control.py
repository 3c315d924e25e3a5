"""The control connection: commands out, replies in, and the way to a login.

    220 | 120 then 220
    AUTH TLS -> 234 (RFC 4217 section 4), the handshake, PBSZ 0, PROT P
    USER -> 230 | 331, PASS -> 230 | 202

PASS follows USER in one write only when the password is nobody's secret, or inside TLS: a server that insists on TLS
refuses USER, and the password must not have left by then. A refused password is never sent again.
"""

from inetcli.errors import (
    Denied,
    InetError,
    LoginDenied,
    NotFound,
    Refused,
    TlsHandshake,
)
from inetcli.net.credentials import Credentials, clear_text_note
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.model import Security
from inetcli.protocols.ftp.wire import encode_command
from inetcli.secret import MASK, Secret
from inetcli.wire.replies import Reply, parse_reply

ANONYMOUS = Credentials("anonymous", Secret("anonymous@"), "anonymous")

TRANSIENT = frozenset((421, 425, 426, 450, 451, 452))
"""Replies after which trying again may help: RFC 959 section 4.2.1's 4yz that are about the moment."""

_NO_ENTRY = ("permission", "denied")


class Control:
    """A control connection to one server."""

    def __init__(self, session: Session, stream: SocketStream, host: str) -> None:
        self.session = session
        self.stream = stream
        self.host = host

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken here."""
        return not self.stream.can_splice

    def ask(self, verb: str, argument: str = "") -> Reply:
        """One command and its reply. `Refused` for 421: the server is about to hang up."""
        self.stream.send(encode_command(verb, argument))
        return self.reply()

    def reply(self) -> Reply:
        """The next reply."""
        reply = self.stream.read(parse_reply)
        if reply.code == 421:
            raise failed("the server closes the connection", reply)
        return reply

    def log_in(self, credentials: Credentials) -> None:
        """USER and PASS. `LoginDenied` when the server does not want us."""
        user = encode_command("USER", credentials.user)
        secret = credentials.password
        if secret is not None and (self.secure or credentials is ANONYMOUS):
            line = encode_command("PASS", secret.reveal())
            self._commit(credentials)
            self.stream.send(user + line, shown=user + encode_command("PASS", MASK))
            first = self.reply()
            self._judge(first if first.code != 331 else self.reply(), credentials)
            if first.code == 230:
                self.reply()  # to the PASS that was not needed: 230, 202 or 503
        else:
            first = self.ask("USER", credentials.user)
            if first.code == 331 and secret is not None:
                if note := clear_text_note(credentials, self.stream.peer.host):
                    self.session.note(note)
                self._commit(credentials)
                self.stream.send(encode_command("PASS", secret.reveal()), shown=encode_command("PASS", MASK))
                first = self.reply()
            self._judge(first, credentials)
        self.session.trace.committed = False

    def leave(self) -> None:
        """QUIT, without waiting for the answer: everything that counts is done."""
        try:
            self.stream.send(encode_command("QUIT"))
        except InetError:
            pass
        finally:
            self.stream.close()

    def _commit(self, credentials: Credentials) -> None:
        self.session.trace.committed = credentials is not ANONYMOUS

    def _judge(self, reply: Reply, credentials: Credentials) -> None:
        if reply.code in (230, 202, 232):
            return
        if reply.code == 331:
            raise LoginDenied(
                f"{credentials.user}: the server wants a password, and none was given (--password-file, netrc)",
                reply_code=reply.code,
                reply=str(reply),
            )
        if reply.code == 332:
            raise LoginDenied("the server wants an account (ACCT)", reply_code=reply.code, reply=str(reply))
        raise LoginDenied(f'login as {credentials.user} denied: "{reply}"', reply_code=reply.code, reply=str(reply))


def open_control(session: Session, host: str, port: int, security: Security, credentials: Credentials) -> Control:
    """A control connection, secured and logged in. Errors: those of connecting and TLS, `Refused`, `LoginDenied`."""
    control = session.until_there(lambda: session.verified(lambda trusting: _greet(trusting, host, port, security)))
    try:
        control.log_in(credentials)
        if control.secure:
            _protect(control)
    except BaseException:
        control.stream.close()
        raise
    return control


def failed(doing: str, reply: Reply) -> InetError:
    """The error for a refusal that has no meaning of its own."""
    error = Refused(f'{doing}: "{reply}"', reply_code=reply.code, reply=str(reply))
    error.transient = reply.code in TRANSIENT
    return error


def missing(doing: str, reply: Reply) -> InetError:
    """The error for a refused path: 550 is "not there", unless its text says that it is forbidden."""
    if reply.code != 550:
        return failed(doing, reply)
    kind = Denied if any(word in reply.text.lower() for word in _NO_ENTRY) else NotFound
    return kind(f'{doing}: "{reply}"', reply_code=reply.code, reply=str(reply))


def _greet(session: Session, host: str, port: int, security: Security) -> Control:
    """Connect, secure, and take the greeting."""
    deadline = session.connect_deadline()
    stream = session.connect(host, port, deadline=deadline)
    try:
        if security is Security.IMPLICIT:
            from inetcli.net.tlsstream import start_tls

            stream = start_tls(session, stream, host, deadline=deadline)
        control = Control(session, stream, host)
        greeting = control.reply()
        while greeting.code == 120:
            greeting = control.reply()
        if greeting.code != 220:
            raise failed("the server does not want us", greeting)
        if security is Security.EXPLICIT:
            control.stream = stream = _auth_tls(control)
    except BaseException:
        stream.close()
        raise
    return control


def _auth_tls(control: Control) -> SocketStream:
    from inetcli.net.tlsstream import start_tls

    reply = control.ask("AUTH", "TLS")
    if reply.code != 234:
        raise TlsHandshake(f'AUTH TLS refused: "{reply}"', reply_code=reply.code, reply=str(reply))
    return start_tls(control.session, control.stream, control.host)


def _protect(control: Control) -> None:
    """PBSZ and PROT P: data connections inside TLS, too (RFC 4217 section 9)."""
    for verb, argument in (("PBSZ", "0"), ("PROT", "P")):
        reply = control.ask(verb, argument)
        if reply.code != 200:
            raise TlsHandshake(f'{verb} {argument} refused: "{reply}"', reply_code=reply.code, reply=str(reply))
