"""TLS on a TCP stream, with an error class for each problem of a certificate.

An end without close_notify is an error (`ReceiveFailed`), because truncated data looks like that (RFC 8446
section 6.1).

OpenSSL does not use the socket. The code here writes the bytes from the network into OpenSSL's incoming buffer and
sends the bytes of its outgoing buffer; OpenSSL only converts between the two. If OpenSSL used the socket, a half-close
would lose data: Python's `unwrap` calls OpenSSL a second time, to check whether the peer has ended the stream, too, and
this call discards a record that has arrived meanwhile.

    socket -> incoming -> OpenSSL -> plain text
    plain text -> OpenSSL -> outgoing -> socket
"""

import hashlib
import ssl
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
from inetcli.net.stream import SocketStream
from inetcli.net.tlscontext import make_context, openssl_reason, tls_error_text
from inetcli.net.tlsfacts import TlsFacts, observe_handshake, read_facts, stop_observing
from inetcli.net.trace import MAIN
from inetcli.net.wait import WaitLimits
from inetcli.wire.der import extract_spki
from inetcli.wire.escape import abbreviate

if TYPE_CHECKING:
    from inetcli.net.session import Session

WIRE = 1 << 17
"""The number of bytes to exchange with OpenSSL at a time: eight records of RFC 8446 section 5.1. More is not faster."""

MAX_NAME = 253
"""The longest host name in characters: RFC 1035's 255 bytes on the wire, without the first length byte and the root."""

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
"""The error class of each X509_V_ERR_* code of OpenSSL. Every other code is `ChainFault`."""

_WANTED = "the server requires a client certificate: --cert FILE --key FILE"


def start_tls(
    session: "Session",
    stream: SocketStream,
    server_name: str,
    *,
    deadline: Deadline | None = None,
    alpn: Sequence[str] = (),
    resume_from: SocketStream | None = None,
) -> "TlsStream":
    """Do the TLS handshake on a connected stream and return the TLS stream. `stream` must not be used again.

    `server_name` is sent as SNI (if it is a name) and compared with the certificate. `deadline`: the rest of a
    `connect_deadline()`; without it the handshake gets its own limit. `resume_from`: a TLS stream to the same server,
    whose session is resumed. Bytes received in clear text before the handshake are a protocol violation, because an
    attacker may have inserted them (RFC 4642 section 2.2.2, the class of CVE-2011-0411). On any error the stream is
    closed.

    Raises the `CertificateProblem` that was found, with its `facts`; `TlsHandshake`, `ClientCertificateWanted`,
    `TimedOut`, `ClientCertificate`, `CaFile`.
    """
    try:
        if len(stream.reader):
            quoted = abbreviate(stream.reader.drain().decode("utf-8", "surrogateescape"), 80)
            raise ProtocolViolation(f'the server sent "{quoted}" in clear between its answer and the TLS handshake')
        parent = resume_from if isinstance(resume_from, TlsStream) else None
        context = parent.context if parent else make_context(session.network.trust, alpn)
        observed = observe_handshake(context)
        tls = TlsStream(stream, context, _host_name(server_name), parent.tls.session if parent else None)
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
                tls.tls, observed, address=stream.peer.host, verified=False, handshake_s=stream.instant() - begun
            )
            raise _certificate_error(error, server_name, facts) from error
        except (SendFailed, ReceiveFailed) as error:
            raise _cut_handshake_error(f"{error.message} in the TLS handshake") from error
        except ssl.SSLEOFError as error:
            raise _cut_handshake_error(f"{stream.peer}: the TLS handshake failed: {tls_error_text(error)}") from error
        except ssl.SSLError as error:
            _check_client_certificate(error)
            if observed.certificate_requested and not trust.certificate and "FAILURE" in openssl_reason(error):
                # TLS 1.2 has no special alert for this (RFC 5246 section 7.4.6), only handshake_failure.
                raise ClientCertificateWanted(_WANTED) from error
            message = f"{stream.peer}: the TLS handshake failed: {tls_error_text(error)}{tls.said_in_clear()}"
            raise TlsHandshake(message, reply=tls.records.clear_text) from error
        stop_observing(context)
        took = stream.instant() - begun
        tls.facts = read_facts(
            tls.tls, observed, address=stream.peer.host, verified=not trust.insecure, handshake_s=took
        )
        _record_facts(session, stream.channel, tls.facts)
        if trust.pins:
            _check_pin(trust.pins, tls.facts, server_name)
    except BaseException as error:
        if isinstance(error, CertificateProblem) and isinstance(error.facts, TlsFacts):
            _record_facts(session, stream.channel, error.facts)
        tls.close()
        raise
    resumed = " resumed" if tls.facts.session_reused else ""
    session.trace.remark(f"{tls.facts.version} {tls.facts.cipher}{resumed}", stream.channel)
    return tls


