"""Faults as text: the grammar, read from the right, there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockservers.faultkinds import Armed, BadFault, Delay, Fin, Garbage, Reply, Rst
from mockservers.faulttext import parse_fault


@pytest.mark.parametrize(
    ("text", "armed"),
    [
        ("ftp:RETR:rst@4096x1", Armed("RETR", Rst(4096), 0, 1, "ftp")),
        ("ftp:SIZE:reply(550 no, sorry)", Armed("SIZE", Reply("550 no, sorry"), 0, None, "ftp")),
        ("nntp:connect:delay(0.5)", Armed("connect", Delay(0.5), 0, None, "nntp")),
        ("RETR+3:fin", Armed("RETR", Fin(0), 3)),
        ("GET /a:b:fin@3", Armed("GET /a:b", Fin(3))),
        ("*:garbage(9)x2", Armed("*", Garbage(9), 0, 2)),
        ("X:reply(a:rst (b) c:fin)", Armed("X", Reply("a:rst (b) c:fin"))),
        ("X:reply()x2", Armed("X", Reply(""), 0, 2)),
        ("dns:www.example.test/A:delay(1)", Armed("www.example.test/A", Delay(1.0), 0, None, "dns")),
    ],
)
def test_parse_fault(text: str, armed: Armed) -> None:
    assert parse_fault(text) == armed
    assert parse_fault(str(armed)) == armed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp:RETR:rts@4", "near ones: rst"),
        ("ftpp:RETR:rst", "no server is called 'ftpp'; near ones: ftp"),
        ("RETR:delay(x)", "expected seconds as float, got 'x'"),
        ("RETR:delay(1, 2)", "takes 1 arguments, got 2"),
        ("RETR:delay@3", "takes no @BYTES"),
        ("rst", "no fault is called"),
        ("", "no fault is called"),
        (":rst", "no fault is called"),
    ],
)
def test_parse_fault_refuses_and_says_why(text: str, why: str) -> None:
    with pytest.raises(BadFault, match=why.replace("(", r"\(")):
        parse_fault(text)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_fault_or_is_refused(text: str) -> None:
    try:
        assert isinstance(parse_fault(text), Armed)
    except BadFault:
        pass
