"""What goes wrong with DNS: the kinds. They sit on a question (`www.example.test/A`) or on `*`."""

from mockservers.faultkinds import Fault, fault_kind


@fault_kind("dns", sees="that rcode", trigger="*")
class Rcode(Fault):
    """Answer with an rcode and no records."""

    code: str = "SERVFAIL"


@fault_kind("dns", sees="nothing", trigger="*")
class Drop(Fault):
    """Let the question be lost."""


@fault_kind("dns", sees="a reply that is not its own", trigger="*")
class WrongId(Fault):
    """Answer with another ID."""


@fault_kind("dns", sees="a reply to another question", trigger="*")
class WrongQuestion(Fault):
    """Answer another question."""


@fault_kind("dns", sees="a cut reply over UDP, the whole one over TCP", trigger="*")
class Truncated(Fault):
    """Set TC over UDP."""


@fault_kind("dns", sees="a malformed message", trigger="*")
class Cut(Fault):
    """End the message in the middle."""


@fault_kind("dns", sees="FORMERR until it asks without EDNS", trigger="*")
class NoEdns(Fault):
    """Be a server from before EDNS."""
