"""Errors for DNS replies: one table of rcodes (RFC 1035 section 4.1.1, RFC 6895 section 2.3).

An rcode that is not in the table is a permanent `DnsError`. NOERROR without a record of the type is `Empty`.
"""

from collections.abc import Mapping

from inetcli.errors import DnsError, Empty, InetError, NxDomain, ProtocolViolation, TimedOut
from inetcli.protocols.dns.model import TYPES, Answer, Message, Question, rcode_name, type_name
from inetcli.protocols.dns.verdict import MALFORMED, follow_aliases

REPLY_ERRORS: Mapping[str, tuple[type[InetError], bool]] = {
    "NXDOMAIN": (NxDomain, False),
    "SERVFAIL": (DnsError, True),
}
"""The class for each rcode, and whether a retry may help."""

TIMEOUT = "TIMEOUT"

_SOA = TYPES["SOA"]


def failure_status(error: InetError) -> str:
    """Return the status of a question without a usable reply."""
    match error:
        case TimedOut():
            return TIMEOUT
        case ProtocolViolation():
            return MALFORMED
        case _:
            return error.kind.upper()


def answer_error(answer: Answer) -> InetError | None:
    """Return the error for a reply; None if the reply answers its question."""
    question, message = answer.question, answer.message
    name = question.name
    extended = "".join(f" (EDE {code}{': ' + text if text else ''})" for code, text in message.ede)
    rcode = rcode_name(message.rcode)
    if rcode == "NOERROR":
        return _no_records_error(answer, extended)
    kind, transient = REPLY_ERRORS.get(rcode, (DnsError, False))
    if kind is NxDomain:
        details = _describe_missing_alias(question, message) + _describe_negative_ttl(message)
        error: InetError = kind(f"{name}: {rcode} from {answer.server}{details}{extended}")
    else:
        error = kind(f"{name} {type_name(question.type)}: {rcode} from {answer.server}{extended}")
    error.transient = transient
    return error


def _no_records_error(answer: Answer, extended: str) -> InetError | None:
    """Return the error for a NOERROR reply without a usable record; None if there is one."""
    question = answer.question
    try:
        path, found = follow_aliases(question, answer.message)
    except ProtocolViolation as error:
        return error
    if found:
        return None
    alias = f" (alias of {path[-1].fields['target']})" if path else ""
    kind = type_name(question.type)
    return Empty(f"{question.name}: no {kind} record{alias} at {answer.server}{extended}")


def _describe_missing_alias(question: Question, message: Message) -> str:
    """Name the alias target that does not exist, if it is not the queried name: the rcode applies to the end of the
    alias chain (RFC 6604 section 3)."""
    try:
        path, found = follow_aliases(question, message)
    except ProtocolViolation:
        return ""
    if found or not path:
        return ""
    via = f" (via {path[-1].name})" if len(path) > 1 else ""
    return f": alias{via} of {path[-1].fields['target']}, which does not exist"


def _describe_negative_ttl(message: Message) -> str:
    """Format the time for which NXDOMAIN may be cached, and the zone of the SOA record (RFC 2308 section 5)."""
    for record in message.authority:
        if record.type == _SOA:
            minimum = record.fields["minimum_s"]
            assert isinstance(minimum, int)
            return f" (kept {min(record.ttl_s, minimum)} s by {record.name})"
    return ""
