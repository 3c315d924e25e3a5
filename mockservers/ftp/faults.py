"""What goes wrong with FTP: the kinds. `mischief`, `transfer` and `ports` carry them out.

A fault on a command with a data connection is about the transfer: `RETR:partial(426)@4096`. BYTES are those of the
data, downloads and uploads alike. The kinds of "ftps" need TLS. The transport's faults and those of TLS work on the
data connection in the same way (`RETR:rst@4096`, `RETR:truncate`), and `reply(...)` answers any command.
"""

from mockservers.faultkinds import BadFault, Fault, Outcome, fault_kind

# The data connection's place


@fault_kind("ftp", trigger="EPSV", sees="connection refused on the data port", outcome=Outcome.EITHER)
class DeadPort(Fault):
    """EPSV or PASV name a port where nobody listens."""


@fault_kind("ftp", trigger="EPSV", sees="the connect to the data port times out (Linux)", outcome=Outcome.EITHER)
class BlackholePort(Fault):
    """EPSV or PASV name a port where connections come to nothing."""


@fault_kind("ftp", trigger="PASV", sees="an address in the 227 that is not the server's", outcome=Outcome.EITHER)
class OtherAddress(Fault):
    """PASV names another host."""

    address: str = "192.0.2.1"

    def check(self) -> None:
        numbers = self.address.split(".")
        if len(numbers) != 4 or not all(number.isdecimal() and int(number) < 256 for number in numbers):
            raise BadFault(f"other_address: expected address as 192.0.2.1, got {self.address!r}")


@fault_kind("ftp", trigger="PORT", sees="200 and 150, and nobody connects")
class NeverConnects(Fault):
    """PORT or EPRT are taken, and the server never comes."""


@fault_kind("ftp", trigger="EPSV", sees="500 to EPSV, which FEAT lists", outcome=Outcome.SUCCESS)
class EpsvRefused(Fault):
    """EPSV is not understood."""


@fault_kind("ftp", trigger="RETR", sees="150, no data, then the reply TEXT")
class NoData(Fault):
    """The data connection is given up at once."""

    text: str = "425 cannot open data connection"


# The bytes of a transfer


@fault_kind(
    "ftp",
    trigger="RETR",
    sees="bytes up to BYTES, a proper end, and the reply CODE; an upload is kept so far",
    outcome=Outcome.EITHER,
)
class Partial(Fault):
    """Transfer no more than BYTES, and say CODE: 226 as if that were all, or 426, 451, 550, 552."""

    code: int = 226
    at: int = 4096


@fault_kind("ftp", trigger="SIZE", sees="a size that is not the file's")
class WrongSize(Fault):
    """SIZE tells FACTOR times the size."""

    factor: float = 2.0


@fault_kind("ftp", trigger="REST", sees="350, then the whole file instead of its rest", outcome=Outcome.EITHER)
class RestIgnored(Fault):
    """Agree to an offset, and begin at the start."""


@fault_kind("ftp", trigger="RETR", sees="all the data before the 150", outcome=Outcome.SUCCESS)
class DataBeforeOpening(Fault):
    """Send the data, then 150, then 226."""


# The final reply


@fault_kind("ftp", trigger="RETR", sees="all the data, and never a reply again", outcome=Outcome.EITHER)
class NoFinalReply(Fault):
    """Say nothing after the data, and nothing afterwards."""


@fault_kind("ftp", trigger="RETR", sees="all the data, and the 226 late", outcome=Outcome.SUCCESS)
class LateFinalReply(Fault):
    """Wait before the final reply."""

    seconds: float = 0.5


@fault_kind(
    "ftp", trigger="RETR", sees="226 when BYTES of the data are there, and more to come", outcome=Outcome.SUCCESS
)
class EarlyFinalReply(Fault):
    """Say 226 after BYTES of the data, then transfer the rest."""

    at: int = 0


@fault_kind("ftp", trigger="RETR", sees="all the data, and the reply TEXT", outcome=Outcome.SUCCESS)
class FinalReply(Fault):
    """Say TEXT instead of 226."""

    text: str = "250 done"


# Replies


@fault_kind("ftp", trigger="TYPE", sees="nothing for this command; the next one is answered", outcome=Outcome.EITHER)
class NoReply(Fault):
    """Pass over a command."""


