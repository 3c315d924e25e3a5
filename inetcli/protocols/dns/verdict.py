"""The status of a reply: whether it answers its question, and with which records.

A NOERROR reply may contain no usable record: none at all (NODATA), a referral to other servers, or an alias (CNAME)
whose target is not in the reply. All of these mean "no record of that type" (RFC 2308 section 2). Aliases are followed
inside the reply, as in RFC 1034 section 3.6.2.
"""

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.model import TYPES, Answer, Message, Question, Record, rcode_name

_ANY = TYPES["ANY"]
_CNAME = TYPES["CNAME"]

NODATA = "NODATA"
MALFORMED = "MALFORMED"


def follow_aliases(question: Question, message: Message) -> tuple[list[Record], bool]:
    """Return the records of the answer section along the alias chain of the name, and whether they include the type.

    `ProtocolViolation` for an alias loop.
    """
    by_name: dict[str, list[Record]] = {}
    for record in message.answers:
        by_name.setdefault(record.name.lower(), []).append(record)
    path: list[Record] = []
    name, visited = question.name.lower(), set[str]()
    while name not in visited:
        visited.add(name)
        records = by_name.get(name, [])
        matching = [record for record in records if question.type in (record.type, _ANY)]
        if matching:
            return path + matching, True
        alias = next((record for record in records if record.type == _CNAME), None)
        if alias is None:
            return path, False
        path.append(alias)
        name = str(alias.fields["target"]).lower()
    raise ProtocolViolation(f"{question.name}: alias loop: {' -> '.join(record.name for record in path)}")


def answer_status(answer: Answer) -> str:
    """Return the status for JSON: NOERROR, NODATA, or the name of the rcode. An alias loop is MALFORMED."""
    if answer.message.rcode:
        return rcode_name(answer.message.rcode)
    try:
        return "NOERROR" if follow_aliases(answer.question, answer.message)[1] else NODATA
    except ProtocolViolation:
        return MALFORMED
