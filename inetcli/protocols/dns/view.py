"""Answers as text (presentation form, RFC 1035 section 5.1) and as JSON."""

from inetcli.protocols.dns.model import Answer, Question, Record, type_name
from inetcli.protocols.dns.verdict import answer_status, follow_aliases
from inetcli.wire.escape import escape


def format_answer(answer: Answer, *, short: bool = False) -> list[str]:
    """Format one line for each record that answers the question, aliases included; `short` = only the data."""
    if answer.message.rcode:
        return []
    records, _ = follow_aliases(answer.question, answer.message)
    return [escape(record.data) if short else format_record(record) for record in records]


def format_record(record: Record) -> str:
    """Format `name  ttl  IN  type  data`."""
    return escape("  ".join([record.name, str(record.ttl_s), "IN", type_name(record.type), record.data]))


def answer_to_json(answer: Answer) -> dict[str, object]:
    """Return the fields of `dns lookup` for a question with a reply."""
    message = answer.message
    return {
        "name": answer.question.name,
        "type": type_name(answer.question.type),
        "status": answer_status(answer),
        "flags": list(message.flags),
        "answers": [_record_to_json(record) for record in message.answers],
        "authority": [_record_to_json(record) for record in message.authority],
        "additional": [_record_to_json(record) for record in message.additional],
        "server": answer.server,
        "transport": str(answer.transport),
        "rtt_ms": round(answer.rtt_s * 1000, 3),
        "tries": answer.tries,
        "truncated": answer.truncated,
        "ede": [{"code": code, "text": text} for code, text in message.ede],
    }


def failure_to_json(question: Question, status: str, tries: int, *, truncated: bool) -> dict[str, object]:
    """Return the fields for a question without a usable reply; `status` is TIMEOUT, MALFORMED or similar. `truncated`:
    the reply over UDP was truncated, and none came over TCP."""
    return {
        "name": question.name,
        "type": type_name(question.type),
        "status": status,
        "tries": tries,
        "truncated": truncated,
    }


def _record_to_json(record: Record) -> dict[str, object]:
    return {
        "name": record.name,
        "type": type_name(record.type),
        "ttl_s": record.ttl_s,
        "data": record.data,
        **record.fields,
    }
