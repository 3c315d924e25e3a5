"""TLS over a TCP stream, with the verdict as an error class of its own.

An end without close_notify is seen (`ReceiveFailed`), because it is how a truncation looks (RFC 8446 section 6.1).

OpenSSL never sees the socket. Bytes from the network are put into its incoming buffer, and those in its outgoing one
are sent, here; OpenSSL only turns the one into the other. With the socket in its hands a half-close would lose data:
Python's `unwrap` asks OpenSSL a second time, to see whether the peer has ended, too, and that throws away a record that
has come meanwhile.

    socket -> incoming -> OpenSSL -> plain text
    plain text -> OpenSSL -> outgoing -> socket
"""

import hashlib
import ssl
from base64 import b64encode
from collections.abc import Sequence

from inetcli.errors import (
    CertificateProblem,
    ChainFault,
    ClientCertificateWanted,
    Expired,
    InetError,
    NotYetValid,
    PinMismatch,
    ProtocolViolation,
    ReceiveFailed,
    SendFailed,
    TlsHandshake,
    Untrusted,
    WrongHost,
)
from inetcli.net.deadline import Deadline
from inetcli.net.records import RecordScanner
from inetcli.net.session import Session
from inetcli.net.stream import SocketStream
from inetcli.net.tlscontext import make_context, openssl_reason, tls_error_text
from inetcli.net.tlsfacts import TlsFacts, observe_handshake, read_facts, stop_observing
from inetcli.net.trace import MAIN
from inetcli.net.wait import WaitLimits
from inetcli.wire.der import extract_spki
from inetcli.wire.escape import abbreviate

WIRE = 1 << 17
"""Bytes between OpenSSL and the network at a time: eight records of RFC 8446 section 5.1. More is not faster."""

MAX_NAME = 253
"""Characters of a host name: RFC 1035's 255 bytes on the wire, without the first length and the root."""

_VERDICTS: dict[int, type[CertificateProblem]] = {
    9: NotYetValid,
    10: Expired,
    18: Untrusted,  # self-signed leaf
    19: Untrusted,  # self-signed certificate in the chain
    20: Untrusted,  # issuer not found
    21: Untrusted,  # first certificate cannot be verified
    27: Untrusted,
    28: Untrusted,
    62: WrongHost,
    64: WrongHost,  # address mismatch
}
"""OpenSSL's X509_V_ERR_* by what the user can do about them; all others are faults of the chain."""

_WANTED = "the server insists on a client certificate: --cert FILE --key FILE"


def start_tls(
    session: Session,
    stream: SocketStream,
    server_name: str,
    *,
    deadline: Deadline | None = None,
    alpn: Sequence[str] = (),
    resume_from: SocketStream | None = None,
) -> "TlsStream":
    """Do the TLS handshake on a connected stream, and go on with the result: `stream` must not be used again.

    `server_name` is sent as SNI (a name) and checked. `deadline`: the rest of a `connect_deadline()`; without one the
    handshake gets a limit of its own. `resume_from`: a TLS stream to the same server, whose session is resumed.
    Bytes that came in clear before the handshake are a violation: somebody may have
    put them there (RFC 4642 section 2.2.2, CVE-2011-0411's class). On any error the stream is closed.

    Raises the `CertificateProblem` that was found, with `facts` on it, `TlsHandshake`, `ClientCertificateWanted`,
    `TimedOut`, `ClientCertificate`, `CaFile`.
    """
    try:
        if len(stream.reader):
            early = abbreviate(stream.reader.drain().decode("utf-8", "surrogateescape"), 80)
            raise ProtocolViolation(f'the server sent "{early}" in clear between its answer and the TLS handshake')
        above = resume_from if isinstance(resume_from, TlsStream) else None
        context = above.context if above else make_context(session.network.trust, alpn)
        seen = observe_handshake(context)
        tls = TlsStream(stream, context, _host_name(server_name), above.tls.session if above else None)
        tls.tolerated = session.tolerated
    except BaseException:
        stream.close()
        raise
    trust = session.network.trust
    begun = stream.instant()
    try:
        try:
            tls.shake_hands(_limit(session, deadline))
        except ssl.SSLCertVerificationError as error:
            facts = read_facts(
                tls.tls, seen, address=stream.peer.host, verified=False, handshake_s=stream.instant() - begun
            )
            raise _verdict(error, server_name, facts) from error
        except (SendFailed, ReceiveFailed) as error:
            raise _cut(f"{error.message} in the TLS handshake") from error
        except ssl.SSLEOFError as error:
            raise _cut(f"{stream.peer}: the TLS handshake failed: {tls_error_text(error)}") from error
        except ssl.SSLError as error:
            _refuse_client_certificate(error)
            if seen.certificate_requested and not trust.certificate and "FAILURE" in openssl_reason(error):
                # TLS 1.2 has no alert of its own for it (RFC 5246 section 7.4.6): a plain handshake_failure comes.
                raise ClientCertificateWanted(_WANTED) from error
            message = f"{stream.peer}: the TLS handshake failed: {tls_error_text(error)}{tls.said_in_clear()}"
            raise TlsHandshake(message, reply=tls.records.clear_text) from error
        stop_observing(context)
        took = stream.instant() - begun
        tls.facts = read_facts(tls.tls, seen, address=stream.peer.host, verified=not trust.insecure, handshake_s=took)
        _tell(session, stream.channel, tls.facts)
        if trust.pins:
            _check_pin(trust.pins, tls.facts, server_name)
    except BaseException as error:
        if isinstance(error, CertificateProblem) and isinstance(error.facts, TlsFacts):
            _tell(session, stream.channel, error.facts)
        tls.close()
        raise
    resumed = " resumed" if tls.facts.session_reused else ""
    session.trace.remark(f"{tls.facts.version} {tls.facts.cipher}{resumed}", stream.channel)
    return tls


