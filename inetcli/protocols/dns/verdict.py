"""Whether a reply answers its question: the records that do, and the status.

A reply can say NOERROR and hold nothing usable: no record (NODATA), a referral to other servers, an alias (CNAME) whose
end is not in it. All of these are "no record of that type" (RFC 2308 section 2). Aliases are followed inside the reply,
as RFC 1034 section 3.6.2 has it.
"""

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.model import TYPES, Answer, Message, Question, Record, rcode_name

_ANY = TYPES["ANY"]
_CNAME = TYPES["CNAME"]

NODATA = "NODATA"
MALFORMED = "MALFORMED"


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
