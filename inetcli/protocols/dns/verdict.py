"""What a reply means for its question: the records that answer it, and whether that is an answer at all.

A reply can say NOERROR and hold nothing usable: no record (NODATA), a referral to other servers, an alias (CNAME) whose
end is not in it. All of these are "no record of that type" (RFC 2308 section 2). Aliases are followed inside the reply,
as RFC 1034 section 3.6.2 has it.
"""

from inetcli.errors import DnsError, Empty, InetError, NxDomain, ProtocolViolation, TimedOut
from inetcli.protocols.dns.model import TYPES, Answer, Message, Question, Record, rcode_name, type_name

_ANY = TYPES["ANY"]
_CNAME = TYPES["CNAME"]
_SOA = TYPES["SOA"]

NODATA = "NODATA"
MALFORMED = "MALFORMED"
TIMEOUT = "TIMEOUT"


def follow(question: Question, message: Message) -> tuple[list[Record], bool]:
    """The records of the answer section from the question's name on along its aliases, and whether records of the
    type that was asked are among them. `ProtocolViolation` when the aliases go in a circle."""
    by_name: dict[str, list[Record]] = {}
    for record in message.answers:
        by_name.setdefault(record.name.lower(), []).append(record)
    path: list[Record] = []
    name, seen = question.name.lower(), set[str]()
    while name not in seen:
        seen.add(name)
        here = by_name.get(name, [])
        wanted = [record for record in here if question.type in (record.type, _ANY)]
        if wanted:
            return path + wanted, True
        alias = next((record for record in here if record.type == _CNAME), None)
        if alias is None:
            return path, False
        path.append(alias)
        name = str(alias.fields["target"]).lower()
    raise ProtocolViolation(
        f"{question.name}: its aliases go in a circle: {' -> '.join(record.name for record in path)}"
    )


def status(answer: Answer) -> str:
    """The one word of the contract: NOERROR, NODATA, or the rcode's name. An alias loop is MALFORMED."""
    if answer.message.rcode:
        return rcode_name(answer.message.rcode)
    try:
        return "NOERROR" if follow(answer.question, answer.message)[1] else NODATA
    except ProtocolViolation:
        return MALFORMED


def failure_word(error: InetError) -> str:
    """The status of a question that got no usable reply."""
    match error:
        case TimedOut():
            return TIMEOUT
        case ProtocolViolation():
            return MALFORMED
        case _:
            return error.kind.upper()


def failure(answer: Answer) -> InetError | None:
    """The error that the reply amounts to; None when it answers the question."""
    question, message = answer.question, answer.message
    name, kind = question.name, type_name(question.type)
    extended = "".join(f" (EDE {code}{': ' + text if text else ''})" for code, text in message.ede)
    match rcode_name(message.rcode):
        case "NOERROR":
            try:
                path, found = follow(question, message)
            except ProtocolViolation as error:
                return error
            if found:
                return None
            end = f": it is an alias of {path[-1].fields['target']}, and that has none" if path else ""
            return Empty(f"{name}: no {kind} record{end}, says {answer.server}{extended}")
        case "NXDOMAIN":
            return NxDomain(
                f"{name}: NXDOMAIN from {answer.server}{_missing(question, message)}{_negative_ttl(message)}{extended}"
            )
        case rcode:
            refusal = DnsError(f"{name} {kind}: {rcode} from {answer.server}{extended}")
            refusal.transient = rcode == "SERVFAIL"
            return refusal


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
