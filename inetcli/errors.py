"""The tree of errors: one class for each failure to which a user can react differently.

Each class has the exit code of the program (curl's numbers up to 98, our own from 110) and the `kind` for JSON. A
message names the object, the action, the expected and the received value, with numbers. Messages are escaped when they
are printed.

InetError
├── Bug 1, Usage 2, MalformedTarget 3
├── Unresolved 6, Unreachable 7, TimedOut 28, SendFailed 55, ReceiveFailed 56, EmptyReply 52
├── ProtocolViolation 8, Incomplete 18, TooLarge 63
├── Denied 9, Refused 19, HttpStatus 22, UploadRefused 25, NoRanges 33, NoResume 36, LoginDenied 67, NotFound 78
├── LocalWrite 23, LocalRead 26, FileExists 73
├── TlsHandshake 35, ClientCertificate 58, CaFile 77, ClientCertificateWanted 98
│   └── CertificateProblem: Untrusted 60, PinMismatch 90, Expired 110, NotYetValid 111, WrongHost 112, ChainFault 113,
│       ExpiresSoon 114
└── Empty 115, NxDomain 116, DnsError 117, Differ 118, Findings 119, Expectation 121
"""

from typing import ClassVar, Protocol, Self


class CodedReply(Protocol):
    """A reply of a peer that begins with a numeric code; `str()` gives its text."""

    @property
    def code(self) -> int:
        """The numeric code at the beginning of the reply."""