@fault_kind(
    "ftp", trigger="USER", sees="two replies for one command: all later ones are one behind", outcome=Outcome.EITHER
)
class ReplyTwice(Fault):
    """Answer a command twice."""


@fault_kind("ftp", trigger="PASS", sees="230- lines without end")
class EndlessReply(Fault):
    """Begin a reply of several lines, and never end it."""


@fault_kind("ftp", trigger="MLSD", sees="502 to a command that FEAT lists", outcome=Outcome.SUCCESS)
class Unimplemented(Fault):
    """Refuse a command that is advertised."""


@fault_kind("ftp", trigger="RETR", sees="the reply TEXT and a 421 in one segment, then the end")
class RefusedAndClosed(Fault):
    """Refuse, and hang up in the same breath."""

    text: str = "550 no such file"


@fault_kind(
    "ftp", trigger="RETR", sees="bytes up to BYTES, then 421 and the end of both connections", outcome=Outcome.EITHER
)
class ShuttingDown(Fault):
    """Hang up in the middle of a transfer; on other commands, at once."""

    at: int = 0


@fault_kind(
    "ftp", trigger="*", sees="what came in one segment behind a command is never answered", outcome=Outcome.EITHER
)
class PipelinedDropped(Fault):
    """Forget what the client has sent behind the command at hand."""


# Inside TLS


@fault_kind("ftps", trigger="PASS", sees="a line in clear text inside TLS (wrong version number), then the end")
class ClearText(Fault):
    """Say something past TLS, as vsftpd's "500 OOPS" does."""

    text: str = "500 OOPS: cannot change directory"


@fault_kind("ftps", trigger="RETR", sees="data in clear text after PROT P")
class ClearData(Fault):
    """Agree to PROT P, and send data in clear."""


@fault_kind(
    "ftps",
    trigger="RETR",
    sees="522, unless the data connection resumes the control connection's session",
    outcome=Outcome.SUCCESS,
)
class ReuseRequired(Fault):
    """Want the TLS session resumed, as vsftpd does."""


# Listings: what is added to them. Behind most of these names there is something to be had.


@fault_kind("ftp", trigger="LIST", sees="names that climb: ../, ../../, a/../../", outcome=Outcome.EITHER)
class ListingClimbs(Fault):
    """A listing has names with `..` in them."""


@fault_kind("ftp", trigger="LIST", sees="names that begin with /", outcome=Outcome.EITHER)
class ListingAbsolute(Fault):
    """A listing has absolute names."""


@fault_kind("ftp", trigger="LIST", sees="the folders . and .., and one without a name", outcome=Outcome.EITHER)
class ListingOfItself(Fault):
    """A listing has the folder that it is of, as an entry."""


@fault_kind(
    "ftp",
    trigger="LIST",
    sees="names with terminal escapes, line separators and bidirectional marks",
    outcome=Outcome.EITHER,
)
class ListingEscapes(Fault):
    """A listing has names that act on a terminal."""


@fault_kind("ftp", trigger="LIST", sees="a name with a carriage return in it", outcome=Outcome.EITHER)
class ListingCr(Fault):
    """A listing has CR in a name."""


@fault_kind("ftp", trigger="LIST", sees="a name with a NUL byte in it", outcome=Outcome.EITHER)
class ListingNul(Fault):
    """A listing has NUL in a name."""


@fault_kind("ftp", trigger="LIST", sees="names in Latin-1, which is not UTF-8", outcome=Outcome.EITHER)
class ListingRawBytes(Fault):
    """A listing has bytes that are not UTF-8."""


@fault_kind("ftp", trigger="LIST", sees="ENTRIES names more", outcome=Outcome.EITHER)
class ListingHuge(Fault):
    """A listing is long."""

    entries: int = 100_000


@fault_kind("ftp", trigger="LIST", sees="a listing that never ends", outcome=Outcome.EITHER)
class ListingEndless(Fault):
    """A listing goes on as long as it is read."""


@fault_kind(
    "ftp",
    trigger="LIST",
    sees="a link that leads out, then a folder of the same name with a file in it",
    outcome=Outcome.EITHER,
)
class ListingLinkThenFolder(Fault):
    """A listing has a link, and a folder in its place: who makes the link writes through it (CVE-2014-4877)."""
