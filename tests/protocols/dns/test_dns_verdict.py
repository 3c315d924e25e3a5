"""Whether a reply answers its question: the records along its aliases, and the status."""

import pytest
from support.dnsanswers import WWW, a, answer, cname

from inetcli.errors import ProtocolViolation
from inetcli.protocols.dns.model import Question, Record
from inetcli.protocols.dns.verdict import answer_status, follow_aliases


@pytest.mark.parametrize(
    ("records", "names", "found"),
    [
        ([], [], False),
        ([a("www.example.test.")], ["www.example.test."], True),
        ([a("WWW.example.TEST."), a("www.example.test.")], ["WWW.example.TEST.", "www.example.test."], True),
        ([cname("www.example.test.", "b."), a("b."), a("stranger.")], ["www.example.test.", "b."], True),
        ([a("b."), cname("www.example.test.", "B.")], ["www.example.test.", "b."], True),
        ([cname("www.example.test.", "b."), cname("b.", "c.")], ["www.example.test.", "b."], False),
        ([a("stranger.")], [], False),
    ],
)
def test_follow_aliases_returns_only_records_of_the_chain(records: list[Record], names: list[str], found: bool) -> None:
    path, there = follow_aliases(WWW, answer(*records).message)
    assert ([record.name for record in path], there) == (names, found)


@pytest.mark.parametrize("kind", [5, 255])
def test_an_alias_that_was_asked_for_is_not_followed(kind: int) -> None:
    question = Question("www.example.test.", kind)
    path, found = follow_aliases(question, answer(cname("www.example.test.", "b."), a("b."), question=question).message)
    assert ([record.name for record in path], found) == (["www.example.test."], True)


@pytest.mark.parametrize("target", ["www.example.test.", "WWW.example.test."])
def test_a_circle_of_aliases_is_a_violation(target: str) -> None:
    with pytest.raises(ProtocolViolation, match=r"www\.example\.test\. -> b\."):
        follow_aliases(WWW, answer(cname("www.example.test.", "b."), cname("b.", target)).message)


@pytest.mark.parametrize(
    ("records", "rcode", "word"),
    [
        ([a("www.example.test.")], 0, "NOERROR"),
        ([], 0, "NODATA"),
        ([cname("www.example.test.", "b.")], 0, "NODATA"),
        ([cname("www.example.test.", "www.example.test.")], 0, "MALFORMED"),
        ([a("www.example.test.")], 3, "NXDOMAIN"),
        ([], 2, "SERVFAIL"),
        ([], 99, "RCODE99"),
    ],
)
def test_the_status_is_the_rcode_or_what_came_with_it(records: list[Record], rcode: int, word: str) -> None:
    assert answer_status(answer(*records, rcode=rcode)) == word