class TlsStream(SocketStream):
    """A TCP connection with TLS on it, which `start_tls` makes. `facts` is what the handshake agreed on."""

    def __init__(
        self, under: SocketStream, context: ssl.SSLContext, host_name: str, resume: ssl.SSLSession | None
    ) -> None:
        super().__init__(
            under.sock,
            under.peer,
            under.limits,
            under.trace,
            channel=under.channel,
            interactive=under._interactive,
            min_rate=under.min_rate,
        )
        self.context = context
        self.facts: TlsFacts = TlsFacts()
        self.tolerated: CertificateProblem | None = None
        """The problem of the certificate, where `--insecure` lets it pass."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._wire = memoryview(bytearray(WIRE))
        self.records = RecordScanner()
        self._behind: ssl.SSLError | None = None
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host_name, session=resume)

    @property
    def can_splice(self) -> bool:
        return False

    def shake_hands(self, deadline: Deadline) -> None:
        """Do the handshake. Raises OpenSSL's errors as they are, and those of the connection."""
        limits = self._limits(None, deadline)
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush(limits)
                self._fill(limits)
        self._flush(limits)

    def finish_sending(self) -> None:
        """Send close_notify: TLS's half-close (RFC 8446 section 6.1)."""
        self._take_what_is_here()
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # made, and the peer's own is still to come
        self._flush(None)

    def close(self) -> None:
        """Send close_notify, or an alert, if that needs no waiting, and close."""
        try:
            self.tls.unwrap()
        except (ssl.SSLError, ValueError):
            pass
        try:
            self.sock.send(self._outgoing.read())
        except OSError:
            pass
        super().close()

    def _receive(self, buffer: memoryview, limits: WaitLimits | None) -> int:
        while (size := self._decrypt_or_end(buffer)) is None:
            self._flush(limits)
            self._fill(limits)
        return size

    def _receive_available(self, buffer: memoryview) -> int | None:
        while (size := self._decrypt_or_end(buffer)) is None:
            self._flush(None)
            received = super()._receive_available(self._wire)
            if received is None:
                return None
            self._put(received)
        return size

    def _decrypt_or_end(self, buffer: memoryview) -> int | None:
        """Like `_decrypt`, with 0 for the end and None where OpenSSL wants more from the network first."""
        try:
            return self._decrypt(buffer)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return 0
        except ssl.SSLEOFError as error:  # also what comes after an error that nobody was told of
            if self.records.clear_text is not None:
                raise self._broke(error, ReceiveFailed) from error
            raise ReceiveFailed(f"{self.peer}: TLS ended without close_notify: the data may be cut") from error
        except ssl.SSLError as error:
            _refuse_client_certificate(error)
            raise self._broke(error, ReceiveFailed) from error

    def _decrypt(self, buffer: memoryview) -> int:
        """Decrypt what has come, of as many records as fit into `buffer`. Raises OpenSSL's errors, each behind the
        bytes that came before it.

        OpenSSL gives one record at a time, of at most 16 KiB: too little for all that a transfer does with a piece.
        """
        if self._behind:
            raise self._behind
        size = 0
        try:
            while size < len(buffer) and (more := self.tls.read(len(buffer) - size, buffer[size:])):
                size += more  # type: ignore[operator]
        except ssl.SSLError as error:
            if not size:
                raise
            if not isinstance(error, ssl.SSLWantReadError):
                self._behind = error
        return size

    def _send(self, data: memoryview, limits: WaitLimits | None) -> int:
        while True:
            try:
                size = self.tls.write(data[:WIRE])
                self._flush(limits)
                return size
            except ssl.SSLWantReadError:  # a renegotiation, in TLS 1.2
                self._flush(limits)
                self._fill(limits)
            except ssl.SSLError as error:
                _refuse_client_certificate(error)
                raise self._broke(error, SendFailed) from error

    def said_in_clear(self) -> str:
        """The end of a message: what the peer said where a record ought to be. Empty when there is nothing to tell."""
        said = self.records.clear_text
        return "" if said is None else f': the peer said "{said}" in clear text'

    def _broke(self, error: ssl.SSLError, otherwise: type[InetError]) -> InetError:
        """A connection that OpenSSL gave up: a violation where the peer went on in clear text."""
        said = self.records.clear_text
        if said is None:
            return otherwise(f"{self.peer}: the TLS connection broke: {tls_error_text(error)}")
        return ProtocolViolation(f"{self.peer}: the TLS connection broke{self.said_in_clear()}", reply=said)

    def _fill(self, limits: WaitLimits | None) -> None:
        """Wait for the network, and give OpenSSL what comes."""
        self._put(super()._receive(self._wire, limits))

    def _put(self, size: int) -> None:
        """Give OpenSSL what has come from the network; nothing = its end."""
        if size:
            self.records.feed(self._wire[:size])
            self._incoming.write(self._wire[:size])
        else:
            self._incoming.write_eof()

    def _flush(self, limits: WaitLimits | None) -> None:
        """Send what OpenSSL has made."""
        with memoryview(self._outgoing.read()) as rest:
            sent = 0
            while sent < len(rest):
                sent += super()._send(rest[sent:], limits)

    def _take_what_is_here(self) -> None:
        """Decrypt what has come, up to WIRE bytes, for the reader. An end or an error stays for the next read."""
        try:
            while data := self.tls.read(WIRE):
                self.trace.received(self.channel, data)
                self.reader.feed(data)
        except ssl.SSLError:
            pass


