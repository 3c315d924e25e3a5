"""Answers as presentation lines and as JSON."""

from inetcli.protocols.dns.model import Answer, Message, Question, Record, Transport
from inetcli.protocols.dns.view import answer_to_json, failure_to_json, format_answer, format_record

A = Record("www.example.test.", 1, 300, "192.0.2.1", {"address": "192.0.2.1"})
ALIAS = Record("alias.example.test.", 5, 60, "www.example.test.", {"target": "www.example.test."})
QUESTION = Question("alias.example.test.", 1)


def answer(*records: Record, rcode: int = 0) -> Answer:
    message = Message(1, ("qr", "aa"), rcode, QUESTION, records, ede=((18, "x"),))
    return Answer(QUESTION, message, "192.0.2.53", Transport.TCP, 0.0123456, 2, truncated=True)


def test_format_answer_shows_the_aliases_on_the_way() -> None:
    assert format_answer(answer(ALIAS, A)) == [
        "alias.example.test.  60  IN  CNAME  www.example.test.",
        "www.example.test.  300  IN  A  192.0.2.1",
    ]
    assert format_answer(answer(ALIAS, A), short=True) == ["www.example.test.", "192.0.2.1"]
    assert format_answer(answer(ALIAS, A, rcode=3)) == []


def test_format_record_escapes_what_could_act_on_a_terminal() -> None:
    assert format_record(Record("a.", 65280, 0, "x\x1b[m")) == r"a.  0  IN  TYPE65280  x\x1b[m"


def test_answer_to_json_has_the_keys_of_the_contract() -> None:
    assert answer_to_json(answer(ALIAS, A)) == {
        "name": "alias.example.test.",
        "type": "A",
        "status": "NOERROR",
        "flags": ["qr", "aa"],
        "answers": [
            {
                "name": "alias.example.test.",
                "type": "CNAME",
                "ttl_s": 60,
                "data": "www.example.test.",
                "target": "www.example.test.",
            },
            {"name": "www.example.test.", "type": "A", "ttl_s": 300, "data": "192.0.2.1", "address": "192.0.2.1"},
        ],
        "authority": [],
        "additional": [],
        "server": "192.0.2.53",
        "transport": "tcp",
        "rtt_ms": 12.346,
        "tries": 2,
        "truncated": True,
        "ede": [{"code": 18, "text": "x"}],
    }


def test_failure_to_json_keeps_name_type_and_tries() -> None:
    assert failure_to_json(QUESTION, "TIMEOUT", 3, truncated=False) == {
        "name": "alias.example.test.",
        "type": "A",
        "status": "TIMEOUT",
        "tries": 3,
        "truncated": False,
    }