class TlsStream(SocketStream):
    """A TCP connection with TLS, made by `start_tls`. `facts` are the results of the handshake."""

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
        """The problem of the certificate that `--insecure` accepts; None = no problem."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._wire = memoryview(bytearray(WIRE))
        self.records = RecordScanner()
        self._pending_error: ssl.SSLError | None = None
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host_name, session=resume)

    @property
    def can_splice(self) -> bool:
        return False

    def shake_hands(self, deadline: Deadline) -> None:
        """Do the handshake. Raises OpenSSL's errors unchanged, and the errors of the connection."""
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
        """Send close_notify, the half-close of TLS (RFC 8446 section 6.1)."""
        self._decrypt_received()
        try:
            self.tls.unwrap()
        except ssl.SSLError:
            pass  # The close_notify is in the outgoing buffer; the peer has not sent its own yet.
        self._flush(None)

    def close(self) -> None:
        """Send close_notify, or an alert, if this needs no waiting, and close the connection."""
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
            received = self._receive_raw(self._wire)
            if received is None:
                return None
            self._put(received)
        return size

    def _decrypt_or_end(self, buffer: memoryview) -> int | None:
        """Decrypt like `_decrypt`; 0 = the end of the stream, None = OpenSSL needs more bytes from the network."""
        try:
            return self._decrypt(buffer)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return 0
        except ssl.SSLEOFError as error:  # also after an error that was not reported before
            if self.records.clear_text is not None:
                raise self._connection_error(error, ReceiveFailed) from error
            raise ReceiveFailed(f"{self.peer}: TLS ended without close_notify: the data may be cut") from error
        except ssl.SSLError as error:
            _check_client_certificate(error)
            raise self._connection_error(error, ReceiveFailed) from error

    def _decrypt(self, buffer: memoryview) -> int:
        """Decrypt as many received records as fit into `buffer`; return the number of bytes.

        Raises OpenSSL's errors, each after the bytes that were received before it. OpenSSL decrypts one record of at
        most 16 KiB at a time, which is too little for the overhead that a transfer has for each chunk.
        """
        if self._pending_error:
            raise self._pending_error
        size = 0
        try:
            while size < len(buffer) and (more := self.tls.read(len(buffer) - size, buffer[size:])):
                size += more  # type: ignore[operator]
        except ssl.SSLError as error:
            if not size:
                raise
            if not isinstance(error, ssl.SSLWantReadError):
                self._pending_error = error
        return size

    def _send(self, data: memoryview, limits: WaitLimits | None) -> int:
        while True:
            try:
                size = self.tls.write(data[:WIRE])
                self._flush(limits)
                return size
            except ssl.SSLWantReadError:  # a renegotiation in TLS 1.2
                self._flush(limits)
                self._fill(limits)
            except ssl.SSLError as error:
                _check_client_certificate(error)
                raise self._connection_error(error, SendFailed) from error

    def said_in_clear(self) -> str:
        """Return the end of a message that quotes clear text received in place of a TLS record; empty = none."""
        clear_text = self.records.clear_text
        return "" if clear_text is None else f': the peer said "{clear_text}" in clear text'

    def _connection_error(self, error: ssl.SSLError, otherwise: type[InetError]) -> InetError:
        """Return the error for a connection that OpenSSL gave up: `ProtocolViolation` if the peer sent clear text."""
        clear_text = self.records.clear_text
        if clear_text is None:
            return otherwise(f"{self.peer}: the TLS connection broke: {tls_error_text(error)}")
        return ProtocolViolation(f"{self.peer}: the TLS connection broke{self.said_in_clear()}", reply=clear_text)

    def _fill(self, limits: WaitLimits | None) -> None:
        """Wait for bytes from the network and pass them to OpenSSL."""
        self._put(super()._receive(self._wire, limits))

    def _put(self, size: int) -> None:
        """Pass received bytes to OpenSSL; no bytes = the end of the connection."""
        if size:
            self.records.feed(self._wire[:size])
            self._incoming.write(self._wire[:size])
        else:
            self._incoming.write_eof()

    def _flush(self, limits: WaitLimits | None) -> None:
        """Send the bytes in OpenSSL's outgoing buffer."""
        with memoryview(self._outgoing.read()) as rest:
            sent = 0
            while sent < len(rest):
                sent += super()._send(rest[sent:], limits)

    def _decrypt_received(self) -> None:
        """Decrypt the received bytes, up to WIRE bytes, for the reader. The next read reports an end or an error."""
        try:
            while data := self.tls.read(WIRE):
                self.trace.received(self.channel, data)
                self.reader.feed(data)
        except ssl.SSLError:
            pass


def _host_name(server_name: str) -> str:
    """Return the name to send and to check: without a final dot (RFC 6066 section 3) and without a zone.

    Errors: `TlsHandshake` if it is not a host name or an address.
    """
    name = server_name.partition("%")[0] if ":" in server_name else server_name.removesuffix(".")
    try:
        encoded = name.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if not 0 < len(encoded) <= MAX_NAME or "\0" in encoded:
        raise TlsHandshake(f"{server_name!r} cannot be sent as server name: expected a host name or an address")
    return encoded


def _limit(session: "Session", deadline: Deadline | None) -> Deadline:
    """Return the limit of the handshake: the silence limit or the deadline, whichever is sooner."""
    silence_s = session.timeouts.silence_s
    reason = f"timed out: no TLS handshake after {silence_s:g} s (--timeout)"
    return (deadline or session.connect_deadline()).within(silence_s, reason)


def _cut_handshake_error(message: str) -> TlsHandshake:
    """Return the error of a handshake that was cut. The error is transient: another handshake may succeed."""
    failure = TlsHandshake(message)
    failure.transient = True
    return failure


def _record_facts(session: "Session", channel: str, facts: TlsFacts) -> None:
    """Record the facts of the handshake for the result, also if they are rejected."""
    if channel == MAIN:
        session.attempt.tls = facts.summary()


def _certificate_error(error: ssl.SSLCertVerificationError, name: str, facts: TlsFacts) -> CertificateProblem:
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


def _check_client_certificate(error: OSError) -> None:
    """Raise `ClientCertificateWanted` if the error is the alert of TLS 1.3 for a missing client certificate.

    TLS 1.3 servers send this alert (116, RFC 8446 section 6.2) only after the handshake.
    """
    if "CERTIFICATE_REQUIRED" in openssl_reason(error):
        raise ClientCertificateWanted(_WANTED) from error
