"""What a reply means for its question: its status, and the error that it amounts to."""

import pytest
from support.dnsanswers import WWW, a, answer, cname

from inetcli.errors import (
    DnsError,
    Empty,
    InetError,
    NxDomain,
    ProtocolViolation,
    ReceiveFailed,
    TimedOut,
    Unreachable,
)
from inetcli.protocols.dns.errors import REPLY_ERRORS, answer_error, failure_status
from inetcli.protocols.dns.model import Answer, Message, Question, Record, Transport
from inetcli.protocols.dns.verdict import answer_status


@pytest.mark.parametrize(
    ("given", "word", "kind"),
    [
        (answer(a("www.example.test.")), "NOERROR", None),
        (answer(a("WWW.Example.TEST.")), "NOERROR", None),
        (answer(cname("www.example.test.", "b."), a("b.")), "NOERROR", None),
        (answer(a("b."), cname("www.example.test.", "b.")), "NOERROR", None),
        (answer(), "NODATA", Empty),
        (answer(a("other.example.test.")), "NODATA", Empty),
        (answer(cname("www.example.test.", "nowhere.")), "NODATA", Empty),
        (answer(cname("www.example.test.", "b."), cname("b.", "www.example.test.")), "MALFORMED", ProtocolViolation),
        (answer(rcode=3), "NXDOMAIN", NxDomain),
        (answer(cname("www.example.test.", "b."), question=Question("www.example.test.", 5)), "NOERROR", None),
        (answer(a("www.example.test."), question=Question("www.example.test.", 255)), "NOERROR", None),
    ],
)
def test_status_and_error_of_a_reply(given: Answer, word: str, kind: type[Exception] | None) -> None:
    assert answer_status(given) == word
    error = answer_error(given)
    assert error is None if kind is None else type(error) is kind


def test_nxdomain_names_the_negative_ttl() -> None:
    soa = Record("example.test.", 6, 300, "x", {"minimum_s": 900})
    error = answer_error(answer(rcode=3, authority=(soa,)))
    assert error is not None
    assert error.message == "www.example.test.: NXDOMAIN from 192.0.2.53 (kept 300 s by example.test.)"


def test_a_circle_of_aliases_names_them() -> None:
    error = answer_error(answer(cname("www.example.test.", "b."), cname("b.", "www.example.test.")))
    assert error is not None
    assert error.message == "www.example.test.: alias loop: www.example.test. -> b."


def test_an_alias_whose_end_has_no_such_record_names_the_end() -> None:
    error = answer_error(answer(cname("www.example.test.", "b.")))
    assert error is not None
    assert error.message == "www.example.test.: no A record (alias of b.) at 192.0.2.53"


@pytest.mark.parametrize(
    ("rcode", "word", "transient"), [(2, "SERVFAIL", True), (5, "REFUSED", False), (99, "RCODE99", False)]
)
def test_another_rcode_is_a_dns_error_and_only_servfail_may_pass(rcode: int, word: str, transient: bool) -> None:
    given = answer(rcode=rcode)
    error = answer_error(given)
    assert isinstance(error, DnsError)
    assert (answer_status(given), error.transient) == (word, transient)
    assert error.message == f"www.example.test. A: {word} from 192.0.2.53"


def test_extended_errors_are_quoted() -> None:
    message = Message(1, ("qr",), 2, WWW, ede=((6, "bogus"), (22, "")))
    error = answer_error(Answer(WWW, message, "192.0.2.53", Transport.UDP, 0.01, 1))
    assert error is not None
    assert error.message == "www.example.test. A: SERVFAIL from 192.0.2.53 (EDE 6: bogus) (EDE 22)"


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ((), ""),
        ((cname("www.example.test.", "b."),), ": alias of b., which does not exist"),
        (
            (cname("www.example.test.", "b."), cname("b.", "c.")),
            ": alias (via b.) of c., which does not exist",
        ),
        ((cname("www.example.test.", "www.example.test."),), ""),
    ],
)
def test_nxdomain_is_about_the_end_of_the_aliases(records: tuple[Record, ...], words: str) -> None:
    error = answer_error(answer(*records, rcode=3))
    assert isinstance(error, NxDomain)
    assert error.message == f"www.example.test.: NXDOMAIN from 192.0.2.53{words}"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (TimedOut("x"), "TIMEOUT"),
        (ProtocolViolation("x"), "MALFORMED"),
        (Unreachable("x"), "UNREACHABLE"),
        (ReceiveFailed("x"), "RECEIVE_FAILED"),
    ],
)
def test_the_status_of_a_question_without_a_usable_reply(error: InetError, word: str) -> None:
    assert failure_status(error) == word


def test_every_rcode_of_the_table_is_tried() -> None:
    assert REPLY_ERRORS.keys() == {"NXDOMAIN", "SERVFAIL"}
