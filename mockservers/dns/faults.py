"""What goes wrong with DNS: the kinds. They sit on a question (`www.example.test/A`, `*/AAAA`) or on `*`.

`mockservers.dns.spoiling` carries them out. The transport's `delay`, `silent` and `garbage` act over UDP, too, and all
of them over TCP.
"""

from mockservers.dns.types import RCODES
from mockservers.faultkinds import BadFault, Fault, Outcome, fault_kind, near

WAYS = ("id", "question", "port")


@fault_kind("dns", sees="that rcode and no records", trigger="*")
class Rcode(Fault):
    """Answer with an rcode, by its name or number; one above 15 needs a query with EDNS to be seen whole."""

    code: str = "SERVFAIL"

    def check(self) -> None:
        if not (self.code.isascii() and self.code.isdigit() and int(self.code) <= 0xFFF) and self.code not in RCODES:
            raise BadFault(
                f"rcode: expected a name or a number up to 4095, got {self.code!r}; {near(self.code, RCODES)}"
            )

    @property
    def number(self) -> int:
        return RCODES[self.code] if self.code in RCODES else int(self.code)


@fault_kind("dns", sees="NOERROR without a record of that type", trigger="*")
class Nodata(Fault):
    """Know the name, and nothing of that type."""


@fault_kind("dns", sees="NOERROR without AA, and a referral to the root", trigger="*")
class Lame(Fault):
    """Be a server that was never told of the zone."""


@fault_kind("dns", sees="an alias that leads back to itself", trigger="*")
class CnameLoop(Fault):
    """Answer with two aliases that point at each other."""


@fault_kind("dns", sees="a cut reply over UDP (TC), the whole one over TCP", trigger="*", outcome=Outcome.SUCCESS)
class Tc(Fault):
    """Set TC over UDP, whatever the size, and leave out the records."""


@fault_kind("dns", sees="a cut reply over UDP (TC), and over TCP a reset", trigger="*")
class TcRefused(Fault):
    """Set TC over UDP, and reset whoever asks again over TCP."""


@fault_kind("dns", sees="nothing", trigger="*")
class Drop(Fault):
    """Let the question be lost."""


@fault_kind("dns", sees="the right reply, twice", trigger="*", outcome=Outcome.SUCCESS)
class Duplicate(Fault):
    """Send the reply two times."""


@fault_kind("dns", sees="a wrong reply, and the right one behind it", trigger="*", outcome=Outcome.SUCCESS)
class ForgeFirst(Fault):
    """Send a forged reply before the good one: with another `id`, another `question`, or from another `port` (UDP).

    It holds 203.0.113.66 or 2001:db8::66 for A and AAAA; for all else it is an NXDOMAIN.
    """

    by: str = "id"

    def check(self) -> None:
        if self.by not in WAYS:
            raise BadFault(f"forge_first: expected {' or '.join(WAYS)}, got {self.by!r}")


@fault_kind("dns", sees="a reply that is not to its query: another ID", trigger="*")
class WrongId(Fault):
    """Answer with another ID."""


@fault_kind("dns", sees="a reply to another question", trigger="*")
class WrongQuestion(Fault):
    """Answer as if another name had been asked for."""


@fault_kind("dns", sees="a reply from another port (UDP)", trigger="*")
class OtherPort(Fault):
    """Answer from another port than the one that was asked."""


@fault_kind("dns", sees="the question in lower case: the client's 0x20 is spoilt", trigger="*", outcome=Outcome.SUCCESS)
class LowerCase(Fault):
    """Answer with the name in lower case, in whatever case it was asked for."""


@fault_kind("dns", sees="a malformed message: it ends within a record", trigger="*")
class Cut(Fault):
    """End the message in the middle."""


@fault_kind("dns", sees="a malformed message: a name without an end", trigger="*")
class CompressionLoop(Fault):
    """Let a compressed name point at itself."""


@fault_kind("dns", sees="the reply with an extended error (EDNS)", trigger="*", outcome=Outcome.SUCCESS)
class Ede(Fault):
    """Add an extended error, its code and text (RFC 8914), to whatever the reply is; where the query has EDNS."""

    code: int = 0
    text: str = "told by the mock"

    def check(self) -> None:
        if self.code > 0xFFFF or len(self.text.encode("utf-8", "surrogateescape")) > 255:
            raise BadFault("ede: expected a code up to 65535 and a text up to 255 bytes")


@fault_kind("dns", sees="FORMERR until it asks without EDNS", trigger="*", outcome=Outcome.EITHER)
class NoEdns(Fault):
    """Be a server from before EDNS."""


@fault_kind("dns", sees="BADVERS until it asks without EDNS", trigger="*", outcome=Outcome.EITHER)
class Badvers(Fault):
    """Be a server to which no version of EDNS is right."""
