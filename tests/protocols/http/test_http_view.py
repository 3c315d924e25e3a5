"""What came over HTTP as JSON, and its findings as lines."""

from inetcli.protocols.http.model import Exchange, Finding, Framing, Head, Response, Severity
from inetcli.protocols.http.view import exchange_to_json, format_finding

FINDING = Finding("cl-and-te", Severity.ERROR, 17, "9112 6.3", "Content-Length beside Transfer-Encoding")


def test_format_finding_says_where_and_by_which_section() -> None:
    assert format_finding(FINDING) == "error @17  cl-and-te  Content-Length beside Transfer-Encoding (RFC 9112 6.3)"


def test_format_finding_escapes_what_could_act_on_a_terminal() -> None:
    shown = format_finding(Finding("x", Severity.NOTE, 0, "9112 4", "\x1b[2J\u202e"))
    assert shown == "note @0  x  \\x1b[2J\\u202e (RFC 9112 4)"


def test_exchange_to_json_has_the_keys_of_the_contract() -> None:
    early = Response(Head(103, "Early Hints", "1.1", (("Link", "x"),), 0, 30), Framing.NONE, 0, (), 30)
    final = Response(Head(200, "OK", "1.1", (("A", "1"), ("A", "2")), 30, 60), Framing.CHUNKED, 5, (("T", "v"),), 80)
    exchange = Exchange([early, final], [FINDING], sent_bytes=18, received_bytes=83, surplus=3)
    assert exchange_to_json(exchange) == {
        "responses": [
            {
                "status": 103,
                "reason": "Early Hints",
                "version": "1.1",
                "headers": [["Link", "x"]],
                "framing": "none",
                "interim": True,
                "body_bytes": 0,
                "trailers": [],
                "start": 0,
                "end": 30,
            },
            {
                "status": 200,
                "reason": "OK",
                "version": "1.1",
                "headers": [["A", "1"], ["A", "2"]],
                "framing": "chunked",
                "interim": False,
                "body_bytes": 5,
                "trailers": [["T", "v"]],
                "start": 30,
                "end": 80,
            },
        ],
        "findings": [
            {
                "id": "cl-and-te",
                "severity": "error",
                "offset": 17,
                "section": "9112 6.3",
                "message": "Content-Length beside Transfer-Encoding",
            }
        ],
        "sent_bytes": 18,
        "received_bytes": 83,
    }


def test_an_exchange_in_which_nothing_came_is_empty() -> None:
    assert exchange_to_json(Exchange()) == {"responses": [], "findings": [], "sent_bytes": 0, "received_bytes": 0}