def _host_name(server_name: str) -> str:
    """The name as it is sent and checked: no final dot (RFC 6066 section 3), no zone, and surely a name."""
    name = server_name.partition("%")[0] if ":" in server_name else server_name.removesuffix(".")
    try:
        encoded = name.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if not 0 < len(encoded) <= MAX_NAME or "\0" in encoded:
        raise TlsHandshake(f"{server_name!r} cannot be sent as server name: expected a host name or an address")
    return encoded


def _limit(session: Session, deadline: Deadline | None) -> Deadline:
    """A peer that stalls in the handshake gets the smaller of both limits."""
    silence_s = session.timeouts.silence_s
    reason = f"timed out: no TLS handshake after {silence_s:g} s (--timeout)"
    return (deadline or session.connect_deadline()).within(silence_s, reason)


def _cut(message: str) -> TlsHandshake:
    """A handshake that was cut: another one may work."""
    failure = TlsHandshake(message)
    failure.transient = True
    return failure


def _tell(session: Session, channel: str, facts: TlsFacts) -> None:
    """Put the facts of the handshake into the result, also where they are refused."""
    if channel == MAIN:
        session.attempt.tls = facts.summary()


def _verdict(error: ssl.SSLCertVerificationError, name: str, facts: TlsFacts) -> CertificateProblem:
    words = error.verify_message.strip().rstrip(".")
    words = words if words[1:2].isupper() else words[:1].lower() + words[1:]
    problem = _VERDICTS.get(error.verify_code, ChainFault)(f"{name}: {words}")
    problem.facts = facts
    problem.verify_code = error.verify_code
    return problem


def _check_pin(pins: tuple[str, ...], facts: TlsFacts, name: str) -> None:
    if not facts.chain:
        raise PinMismatch(f"{name}: this Python does not show the server's certificate: the pin cannot be checked")
    pin = "sha256//" + b64encode(hashlib.sha256(extract_spki(facts.chain[0])).digest()).decode("ascii")
    if pin not in pins:
        problem = PinMismatch(f"{name}: the server's key is {pin}, expected {' or '.join(pins)}")
        problem.facts = facts
        raise problem


def _refuse_client_certificate(error: OSError) -> None:
    """TLS 1.3 servers miss a client certificate only after the handshake (alert 116, RFC 8446 section 6.2)."""
    if "CERTIFICATE_REQUIRED" in openssl_reason(error):
        raise ClientCertificateWanted(_WANTED) from error
