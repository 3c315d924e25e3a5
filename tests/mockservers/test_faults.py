"""Faults as text and JSON, there and back; the lists of them, and that each has its contract."""

import json
import string
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import load_module

from mockservers import fault, faults
from mockservers.families import SERVERS, families_of, rows
from mockservers.faultkinds import (
    FAULTS,
    Armed,
    BadFault,
    Delay,
    Fault,
    Fin,
    Garbage,
    LongLine,
    Reply,
    Rst,
    Slice,
    fault_kind,
    find_kind,
)
from mockservers.faulttext import parse_fault, parse_fault_json
from mockservers.registry import make_server

FOLDER = Path(__file__).parent
TRANSPORT = set("refuse blackhole silent delay drip slice fin rst half_close garbage long_line".split())  # noqa: SIM905


@pytest.mark.parametrize(
    ("text", "armed"),
    [
        ("ftp:RETR:rst@4096x1", Armed("RETR", Rst(4096), 0, 1, "ftp")),
        ("ftp:SIZE:reply(550 no, sorry)", Armed("SIZE", Reply("550 no, sorry"), 0, None, "ftp")),
        ("nntp:connect:delay(0.5)", Armed("connect", Delay(0.5), 0, None, "nntp")),
        ("RETR+3:fin", Armed("RETR", Fin(0), 3)),
        ("RETR a.bin:fin", Armed("RETR a.bin", Fin(0))),
        ("GET /a:b:fin@3", Armed("GET /a:b", Fin(3))),
        ("GET /a+1+0:fin@3", Armed("GET /a+1", Fin(3))),
        ("*:garbage(9)x2", Armed("*", Garbage(9), 0, 2)),
        ("*:garbagex2", Armed("*", Garbage(64), 0, 2)),
        ("X:reply(a:rst (b) c:fin)", Armed("X", Reply("a:rst (b) c:fin"))),
        ("X:reply()x2", Armed("X", Reply(""), 0, 2)),
        ("X:reply", Armed("X", Reply())),
        ("X:reply( a )", Armed("X", Reply(" a "))),
        (r"X:reply(211-a\r\n211 \\ \x3a\u00e9)", Armed("X", Reply("211-a\r\n211 \\ :é"))),
        ("dns:www.example.test/A:delay(1)", Armed("www.example.test/A", Delay(1.0), 0, None, "dns")),
        ("dns:www.example.test/A:rcode(SERVFAIL)x2", Armed("www.example.test/A", fault.rcode(), 0, 2, "dns")),
        ("tls:connect:expired", Armed("connect", fault.expired(), 0, None, "tls")),
    ],
)
def test_parse_fault(text: str, armed: Armed) -> None:
    assert parse_fault(text) == armed
    assert parse_fault(str(armed)) == armed
    assert parse_fault_json(json.loads(json.dumps(armed.json()))) == armed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp:RETR:rts@4", "no fault is called 'rts'; near ones: rst"),
        ("connect:exipred", "no fault is called 'exipred'; near ones: expired"),
        ("connect:rsx2", "no fault is called 'rs'; near ones: rst"),
        ("ftpp:RETR:rst", "no server is called 'ftpp'; near ones: ftp"),
        ("RETR:delay(x)", "RETR:delay(x): delay: expected seconds as float, got 'x'"),
        ("RETR:delay(nan)", "expected seconds as a number from 0, got nan"),
        ("RETR:delay(-1)", "expected seconds as a number from 0, got -1.0"),
        ("RETR:slice(0)", "slice: expected size from 1, got 0"),
        ("RETR:garbage(1073741825)", "expected size up to 1073741824, got 1073741825"),
        ("RETR:delay(1, 2)", "delay takes 1 arguments, got 2"),
        ("RETR:delay@3", "delay takes no @BYTES"),
        ("RETR:rstx0", "expected SKIP from 0 and TIMES from 1, got 0 and 0"),
        ("rst", "rst: expected TRIGGER:FAULT, such as connect:rst"),
        (":rst@3", "expected TRIGGER:FAULT, such as connect:rst@3"),
        ("", "no fault is called ''"),
        ("ftp::rst", "expected a trigger before it"),
    ],
)
def test_parse_fault_refuses_and_says_why(text: str, why: str) -> None:
    with pytest.raises(BadFault) as raised:
        parse_fault(text)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"trigger": "RETR"}, "expected trigger, name"),
        ({"name": "rst"}, "expected trigger, name"),
        ({"trigger": "RETR", "name": "rst", "at": 3}, "expected trigger, name"),
        ({"trigger": "RETR", "name": "rts"}, "near ones: rst"),
        ({"trigger": "RETR", "name": "rst", "args": {"att": 3}}, "rst: it has no att; near ones: at"),
        ({"trigger": "RETR", "name": "rst", "args": {"at": "3"}}, "rst: expected at as int, got '3'"),
        ({"trigger": "RETR", "name": "rst", "args": {"at": True}}, "rst: expected at as int, got True"),
        ({"trigger": "RETR", "name": "rst", "server": "ftpp"}, "near ones: ftp"),
    ],
)
def test_parse_fault_json_refuses_and_says_why(value: dict[str, object], why: str) -> None:
    with pytest.raises(BadFault) as raised:
        parse_fault_json(value)
    assert why in str(raised.value)


def test_json_may_leave_out_what_is_usual_and_give_whole_seconds() -> None:
    assert parse_fault_json({"trigger": "RETR", "name": "rst"}) == Armed("RETR", Rst(0))
    armed = parse_fault_json({"trigger": "RETR", "name": "delay", "args": {"seconds": 1}})
    assert armed == Armed("RETR", Delay(1.0))
    assert str(armed) == "RETR:delay(1.0)"