class InetError(Exception):
    """A failure that is reported to the user in one line.

    `reply_code` and `reply` quote the peer's reply, if there was one. `transient` means that a retry may help
    (`--retries`); an instance may override the value of its class.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "bug"
    transient: bool = False

    def __init__(self, message: str, *, reply_code: int | None = None, reply: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reply_code = reply_code
        self.reply = reply

    @classmethod
    def from_reply(cls, context: str, reply: CodedReply, *, quoted: bool = True, transient: bool | None = None) -> Self:
        """Make the error for a reply that reports a failure: `context: "550 no such file"`.

        `quoted=False`: `context` already contains the text of the reply. `transient` overrides the value of the class.
        """
        error = cls(f'{context}: "{reply}"' if quoted else context, reply_code=reply.code, reply=str(reply))
        if transient is not None:
            error.transient = transient
        return error


class Bug(InetError):
    """A mistake in this program: reported in one line, with a traceback only under INETCLI_DEBUG=1."""

    @classmethod
    def from_exception(cls, error: BaseException) -> "Bug":
        """Make the error for an unexpected exception."""
        detail = f": {error}" if str(error) else ""
        return cls(f"bug: {type(error).__name__}{detail} (INETCLI_DEBUG=1 shows where)")


class Usage(InetError):
    """Wrong usage of the command line."""

    exit_code, kind = 2, "usage"


class MalformedTarget(InetError):
    """A target that cannot be parsed or does not fit the command. Raised before anything is sent."""

    exit_code, kind = 3, "malformed_target"


class Unresolved(InetError):
    """An unknown host name, or a failure of the resolver."""

    exit_code, kind = 6, "unresolved"
    transient = True


class Unreachable(InetError):
    """A refused connection, or no route to the host."""

    exit_code, kind = 7, "unreachable"
    transient = True


class ProtocolViolation(InetError):
    """A violation of the protocol by the peer."""

    exit_code, kind = 8, "protocol"


class Denied(InetError):
    """Access denied, after login."""

    exit_code, kind = 9, "denied"


class Incomplete(InetError):
    """A size that does not match, or a stream that ended too early."""

    exit_code, kind = 18, "incomplete"
    transient = True


class Refused(InetError):
    """A refusal by the server for a reason other than `NotFound`, `Denied` and `LoginDenied`."""

    exit_code, kind = 19, "refused"


class HttpStatus(InetError):
    """An HTTP status of 400 or more."""

    exit_code, kind = 22, "http_status"


class LocalWrite(InetError):
    """A failure to write a local file or standard output."""

    exit_code, kind = 23, "local_write"


class UploadRefused(InetError):
    """An upload that the server does not accept."""

    exit_code, kind = 25, "upload_refused"


class LocalRead(InetError):
    """A failure to read a local file."""

    exit_code, kind = 26, "local_read"


class TimedOut(InetError):
    """An exceeded time limit; the message names the option that sets it."""

    exit_code, kind = 28, "timeout"
    transient = True


class NoRanges(InetError):
    """A server that does not support ranges."""

    exit_code, kind = 33, "no_ranges"


class TlsHandshake(InetError):
    """A failed TLS handshake, or a refusal of STARTTLS or AUTH TLS."""

    exit_code, kind = 35, "tls_handshake"


class NoResume(InetError):
    """A transfer that cannot be resumed."""

    exit_code, kind = 36, "no_resume"


class EmptyReply(InetError):
    """A connection that the peer closed before the first byte of a reply."""

    exit_code, kind = 52, "empty_reply"
    transient = True


class SendFailed(InetError):
    """A connection that broke while data was being sent."""

    exit_code, kind = 55, "send_failed"
    transient = True


class ReceiveFailed(InetError):
    """A connection that was reset, or a TLS stream that ended without close_notify."""

    exit_code, kind = 56, "receive_failed"
    transient = True


class ClientCertificate(InetError):
    """A client certificate or key that cannot be used."""

    exit_code, kind = 58, "client_certificate"


class TooLarge(InetError):
    """More data than `--max-size` or than a documented limit."""

    exit_code, kind = 63, "too_large"


class LoginDenied(InetError):
    """A login that the server denied, or a required login without credentials."""

    exit_code, kind = 67, "login"


class FileExists(InetError):
    """A local file that already exists, without `--force`."""

    exit_code, kind = 73, "exists"


class CaFile(InetError):
    """A CA file that cannot be used."""

    exit_code, kind = 77, "ca_file"


class NotFound(InetError):
    """A remote file, group or article that does not exist."""

    exit_code, kind = 78, "not_found"


class ClientCertificateWanted(InetError):
    """A server that requires a client certificate."""

    exit_code, kind = 98, "client_certificate_wanted"


class CertificateProblem(InetError):
    """A server certificate or chain that fails the checks. `kind` is also the verdict of `tls hello`.

    `facts` holds the facts of the handshake if there was one; `verify_code` is OpenSSL's X509_V_ERR_* number.
    """

    facts: object | None = None
    verify_code: int | None = None


class Untrusted(CertificateProblem):
    """A chain without a path to a trusted root."""

    exit_code, kind = 60, "untrusted"


class PinMismatch(CertificateProblem):
    """A public key that matches none of the `--pin` values."""

    exit_code, kind = 90, "pin"


class Expired(CertificateProblem):
    """A certificate after its notAfter date."""

    exit_code, kind = 110, "expired"


class NotYetValid(CertificateProblem):
    """A certificate before its notBefore date."""

    exit_code, kind = 111, "not_yet_valid"


class WrongHost(CertificateProblem):
    """A certificate for a different host name."""

    exit_code, kind = 112, "wrong_host"


class ChainFault(CertificateProblem):
    """A weak key or signature, a wrong purpose, a violated constraint, or an issuer that is not a CA."""

    exit_code, kind = 113, "chain_fault"


class ExpiresSoon(CertificateProblem):
    """A certificate that expires soon, within a time that the user names."""

    exit_code, kind = 114, "expires_soon"


class Empty(InetError):
    """An empty result: no article, or no record of the requested type. A normal answer with its own exit code."""

    exit_code, kind = 115, "empty"


class NxDomain(InetError):
    """A domain name that does not exist."""

    exit_code, kind = 116, "nxdomain"


class DnsError(InetError):
    """A reply with SERVFAIL, REFUSED or another rcode."""

    exit_code, kind = 117, "dns_error"


class Differ(InetError):
    """Different answers of servers that were compared."""

    exit_code, kind = 118, "differ"


class Findings(InetError):
    """Findings of severity error, if the user asked for them to count."""

    exit_code, kind = 119, "findings"


class Expectation(InetError):
    """A result other than the one that the user expects."""

    exit_code, kind = 121, "expectation"


def read_error(name: str, error: OSError) -> LocalRead:
    """Return the error for a failed read of a local file."""
    return LocalRead(f"{name}: cannot be read: {error.strerror or error}")


def write_error(name: str, error: OSError) -> LocalWrite:
    """Return the error for a failed write to a local file."""
    return LocalWrite(f"{name}: cannot be written: {error.strerror or error}")
