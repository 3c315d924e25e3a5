"""`inetcli nntp latest` against honest and faulty servers."""

import pytest
from support.program import inetcli

from mockservers import NntpServer
from mockservers.content import article


def test_latest_takes_two_commands_and_shows_the_newest() -> None:
    with NntpServer() as server:
        done = inetcli("nntp", "latest", f"{server.url}/misc.test")
        assert server.log.commands() == ["GROUP misc.test", "ARTICLE 5", "QUIT"]
    assert done.code == 0
    assert done.out.splitlines()[:6] == [
        "From: Ada L. <ada@example.test>",
        "Subject: Re: slots and pickling",
        "Date: 2026-11-22 17:05:00 UTC",
        "",
        "    You need __getstate__ only when __slots__ is there",
        "    and there is no __dict__.",
    ]
    assert done.err == "[5 <5.misc.test@example.test>: left out 3 quoted lines]\n"


def test_latest_json_has_the_keys_of_the_contract() -> None:
    with NntpServer(tls="implicit") as server:
        assert server.ca_file
        row = inetcli("nntp", "latest", "--json", "--ca", server.ca_file, f"{server.url}/misc.test").row
    assert row["lines"][0] == "You need __getstate__ only when __slots__ is there"
    assert (row["number"], row["date"], row["kind"], row["omitted"]) == (5, "2026-11-22T17:05:00Z", "text", 3)
    assert row["tls"]["version"] == "TLSv1.3"
    assert set(row["timing_ms"]) == {"resolve", "connect", "tls", "login", "commands", "first_byte", "total"}


def test_latest_of_dots_and_utf8() -> None:
    groups = {"g": {1: article(1, "dots", ".\n..two\n.one\nKöln\n", group="g")}}
    with NntpServer(groups) as server:
        row = inetcli("nntp", "latest", "--json", f"{server.url}/g").row
    assert row["lines"] == [".", "..two", ".one", "Köln"]


def holes(high: int) -> NntpServer:
    return NntpServer({"g": {3: article(3, "left", "still here\n", group="g")}}, marks={"g": (1, high)})


@pytest.mark.parametrize("high", [4, 66, 67, 68, 200, 100_000])
@pytest.mark.parametrize("missing", [[], ["OVER"], ["OVER", "XOVER"], ["OVER", "XOVER", "LISTGROUP"]])
def test_latest_walks_back_to_the_newest_that_exists(high: int, missing: list[str]) -> None:
    with holes(high) as server:
        for verb in missing:
            server.on(verb).reply("500 what?")
        done = inetcli("nntp", "latest", "--json", f"{server.url}/g")
    if len(missing) == 3 and high > 300:
        assert done.code == 115  # one by one it is looked for among so many only
    else:
        assert (done.code, done.row["number"]) == (0, 3)


@pytest.mark.parametrize(
    ("group", "code"),
    [("misc.empty", 115), ("no.such.group", 78), ("private.test", 67), ("a%20b", 3), ("", 3)],
)
def test_groups_that_have_no_latest(group: str, code: int) -> None:
    with NntpServer() as server:
        done = inetcli("nntp", "latest", f"{server.url}/{group}")
    assert done.code == code
    assert done.err.count("\n") == 1


def test_marks_without_articles_are_empty() -> None:
    beyond = {100: article(100, "elsewhere", "x\n", group="g")}
    with NntpServer({"g": beyond}, marks={"g": (1, 50)}) as server:
        assert inetcli("nntp", "latest", f"{server.url}/g").code == 115


def test_login_is_sent_after_480(tmp_path: object) -> None:
    with NntpServer() as server:
        url = f"nntp://user:password@{server.host}:{server.port}/private.test"
        done = inetcli("nntp", "latest", "--json", url)
        assert server.log.commands() == [
            "GROUP private.test",
            "AUTHINFO USER user",
            "AUTHINFO PASS password",
            "GROUP private.test",
            "ARTICLE 1",
            "QUIT",
        ]
        assert done.code == 0
        assert done.row["target"] == f"nntp://user:***@{server.host}:{server.port}/private.test"
        wrong = inetcli("nntp", "latest", url.replace("password", "wrong"))
        assert wrong.code == 67


def test_mode_reader_is_sent_after_401() -> None:
    with NntpServer(faults=["connect:transit"]) as server:
        done = inetcli("nntp", "latest", f"{server.url}/misc.test")
        server.wait_for("QUIT")
        assert server.log.commands() == ["GROUP misc.test", "MODE READER", "GROUP misc.test", "ARTICLE 5", "QUIT"]
    assert (done.code, done.out.count("slots and pickling")) == (0, 1)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (["GROUP:reply(401 XMODE)"], "server requires an unknown mode"),
        (["GROUP:reply(401)"], "server requires an unknown mode"),
        (["connect:transit", "MODE:reply(502 no readers)"], "server does not accept readers"),
        (["GROUP:reply(401 MODE-READER)"], "misc.test: cannot select the group"),
    ],
)
def test_refused_or_unknown_mode_is_a_refusal(faults: list[str], said: str) -> None:
    with NntpServer(faults=faults) as server:
        done = inetcli("nntp", "latest", f"{server.url}/misc.test")
        assert server.log.commands().count("MODE READER") <= 1
    assert (done.code, done.stdout) == (19, b"")
    assert said in done.err


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("GROUP:reply(400 bye)", 19),
        ("GROUP:reply(480 login)", 67),
        ("GROUP:reply(483 secure first)", 67),
        ("GROUP:reply(211 nonsense)", 8),
        ("GROUP:reply(nonsense)", 8),
        ("ARTICLE:reply(500 what)", 19),
        ("ARTICLE:fin@100", 18),
        ("ARTICLE:rst@100", 56),
        ("ARTICLE:silent@100", 28),
        ("GROUP:fin", 52),
        ("ARTICLE:long_line(2000000)", 63),
        ("connect:refuse", 7),
    ],
)
def test_exit_codes_of_latest(fault: str, code: int) -> None:
    with NntpServer(faults=[fault]) as server:
        limit = "0.5" if code == 28 else "10"
        done = inetcli("nntp", "latest", "--timeout", limit, f"{server.url}/misc.test")
        assert server.problems() == []
    assert (done.code, done.stdout) == (code, b""), done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("greeting", "code"), [("400 busy", 19), ("502 go away", 19), ("201 no posting", 0), ("220 ftp", 8)]
)
def test_greetings(greeting: str, code: int) -> None:
    with NntpServer(greeting=greeting) as server:
        assert inetcli("nntp", "latest", f"{server.url}/misc.test").code == code


def test_starttls_and_no_falling_back() -> None:
    with NntpServer(tls="starttls") as server:
        assert server.ca_file
        done = inetcli("nntp", "latest", "--tls", "starttls", "--ca", server.ca_file, f"{server.url}/misc.test")
        assert server.log.commands()[:2] == ["STARTTLS", "GROUP misc.test"]
        assert done.code == 0
    with NntpServer() as server:
        assert inetcli("nntp", "latest", "--tls", "starttls", f"{server.url}/misc.test").code == 35
        assert "GROUP misc.test" not in server.log.commands()


def test_several_groups_come_in_order() -> None:
    groups = ["misc.test", "misc.empty", "misc.cancelled"]
    with NntpServer() as server:
        done = inetcli("nntp", "latest", "--json", *(f"{server.url}/{group}" for group in groups))
    assert [row["exit_code"] for row in done.rows] == [0, 115, 0]
    assert done.code == 115