texts = st.text(st.characters(codec="utf-8"), max_size=20)
kinds = st.one_of(
    st.builds(Reply, texts),
    st.builds(Rst, st.integers(0, 1 << 40)),
    st.builds(Delay, st.floats(0, 1e6)),
    st.builds(Slice, st.integers(1, 99)),
    st.builds(LongLine, st.integers(0, 1 << 30)),
)
triggers = st.one_of(
    st.sampled_from(["connect", "data", "*", "GET /a:fin", "GET /a+1", "www.example.test/A"]),
    st.text(string.ascii_letters + string.digits + " /.+*@()", min_size=1, max_size=20),
)
times = st.none() | st.integers(1, 9)


@settings(max_examples=400)
@given(
    st.builds(
        Armed,
        triggers,
        kinds,
        st.integers(0, 9),
        st.none() | st.integers(1, 9),
        st.none() | st.sampled_from([*SERVERS]),
    )
)
def test_what_is_written_is_read_again(armed: Armed) -> None:
    assert parse_fault(str(armed)) == armed
    assert parse_fault_json(json.loads(json.dumps(armed.json()))) == armed


@given(st.text(max_size=40) | st.text("ab:()@x1+,rst", max_size=20))
def test_any_text_is_a_fault_or_is_refused(text: str) -> None:
    try:
        armed = parse_fault(text)
    except BadFault:
        return
    assert parse_fault(str(armed)) == armed


# Lists


@pytest.mark.parametrize("server", SERVERS)
def test_every_example_can_be_armed_on_its_server(server: str) -> None:
    assert [str(parse_fault(text)) for text in faults(server)] == faults(server)
    for text in faults(server):
        with make_server(server, faults=[text]) as made:  # type: ignore[attr-defined]
            armed = parse_fault(text)
            assert armed.fault.name == made.script._rules[0].armed.fault.name
            assert set(armed.fault.families) & set(families_of(server, tls=False))


@pytest.mark.parametrize("server", [name for name in SERVERS if name != "pyftpdlib"])
def test_the_table_of_families_is_what_the_servers_are(server: str) -> None:
    with make_server(server) as made:  # type: ignore[attr-defined]
        assert made.name == server
        assert ("tls" in SERVERS[server]) is (made.ca_file is not None)


def test_where_faults_are_to_be_had() -> None:
    def names(server: str) -> set[str]:
        return {row.name for row in rows(server)}

    transport = {row.name for row in rows() if row.server == "any"}
    assert transport == TRANSPORT
    tls = {row.name for row in rows() if row.server == "tls"} - {"reply"}
    assert {"expired", "truncate"} < tls
    inside = {row.name for row in rows() if row.server == "ftps"}
    assert {"clear_text", "reuse_required"} < inside
    assert names("ftp") == names("ftps") - tls - inside == names("ftpes") - tls - inside
    assert names("nntp") == names("nntps") - tls
    assert names("http") == names("https") - tls
    assert names("dns") == names("dot") - tls
    assert names("time") == transport | {"reply"}
    assert names("tls") == transport | tls | {"reply"}
    assert names("pyftpdlib") == set()
    for server in SERVERS:
        assert transport <= names(server) or server == "pyftpdlib"
    assert "reply" not in names("dns")
    assert set(faults()) == {row.example for row in rows()}
    with pytest.raises(BadFault, match="near ones: ftp"):
        faults("ftpp")


def test_a_kind_is_called_by_its_class_and_by_no_other_name() -> None:
    @fault_kind("ftp", sees="a test", trigger="PASV")
    class JustForThisTest(Fault):
        """Nothing."""

        port: int = 1

    try:
        assert find_kind("just_for_this_test") is JustForThisTest
        assert str(fault.just_for_this_test(port=2)) == "just_for_this_test(2)"
        assert (
            next(row for row in rows("ftps") if row.name == "just_for_this_test").example
            == "PASV:just_for_this_test(1)"
        )
        with pytest.raises(ValueError, match="two faults are called rst"):
            fault_kind("ftp", sees="")(type("Rst", (Fault,), {}))
    finally:
        del FAULTS["just_for_this_test"]


@pytest.mark.parametrize("name", sorted({row.name for row in rows()}))
def test_a_fault_is_a_frozen_value(name: str) -> None:
    kind = find_kind(name)
    assert kind
    one, other = kind(), kind()
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one).startswith(kind.__qualname__)
    assert not any(one == another() for another in FAULTS.values() if another is not kind)
    for attribute in ("at", "name", "no_such_thing"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(one, attribute, 1)


def test_the_namespace_names_the_near_ones() -> None:
    assert str(fault.rst(at=4096)) == "rst@4096"
    with pytest.raises(AttributeError, match="near ones: rst"):
        fault.rts  # noqa: B018


def test_listing_loads_no_network_and_no_cryptography() -> None:
    code = (
        "import sys; from mockservers.cli import cli; cli(['faults', 'ftps'], standalone_mode=False); "
        "print(*sorted({'ssl', 'asyncio', 'socket', 'trustme', 'cryptography', 'pyftpdlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert "connect:expired" in done.stdout
    assert done.stdout.endswith("\n\n")


# Contracts


def tables() -> list[ModuleType]:
    """The test modules that say what a client sees of each fault, in a table called CONTRACTS."""
    return [load_module(path) for path in sorted(FOLDER.glob("test_*faults.py")) if path != Path(__file__)]


def test_every_fault_that_is_listed_has_its_contract_and_no_other_has() -> None:
    """A test runs each row of these tables against a client that is not ours."""
    told = {name for module in tables() for name in module.CONTRACTS}
    assert told == {row.name for row in rows()}
