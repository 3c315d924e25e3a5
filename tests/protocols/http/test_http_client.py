"""Conversations with web servers, each whole: what `inetcli http raw` says, hears, and makes of it."""

import pytest
from support.linescript import LineScript
from support.program import Finished, inetcli_here

from inetcli import __version__
from mockservers.certs import authority

GET = f"""
    C GET / HTTP/1.1
    C Host: 127.0.0.1:*
    C User-Agent: inetcli/{__version__}
    C Accept: */*
    C Connection: close
    C
"""
"""The request, whole."""


def raw(server: LineScript, *options: str, path: str = "/", scheme: str = "http") -> Finished:
    return inetcli_here("http", "raw", *options, f"{scheme}://{server.address}{path}")


def facts(done: Finished) -> list[tuple[int, str, int, int, int]]:
    """Status, framing, size, start and end of each response."""
    return [
        (response["status"], response["framing"], response["body_bytes"], response["start"], response["end"])
        for response in done.row["responses"]
    ]


RESPONSES = {
    "length": (r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", (200, "content-length", 5, 0, 43)),
    "empty": (r"HTTP/1.1 204 No Content\r\n\r\n", "", (204, "none", 0, 0, 27)),
    "chunked": (
        r"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n2\r\n23\r\n0\r\nT: v\r\n\r\n",
        "one23",
        (200, "chunked", 5, 0, 73),
    ),
    "close": (r"HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", (200, "close", 10, 0, 29)),
}
"""Responses by their framing: the bytes, the body, and what is known of them."""


@pytest.mark.parametrize("framing", RESPONSES)
def test_each_framing_is_read_to_its_end(framing: str) -> None:
    data, body, known = RESPONSES[framing]
    script = f"{GET}\nSR {data}\nX"
    with LineScript(script, script, script) as server:
        exact, content, row = raw(server), raw(server, "--body"), raw(server, "--json")
    assert exact.stdout == data.encode().decode("unicode_escape").encode()
    assert (content.out, exact.err, content.err) == (body, "", "")
    assert facts(row) == [known]
    assert (exact.code, content.code, row.code) == (0, 0, 0)


@pytest.mark.parametrize("framing", ["length", "chunked", "empty"])
def test_where_the_end_is_known_the_close_is_not_waited_for(framing: str) -> None:
    with LineScript(f"{GET}\nSR {RESPONSES[framing][0]}\nE") as server:
        assert raw(server, "--body").out == RESPONSES[framing][1]


def test_interim_responses_are_entries_of_their_own() -> None:
    with LineScript(rf"""
        {GET}
        SR HTTP/1.1 100 Continue\r\n\r\n
        SR HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n
        SR HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok
        E
    """) as server:
        done = raw(server, "--json")
    assert facts(done) == [(100, "none", 0, 0, 25), (103, "none", 0, 25, 62), (200, "content-length", 2, 62, 102)]
    assert [response["interim"] for response in done.row["responses"]] == [True, True, False]
    assert (done.code, done.row["received_bytes"]) == (0, 102)


def test_interim_responses_without_end_are_given_up() -> None:
    with LineScript(GET + "\nS $many", data={"many": b"HTTP/1.1 100 Continue\r\n\r\n" * 101}) as server:
        done = raw(server, "--json")
    assert (done.code, len(done.row["responses"])) == (8, 101)


def test_bytes_behind_the_response_are_counted_and_not_waited_for() -> None:
    with LineScript(rf"""
        {GET}
        SR HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n
        E
    """) as server:
        done = raw(server, "--json")
    assert facts(done) == [(200, "content-length", 2, 0, 40)]
    assert (done.code, done.row["received_bytes"]) == (0, 59)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (r"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "hel"),
        (r"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "hel"),
        (r"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n", "hel"),
        (r"HTTP/1.1 200 OK\r\nContent-Le", ""),
    ],
)
@pytest.mark.parametrize(("end", "code"), [("X", 18), ("R", 56)])
def test_a_response_that_is_cut_shows_what_came(data: str, shown: str, end: str, code: int) -> None:
    script = f"{GET}\nSR {data}\n{end}"
    with LineScript(script, script) as server:
        exact, content = raw(server), raw(server, "--body")
    if end == "X":  # a reset may overtake the bytes before it
        assert (exact.stdout, content.out) == (data.encode().decode("unicode_escape").encode(), shown)
    assert (exact.code, content.code) == (code, code)


def test_a_server_that_says_nothing() -> None:
    with LineScript(f"{GET}\nX", f"{GET}\nR") as server:
        assert [raw(server).code, raw(server).code] == [52, 56]


@pytest.mark.parametrize("greeting", ["220 mail.example.test ESMTP", "SSH-2.0-x", "HTTP/1.1 two"])
def test_a_server_of_another_protocol(greeting: str) -> None:
    with LineScript(f"{GET}\nS {greeting}") as server:
        assert raw(server).code == 8


def test_a_status_of_400_or_more_has_its_code_and_its_body() -> None:
    script = rf"""
        {GET}
        SR HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone
        E
    """
    with LineScript(script, script, script) as server:
        done = raw(server, "--body")
        assert (done.code, done.out, "404 Not Found" in done.err) == (22, "gone", True)
        assert raw(server, "--no-fail").code == 0
        assert raw(server, "--expect-status", "404").code == 0


def test_what_may_pass_is_asked_again() -> None:
    with LineScript(f"{GET}\nX", f"{GET}\nSR {RESPONSES['empty'][0]}") as server:
        assert raw(server, "--retries", "1").code == 0


def test_the_path_goes_out_as_it_was_typed() -> None:
    asked = GET.replace("GET / ", "GET /a//b/../c?q=%41 ")
    with LineScript(f"{asked}\nSR {RESPONSES['empty'][0]}") as server:
        assert raw(server, path="/a//b/../c?q=%41#x").code == 0


def test_a_user_and_a_password_go_out_as_basic_authorization() -> None:
    asked = GET.replace("C Connection", "C Authorization: Basic YWRhOnMzY3JldA==\n    C Connection")
    with LineScript(f"{asked}\nSR {RESPONSES['empty'][0]}") as server:
        done = inetcli_here("http", "raw", "-v", f"http://ada:s3cret@{server.address}/")
    assert done.code == 0
    assert "YWRhOnMzY3JldA" not in done.err
    assert "Authorization: Basic ***" in done.err


@pytest.mark.parametrize(("end", "code"), [("X", 0), ("F", 56)], ids=["close_notify", "fin"])
def test_over_tls_a_body_that_ends_with_the_connection_needs_close_notify(end: str, code: int) -> None:
    with LineScript(
        f"T\n{GET}\n" + r"SR HTTP/1.1 200 OK\r\n\r\nto the end" + f"\n{end}", tls=authority().context()
    ) as server:
        done = raw(server, "--body", "--ca", authority().ca_file, scheme="https")
    assert (done.code, done.out) == (code, "to the end")
