"""Which error of ours a reply is: one table of rcodes (RFC 1035 section 4.1.1, RFC 6895 section 2.3).

What is not in the table is `DnsError`, for good. NOERROR is `Empty` where no record of the type came with it.
"""

from collections.abc import Mapping

from inetcli.errors import DnsError, Empty, InetError, NxDomain, ProtocolViolation, TimedOut
from inetcli.protocols.dns.model import TYPES, Answer, Message, Question, rcode_name, type_name
from inetcli.protocols.dns.verdict import MALFORMED, follow

RCODES: Mapping[str, tuple[type[InetError], bool]] = {
    "NXDOMAIN": (NxDomain, False),
    "SERVFAIL": (DnsError, True),
}
"""The class of each rcode, and whether another try may help."""

TIMEOUT = "TIMEOUT"

_SOA = TYPES["SOA"]


def failure_status(error: InetError) -> str:
    """The status of a question that got no usable reply."""
    match error:
        case TimedOut():
            return TIMEOUT
        case ProtocolViolation():
            return MALFORMED
        case _:
            return error.kind.upper()


def answer_error(answer: Answer) -> InetError | None:
    """The error that the reply amounts to; None when it answers the question."""
    question, message = answer.question, answer.message
    name, kind = question.name, type_name(question.type)
    extended = "".join(f" (EDE {code}{': ' + text if text else ''})" for code, text in message.ede)
    rcode = rcode_name(message.rcode)
    if rcode == "NOERROR":
        return _no_records(answer, extended)
    if rcode == "NXDOMAIN":
        kept = _negative_ttl(message)
        return NxDomain(f"{name}: NXDOMAIN from {answer.server}{_missing(question, message)}{kept}{extended}")
    error, transient = RCODES.get(rcode, (DnsError, False))
    refusal = error(f"{name} {kind}: {rcode} from {answer.server}{extended}")
    refusal.transient = transient
    return refusal


def _no_records(answer: Answer, extended: str) -> InetError | None:
    """The error for a reply of NOERROR that holds nothing usable; None when it does."""
    question = answer.question
    try:
        path, found = follow(question, answer.message)
    except ProtocolViolation as error:
        return error
    if found:
        return None
    end = f": it is an alias of {path[-1].fields['target']}, and that has none" if path else ""
    kind = type_name(question.type)
    return Empty(f"{question.name}: no {kind} record{end}, says {answer.server}{extended}")


def _missing(question: Question, message: Message) -> str:
    """Which name it is that does not exist, where that is not the one that was asked: the rcode is about the end of the
    aliases (RFC 6604 section 3)."""
    try:
        path, found = follow(question, message)
    except ProtocolViolation:
        return ""
    if found or not path:
        return ""
    way = f"leads by way of {path[-1].name} to" if len(path) > 1 else "is an alias of"
    return f": it {way} {path[-1].fields['target']}, which does not exist"


def _negative_ttl(message: Message) -> str:
    """How long the answer "no such name" may be kept, and by whose word (RFC 2308 section 5)."""
    for record in message.authority:
        if record.type == _SOA:
            minimum = record.fields["minimum_s"]
            assert isinstance(minimum, int)
            return f" (kept {min(record.ttl_s, minimum)} s by {record.name})"
    return ""
