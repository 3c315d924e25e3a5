"""Conversations with news servers, each whole: what `inetcli nntp latest` says, hears, and makes of it."""

from pathlib import Path

import pytest
from support.linescript import LineScript
from support.program import Finished, inetcli_here

from mockservers.certs import authority

ARTICLE = r"""
    SR From: Ada <ada@example.test>\r\nSubject: x\r\nMessage-ID: <1@x>\r\nDate: Sun, 22 Nov 2026 18:04:11 +0000\r\n
    SR \r\n..one\r\ntwo\r\n.\r\n
"""
SHOWN = "From: Ada <ada@example.test>\nSubject: x\nDate: 2026-11-22 18:04:11 UTC\n\n    .one\n    two\n"


def latest(server: LineScript, *options: str, group: str = "misc.test", scheme: str = "nntp") -> Finished:
    return inetcli_here("nntp", "latest", *options, f"{scheme}://{server.address}/{group}")


def assert_shown(done: Finished, number: int) -> None:
    assert (done.code, done.out, done.err) == (0, SHOWN, f"[{number} <1@x>]\n")


def assert_failed(done: Finished, code: int, words: str) -> None:
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("greeting", ["200 posting allowed", "201 no posting", "200"])
def test_the_straight_way_is_two_commands(greeting: str) -> None:
    with LineScript(f"""
        S {greeting}
        C GROUP misc.test
        S 211 5 1 5 misc.test
        C ARTICLE 5
        S 220 5 <1@x>
        {ARTICLE}
        C QUIT
    """) as server:
        assert_shown(latest(server), 5)


@pytest.mark.parametrize(
    ("greeting", "code", "words"),
    [
        ("400 too busy", 19, '"400 too busy"'),
        ("502 not for you", 19, '"502 not for you"'),
        ("220 an FTP server", 8, '"220 an FTP server"'),
        ("nonsense", 8, "nonsense"),
    ],
)
def test_a_greeting_that_is_none_ends_it(greeting: str, code: int, words: str) -> None:
    with LineScript(f"S {greeting}") as server:
        assert_failed(latest(server), code, words)


def test_a_server_that_hangs_up_without_a_greeting() -> None:
    with LineScript("X") as server:
        assert_failed(latest(server), 52, "closed the connection")


@pytest.fixture
def login(tmp_path: Path) -> list[str]:
    """The options for a login as ada."""
    (tmp_path / "password").write_text("s3cret\n")
    return ["--user", "ada", "--password-file", str(tmp_path / "password")]


def test_a_login_comes_when_480_asks_for_it_and_the_command_once_more(login: list[str]) -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S 480 login first
        C AUTHINFO USER ada
        S 381 password
        C AUTHINFO PASS s3cret
        S 281 welcome
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
    """) as server:
        assert_shown(latest(server, *login), 1)


def test_a_user_without_a_password_is_enough_where_the_server_says_so(login: list[str]) -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 480 login first
        C AUTHINFO USER ada
        S 281 welcome
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
    """) as server:
        assert_shown(latest(server, *login), 1)


@pytest.mark.parametrize("reply", ["481 wrong", "482 out of order", "502 no"])
def test_a_login_that_is_denied_is_not_sent_again(reply: str, login: list[str]) -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S 480 login first
        C AUTHINFO USER ada
        S 381 password
        C AUTHINFO PASS s3cret
        S {reply}
        C QUIT
    """) as server:
        assert_failed(latest(server, "--retries", "3", *login), 67, f'"{reply}"')


def test_480_after_a_login_is_a_login_that_was_not_enough(login: list[str]) -> None:
    with LineScript("""
        S 200 hello
        C GROUP misc.test
        S 480 login first
        C AUTHINFO USER ada
        S 281 welcome
        C GROUP misc.test
        S 480 another login
        C QUIT
    """) as server:
        assert_failed(latest(server, *login), 67, '"480 another login"')


def test_480_without_a_login_to_give() -> None:
    with LineScript("""
        S 200 hello
        C GROUP misc.test
        S 480 login first
        C QUIT
    """) as server:
        assert_failed(latest(server), 67, "login required; use --user with --password-file, or netrc")


def test_401_asks_for_the_mode_of_readers_and_480_may_follow(login: list[str]) -> None:
    with LineScript(f"""
        S 200 transit
        C GROUP misc.test
        S 401 MODE-READER
        C MODE READER
        S 201 hello, reader
        C GROUP misc.test
        S 480 login first
        C AUTHINFO USER ada
        S 381 password
        C AUTHINFO PASS s3cret
        S 281 welcome
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
    """) as server:
        assert_shown(latest(server, *login), 1)


def test_401_for_another_mode_is_a_refusal() -> None:
    with LineScript("""
        S 200 transit
        C GROUP misc.test
        S 401 XHDR
        C QUIT
    """) as server:
        assert_failed(latest(server), 19, '"401 XHDR"')


def test_400_in_the_midst_may_pass_and_is_tried_again() -> None:
    with LineScript(
        """
        S 200 hello
        C GROUP misc.test
        S 400 going down
        C QUIT
        """,
        f"""
        S 200 hello
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
        """,
    ) as server:
        done = latest(server, "--retries", "1")
    assert (done.code, done.out) == (0, SHOWN)
    assert "400 going down" in done.err


def test_400_after_a_login_that_was_accepted_is_tried_again(login: list[str]) -> None:
    asks = """
        S 200 hello
        C GROUP misc.test
        S 480 login first
        C AUTHINFO USER ada
        S 381 password
        C AUTHINFO PASS s3cret
        S 281 welcome
        C GROUP misc.test
    """
    with LineScript(
        f"""
        {asks}
        S 400 going down
        C QUIT
        """,
        f"""
        {asks}
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
        """,
    ) as server:
        done = latest(server, "--retries", "1", *login)
    assert (done.code, done.out) == (0, SHOWN)


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        ("411 no such group", 78, '"411 no such group"'),
        ("211 0 0 0 misc.test", 115, "misc.test: "),
        ("211 0 7 6 misc.test", 115, "misc.test: "),
        ("211 x y z", 8, 'got "211 x y z"'),
        ("403 internal fault", 19, '"403 internal fault"'),
        ("483 TLS first", 67, '"483 TLS first"'),
    ],
)
def test_a_group_that_has_no_latest(reply: str, code: int, words: str) -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S {reply}
        C QUIT
    """) as server:
        assert_failed(latest(server), code, words)


