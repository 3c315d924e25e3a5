"""The one tree of errors: a class for each thing a user can do something different about.

Each class has the exit code of the program (curl's numbers up to 98, ours from 110) and the `kind` that stands in JSON.
A message says who, doing what, what was expected and what came, with numbers. It is escaped where it is printed.

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
    """A reply of a peer that begins with a code, and that shows itself as text."""

    @property
    def code(self) -> int:
        """The number that the reply begins with."""


class InetError(Exception):
    """A failure the user is told about in one line.

    `reply_code` and `reply` are the peer's own words, where it said any. `transient` says that trying again may help
    (`--retries`); an instance may say otherwise than its class.
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
    def from_reply(cls, doing: str, reply: CodedReply, *, quoted: bool = True, transient: bool | None = None) -> Self:
        """Make the error for a reply that refuses something: `doing: "550 no such file"`.

        `quoted` off: `doing` has the words of the reply already. `transient` beats that of the class.
        """
        error = cls(f'{doing}: "{reply}"' if quoted else doing, reply_code=reply.code, reply=str(reply))
        if transient is not None:
            error.transient = transient
        return error


class Bug(InetError):
    """Our own mistake; one line, never a traceback (unless INETCLI_DEBUG=1)."""

    @classmethod
    def of(cls, error: BaseException) -> "Bug":
        """The bug behind an exception that nobody expected."""
        said = f": {error}" if str(error) else ""
        return cls(f"bug: {type(error).__name__}{said} (INETCLI_DEBUG=1 shows where)")


class Usage(InetError):
    """The command line cannot mean anything."""

    exit_code, kind = 2, "usage"


class MalformedTarget(InetError):
    """A target that cannot be parsed, or does not fit the command. Found before anything is sent."""

    exit_code, kind = 3, "malformed_target"


class Unresolved(InetError):
    """The name is unknown, or the resolver failed."""

    exit_code, kind = 6, "unresolved"
    transient = True


class Unreachable(InetError):
    """Refused, or no route."""

    exit_code, kind = 7, "unreachable"
    transient = True


class ProtocolViolation(InetError):
    """The peer broke its protocol."""

    exit_code, kind = 8, "protocol"


class Denied(InetError):
    """Access denied, after login."""

    exit_code, kind = 9, "denied"


class Incomplete(InetError):
    """The size does not match, or the stream was cut in the middle."""

    exit_code, kind = 18, "incomplete"
    transient = True


class Refused(InetError):
    """The server refused, and none of `NotFound`, `Denied` and `LoginDenied` says why."""

    exit_code, kind = 19, "refused"


class HttpStatus(InetError):
    """An HTTP status of 400 or more."""

    exit_code, kind = 22, "http_status"


class LocalWrite(InetError):
    """The local file, or standard output, cannot be written."""

    exit_code, kind = 23, "local_write"


class UploadRefused(InetError):
    """The server does not take the upload."""

    exit_code, kind = 25, "upload_refused"


class LocalRead(InetError):
    """A local file cannot be read."""

    exit_code, kind = 26, "local_read"


class TimedOut(InetError):
    """A time limit passed; the message names the option that set it."""

    exit_code, kind = 28, "timeout"
    transient = True


class NoRanges(InetError):
    """The server does not do ranges."""

    exit_code, kind = 33, "no_ranges"


class TlsHandshake(InetError):
    """The TLS handshake failed, or the server refused STARTTLS or AUTH TLS."""

    exit_code, kind = 35, "tls_handshake"


class NoResume(InetError):
    """The transfer cannot be taken up where it stopped."""

    exit_code, kind = 36, "no_resume"


class EmptyReply(InetError):
    """The peer closed the connection before the first byte of a reply."""

    exit_code, kind = 52, "empty_reply"
    transient = True


class SendFailed(InetError):
    """The connection broke while sending."""

    exit_code, kind = 55, "send_failed"
    transient = True


class ReceiveFailed(InetError):
    """The connection was reset, or TLS ended without its close_notify."""

    exit_code, kind = 56, "receive_failed"
    transient = True


class ClientCertificate(InetError):
    """Our own certificate or key cannot be used."""

    exit_code, kind = 58, "client_certificate"


class TooLarge(InetError):
    """More than `--max-size`, or than a stated limit."""

    exit_code, kind = 63, "too_large"


class LoginDenied(InetError):
    """The server denied the login, or needs one that was not given."""

    exit_code, kind = 67, "login"


class FileExists(InetError):
    """The local file exists already, and `--force` was not given."""

    exit_code, kind = 73, "exists"


class CaFile(InetError):
    """The CA file cannot be used."""

    exit_code, kind = 77, "ca_file"


class NotFound(InetError):
    """The remote file, group or article is not there."""

    exit_code, kind = 78, "not_found"


class ClientCertificateWanted(InetError):
    """The server insists on a client certificate."""

    exit_code, kind = 98, "client_certificate_wanted"


class CertificateProblem(InetError):
    """The server's certificate, or its chain, is not good enough. `kind` is also the verdict of `tls hello`.

    `facts` is what the handshake showed nevertheless, where there was one; `verify_code` is OpenSSL's X509_V_ERR_*.
    """

    facts: object | None = None
    verify_code: int | None = None


class Untrusted(CertificateProblem):
    """No path to a trusted root."""

    exit_code, kind = 60, "untrusted"


class PinMismatch(CertificateProblem):
    """The key is none of those given with `--pin`."""

    exit_code, kind = 90, "pin"


class Expired(CertificateProblem):
    """Past its notAfter."""

    exit_code, kind = 110, "expired"


class NotYetValid(CertificateProblem):
    """Before its notBefore."""

    exit_code, kind = 111, "not_yet_valid"


class WrongHost(CertificateProblem):
    """The certificate is for another name."""

    exit_code, kind = 112, "wrong_host"


class ChainFault(CertificateProblem):
    """A weak key or signature, a wrong purpose, a constraint, an issuer that is no CA."""

    exit_code, kind = 113, "chain_fault"


class ExpiresSoon(CertificateProblem):
    """Within `--expires-within`."""

    exit_code, kind = 114, "expires_soon"


class Empty(InetError):
    """Nothing there: no article, no record of that type. A normal answer with an exit code of its own."""

    exit_code, kind = 115, "empty"


class NxDomain(InetError):
    """The domain name does not exist."""

    exit_code, kind = 116, "nxdomain"


class DnsError(InetError):
    """SERVFAIL, REFUSED or another rcode."""

    exit_code, kind = 117, "dns_error"


class Differ(InetError):
    """`--compare`: the servers differ."""

    exit_code, kind = 118, "differ"


class Findings(InetError):
    """`--strict`: there are findings of severity error."""

    exit_code, kind = 119, "findings"


class Expectation(InetError):
    """An `--expect-...` was not met."""

    exit_code, kind = 121, "expectation"
