"""Answers as text (presentation form, RFC 1035 section 5.1) and as JSON."""

from inetcli.protocols.dns.model import Answer, Question, Record, type_name
from inetcli.protocols.dns.verdict import follow, status
from inetcli.wire.escape import escape


def format_answer(answer: Answer, *, short: bool = False) -> list[str]:
    """A line for each record that answers the question, aliases on the way included; `short` = its data alone."""
    if answer.message.rcode:
        return []
    records, _ = follow(answer.question, answer.message)
    return [escape(record.data) if short else format_record(record) for record in records]


def format_record(record: Record) -> str:
    """`name  ttl  IN  type  data`."""
    return escape("  ".join([record.name, str(record.ttl_s), "IN", type_name(record.type), record.data]))


def answer_to_json(answer: Answer) -> dict[str, object]:
    """The keys of `dns lookup` for one question that got a reply."""
    message = answer.message
    return {
        "name": answer.question.name,
        "type": type_name(answer.question.type),
        "status": status(answer),
        "flags": list(message.flags),
        "answers": [_record(record) for record in message.answers],
        "authority": [_record(record) for record in message.authority],
        "additional": [_record(record) for record in message.additional],
        "server": answer.server,
        "transport": str(answer.transport),
        "rtt_ms": round(answer.rtt_s * 1000, 3),
        "tries": answer.tries,
        "truncated": answer.truncated,
        "ede": [{"code": code, "text": text} for code, text in message.ede],
    }


def failure_to_json(question: Question, word: str, tries: int, *, truncated: bool) -> dict[str, object]:
    """The keys for one question that got no usable reply; `word` = TIMEOUT, MALFORMED or the like. `truncated`: one
    over UDP was cut, and over TCP none came."""
    return {
        "name": question.name,
        "type": type_name(question.type),
        "status": word,
        "tries": tries,
        "truncated": truncated,
    }


def _record(record: Record) -> dict[str, object]:
    return {
        "name": record.name,
        "type": type_name(record.type),
        "ttl_s": record.ttl_s,
        "data": record.data,
        **record.fields,
    }