OVERVIEW = r"""
    S 224 follows
    SR 70\tx\r\n75\tx\r\n.\r\n
"""


@pytest.mark.parametrize(
    "search",
    [
        f"C OVER 36-99\n{OVERVIEW}",
        f"C OVER 36-99\nS 500 what?\nC XOVER 36-99\n{OVERVIEW}",
        "C OVER 36-99\nS 503 no\nC XOVER 36-99\nS 502 no\nC LISTGROUP misc.test 36-99\nS 211 2 36 99\nS 70\nS 75\nS .",
        "C OVER 36-99\nS 500 what?\nC XOVER 36-99\nS 500 what?\nC LISTGROUP misc.test 36-99\nS 501 no range\n"
        + "".join(f"C STAT {number}\nS 423 no\n" for number in range(99, 75, -1))
        + "C STAT 75\nS 223 75 <1@x>\n"
        + "".join(f"C STAT {number}\nS 423 no\n" for number in range(74, 35, -1)),
    ],
    ids=["OVER", "XOVER", "LISTGROUP", "STAT"],
)
def test_when_the_newest_is_cancelled_the_newest_that_is_left_is_looked_for(search: str) -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S 211 50 1 100 misc.test
        C ARTICLE 100
        S 423 cancelled
        {search}
        C ARTICLE 75
        S 220 75 <1@x>
        {ARTICLE}
        C QUIT
    """) as server:
        assert_shown(latest(server), 75)


def test_the_search_goes_down_in_windows_each_twice_the_one_before() -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S 211 3 1 300 misc.test
        C ARTICLE 300
        S 430 gone
        C OVER 236-299
        S 423 none there
        C OVER 108-235
        S 420 none there
        C OVER 1-107
        {OVERVIEW}
        C ARTICLE 75
        S 423 just now
        C ARTICLE 70
        S 220 70 <1@x>
        {ARTICLE}
        C QUIT
    """) as server:
        assert_shown(latest(server), 70)


def test_marks_with_nothing_behind_them_are_an_empty_group() -> None:
    with LineScript("""
        S 200 hello
        C GROUP misc.test
        S 211 2 4 5 misc.test
        C ARTICLE 5
        S 423 no
        C OVER 4-4
        S 423 no
        C QUIT
    """) as server:
        assert_failed(latest(server), 115, "no article between the marks 4 and 5")


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [("X", 18, "article 1"), ("R", 56, "reset"), ("S .\nX", 0, "")],
    ids=["cut", "reset", "whole"],
)
def test_an_article_that_is_cut_is_not_shown(end: str, code: int, words: str) -> None:
    with LineScript(f"""
        S 200 hello
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        S From: Ada
        S
        S half an article
        {end}
    """) as server:
        done = latest(server)
    assert (done.code, bool(done.out)) == (code, code == 0)
    assert words in done.err


def test_starttls_comes_before_everything_else() -> None:
    with LineScript(
        f"""
        S 200 hello
        C STARTTLS
        S 382 go on
        T
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
        """,
        tls=authority().context(),
    ) as server:
        assert_shown(latest(server, "--tls", "starttls", "--ca", authority().ca_file), 1)


@pytest.mark.parametrize(
    ("reply", "code", "words"),
    [
        ("S 580 no", 35, '"580 no"'),
        ("S 502 no", 35, '"502 no"'),
        (r"SR 382 go on\r\n200 injected\r\n", 8, "200 injected"),
    ],
)
def test_starttls_that_is_refused_or_not_clean_never_falls_back(reply: str, code: int, words: str) -> None:
    with LineScript(f"""
        S 200 hello
        C STARTTLS
        {reply}
    """) as server:
        assert_failed(latest(server, "--tls", "starttls", "--ca", authority().ca_file), code, words)


def test_tls_from_the_first_byte() -> None:
    with LineScript(
        f"""
        T
        S 200 hello
        C GROUP misc.test
        S 211 1 1 1 misc.test
        C ARTICLE 1
        S 220 1 <1@x>
        {ARTICLE}
        C QUIT
        """,
        tls=authority().context(),
    ) as server:
        assert_shown(latest(server, "--ca", authority().ca_file, scheme="nntps"), 1)


@pytest.mark.parametrize("group", ["a%0d%0aQUIT", "a%20b", ""])
def test_a_group_that_cannot_be_named_is_refused_before_anything_is_sent(group: str) -> None:
    with LineScript() as server:
        assert latest(server, group=group).code == 3
