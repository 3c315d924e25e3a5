"""One table of commands, said to INN and to our server: the replies are the same, word for word.

INN is fed articles by IHAVE on its port for servers, and ours is fed the same ones the same way. What may differ is
listed, each with its reason; of those commands the codes are compared.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from support.inn import CREATED, DESCRIPTIONS, GROUPS, HOST, Inn, cancel, feed, news_article, news_server

from mockservers import NntpServer

LIMIT_S = 10.0

ARTICLES = [
    news_article("1", "kept", "> quoted\r\nfirst line\r\n.dot\r\n\r\nGrüße aus Köln\r\n" + "x" * 5000),
    news_article("2", "goes away", "gone"),
    news_article("4", "Re: kept", "a reply\r\n.\r\n..\r\n...", extra="References: <1@test.invalid>\r\n"),
    news_article("5", "to both", "crossposted", groups="misc.cross,misc.test"),
    news_article("6", "folded\r\n  and\r\n\ttabbed\tsubject", "body", extra="Keywords: one,\r\n two\r\n"),
    news_article("7", "newest, and goes away", "gone"),
    news_article("8", "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "members only", groups="private.test"),
    cancel("3", "2"),
    cancel("9", "7"),
]


def commands(table: str) -> list[str]:
    """The commands of a table: ` | ` and line ends between them."""
    return [command for row in table.strip().splitlines() for command in row.strip().split(" | ")]


NOT_SELECTED = commands("""
    ARTICLE | HEAD | BODY | STAT | ARTICLE 1 | STAT 1 | NEXT | LAST | OVER | XOVER | OVER 1- | XOVER 1- | HDR Subject
    HDR Subject 1- | XHDR Subject | XHDR Subject 1- | XHDR Path | XPAT Subject 1- * | LISTGROUP | STAT <1@test.invalid>
    STAT | HEAD <1@test.invalid> | BODY <1@test.invalid> | ARTICLE <1@test.invalid> | ARTICLE <nope@x>
    ARTICLE <1@test.invalid | ARTICLE foo | STAT -1 | STAT 1 2 | ARTICLE 1 2 3 | HDR Subject <1@test.invalid>
    HDR Subject <nope@x> | HDR Nope <1@test.invalid> | HDR :bytes <1@test.invalid> | XHDR Subject <1@test.invalid>
    XHDR Subject <nope@x> | XHDR Nope <1@test.invalid> | OVER <1@test.invalid> | XPAT Subject <1@test.invalid> k*
    XPAT Subject <1@test.invalid> zz* | XPAT Subject <nope@x> * | HDR | XHDR | XPAT | STAT <8@test.invalid>
    ARTICLE <8@test.invalid> | ARTICLE <2@test.invalid>
""")
EMPTY = commands("""
    GROUP misc.empty | ARTICLE | HEAD | STAT | ARTICLE 1 | STAT 0 | NEXT | LAST | OVER | OVER 1- | OVER 0 | XOVER
    XOVER 1- | HDR Subject | HDR Subject 1- | HDR Nope 1- | XHDR Subject | XHDR Subject 1- | XHDR Nope 1-
    XPAT Subject 1- * | LISTGROUP | LISTGROUP misc.empty | LISTGROUP misc.empty 1- | STAT
""")
SELECTED = commands("""
    GROUP misc.test | STAT | STAT 1 | STAT 2 | STAT | HEAD 0 | STAT 99 | LAST | NEXT | NEXT | NEXT | NEXT | STAT
    STAT 01 | STAT 0000000000000001 | LAST | STAT <4@test.invalid> | STAT | GROUP misc.test | STAT | HEAD 1 | BODY 1
    ARTICLE 1 | BODY 3 | ARTICLE 4 | ARTICLE 5 | HEAD | BODY | ARTICLE | LAST | NEXT | OVER | OVER 1 | OVER 1- | OVER 2
    OVER 2-2 | OVER 2-4 | OVER 6 | OVER 5-4 | OVER 0 | OVER 0- | OVER 99- | OVER x | OVER 1-x | OVER - | OVER -3
    OVER 1 2 | OVER 3-99 | XOVER | XOVER 1- | XOVER 2 | XOVER 2-2 | XOVER 5-4 | XOVER 0 | XOVER 99 | XOVER x | XOVER 1-x
    HDR Subject | HDR Subject 1 | HDR Subject 1- | HDR subject 1- | HDR SUBJECT 1-3 | HDR From 1- | HDR Date 1-
    HDR Message-ID 1- | HDR References 1- | HDR Xref 1- | HDR :bytes 1- | HDR :lines 1- | HDR :foo 1- | HDR Nope 1-2
    HDR Keywords 1- | HDR Newsgroups 1- | HDR Path 1- | HDR X-Odd 1- | HDR Subject 2 | HDR Subject 2-2 | HDR Subject 99-
    HDR Subject 5-4 | HDR Subject: 1- | HDR Subject x | XHDR Subject | XHDR Subject 1- | XHDR Subject 2
    XHDR Subject 2-2 | XHDR Nope 1- | XHDR References 1- | XHDR Xref 1- | XHDR Path 1- | XHDR Keywords 1-
    XHDR Subject 1-x | XPAT Subject 1- *k* | XPAT Subject 1- zz* | XPAT Subject 1- zz* Re* | XPAT Nope 1- *
    XPAT Subject 2 * | XPAT Subject 1- | XPAT From 1- *Ada* | XPAT Subject 1- [kt]* | XPAT Keywords 1- *two*
    XPAT Subject 1- k??? | LISTGROUP | LISTGROUP misc.test | LISTGROUP misc.test 1- | LISTGROUP misc.test 2
    LISTGROUP misc.test 3-4 | LISTGROUP misc.test 9- | LISTGROUP misc.test 5-4 | STAT | LISTGROUP misc.test x
    LISTGROUP nope | STAT | STAT 4 | LISTGROUP | STAT | STAT 4 | LISTGROUP misc.test 4- | STAT | LISTGROUP misc.test 1 2
    GROUP | GROUP nope | STAT | GROUP Misc.Test | GROUP misc.test x | GROUP private.test | STAT
    LISTGROUP private.test | STAT | GROUP misc.cross | STAT | OVER 1- | XHDR Xref 1 | HEAD <5@test.invalid>
    group misc.cross | stat 1
""")
SELECTED += ["Group  misc.test", "GROUP\tmisc.test", " GROUP misc.test", "GROUP misc.test ", "stat 1"]
LISTS = commands("""
    LIST | LIST ACTIVE | list active misc.* | LIST ACTIVE misc.test | LIST ACTIVE *,!misc.* | LIST ACTIVE nope
    LIST ACTIVE *,!misc.*,misc.test | LIST ACTIVE m[a-k]sc.test | LIST ACTIVE m[^a-h]sc.test | LIST ACTIVE misc.????
    LIST NEWSGROUPS | LIST NEWSGROUPS misc.t* | LIST NEWSGROUPS x* | LIST ACTIVE.TIMES | LIST ACTIVE.TIMES misc.t*
    LIST COUNTS | LIST COUNTS misc.* | LIST OVERVIEW.FMT | LIST OVERVIEW.FMT x | LIST HEADERS | LIST HEADERS MSGID
    LIST HEADERS RANGE | LIST HEADERS FOO | LIST MOTD | LIST MOTD x | LIST DISTRIB.PATS | LIST DISTRIB.PATS x
    LIST BOGUS | LIST ACTIVE a b | NEWGROUPS 20200101 000000 | NEWGROUPS 20200101 000000 GMT
    NEWGROUPS 200101 000000 GMT | NEWGROUPS 990101 000000 | NEWGROUPS 20210101 000000 GMT | NEWGROUPS
    NEWGROUPS 20200101 | NEWGROUPS x y | NEWGROUPS 20209901 000000 | NEWNEWS * 20200101 000000 GMT
    NEWNEWS misc.* 20200101 000000 | NEWNEWS misc.cross,misc.empty 20200101 000000 GMT
    NEWNEWS misc.* 20370101 000000 GMT | NEWNEWS x* 20200101 000000 GMT | NEWNEWS | NEWNEWS * | NEWNEWS * 20200101
    NEWNEWS * 2020 0
""")
OTHERS = commands("""
    CAPABILITIES | capabilities AUTOUPDATE | CAPABILITIES 1 | CAPABILITIES a b | MODE READER | MODE STREAM | MODE
    MODE READER x | MODE FOO | DATE | DATE x | HELP | HELP x | BOGUS | SLAVE | CHECK <x@y> | TAKETHIS <x@y> | POST x
    IHAVE | IHAVE x | COMPRESS | COMPRESS FOO | COMPRESS DEFLATE x | STARTTLS x | date
""")
OTHERS += ["x" * 600, "STAT " + "9" * 600, "GROUP " + "a" * 505, "GROUP " + "a" * 498, "GROUP " + "a" * 497]
OTHERS += ["date", "QUIT x", "QUIT"]
LOGIN = commands("""
    GROUP private.test | AUTHINFO PASS password | AUTHINFO USER user | AUTHINFO PASS wrong | GROUP private.test
    AUTHINFO | AUTHINFO USER | AUTHINFO PASS | AUTHINFO BOGUS x | AUTHINFO SASL BOGUS | AUTHINFO USER user
    AUTHINFO PASS password | AUTHINFO USER user | AUTHINFO PASS password | GROUP private.test | LIST ACTIVE private.*
    LIST NEWSGROUPS | ARTICLE | STAT <8@test.invalid> | XHDR Subject 1- | CAPABILITIES
""")

POST = "From: a@b.invalid\r\nNewsgroups: {groups}\r\nSubject: x\r\n{extra}\r\nbody\r\n.."
POSTS = [
    POST.format(groups="misc.empty", extra=""),
    POST.format(groups="misc.empty,misc.cross", extra="Message-ID: <p1@x.invalid>\r\n"),
    POST.format(groups="misc.empty", extra="Message-ID: <p1@x.invalid>\r\n"),
    POST.format(groups="no.such", extra=""),
    POST.format(groups="no.such,misc.empty", extra="Path: x!y\r\n"),
    POST.format(groups="private.test", extra=""),
    POST.format(groups="misc.empty", extra="Xref: x y:1\r\n"),
    POST.format(groups="misc.empty", extra="").replace("From", "X-From"),
    POST.format(groups="misc.empty", extra="").replace("Newsgroups", "X-Newsgroups"),
    POST.format(groups="misc.empty", extra="").replace("Subject", "X-Subject"),
    "From: a@b.invalid\r\nNewsgroups: misc.empty\r\nSubject: x",
    "",
    "no header at all",
    POST.format(groups="misc.empty", extra="Control: cancel <p1@x.invalid>\r\n"),
]
AFTER_POSTS = commands("""
    GROUP misc.empty | STAT <p1@x.invalid> | HDR Subject 1- | HDR Newsgroups 1- | HDR Xref 1-
""")

TRANSIT = commands("""
    GROUP misc.test | ARTICLE 1 | ARTICLE <1@test.invalid> | BODY 1 | HEAD <1@test.invalid> | STAT <1@test.invalid>
    STAT <nope@x> | STAT 1 | LIST ACTIVE misc.* | LIST NEWSGROUPS misc.* | LIST MOTD | LIST OVERVIEW.FMT | OVER 1
    XOVER 1-
    HDR Subject 1 | XHDR Subject 1 | DATE | POST | NEXT | LAST | LISTGROUP | NEWNEWS * 20200101 000000
    NEWGROUPS 20200101 000000 | COMPRESS DEFLATE | BOGUS | IHAVE <1@test.invalid> | CAPABILITIES | MODE READER
    GROUP misc.test | STAT 1 | CAPABILITIES
""")

LOOSE = {
    "": "each says its own name in the greeting",
    "MODE READER": "the greeting again",
    "CAPABILITIES": "other extensions",
    "capabilities AUTOUPDATE": "other extensions",
    "HELP": "other extensions",
    "DATE": "the time",
    "date": "the time",
    "LIST BOGUS": "other keywords",
    "LIST ACTIVE a b": "other keywords",
    "AUTHINFO": "other mechanisms",
    "AUTHINFO USER": "other mechanisms",
    "AUTHINFO PASS": "other mechanisms",
    "AUTHINFO BOGUS x": "other mechanisms",
    "STAT 01": "INN repeats the number as it was written",
    "STAT 0000000000000001": "INN repeats the number as it was written",
    "SLAVE": "INN knows that it does not know this one",
}
"""Of these the codes are the same; the texts differ, for this reason."""


@dataclass(frozen=True, slots=True)
class Said:
    """A command, the status line that came, and the block behind it."""

    command: str
    status: str
    rows: tuple[str, ...] = ()


def talk(port: int, commands: list[str]) -> list[Said]:
    """A conversation, lock-step."""
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as peer, peer.makefile("rwb") as stream:
        said = [Said("", stream.readline().decode().strip())]
        for command in commands:
            stream.write(command.encode() + b"\r\n")
            stream.flush()
            status = stream.readline().decode().removesuffix("\r\n")
            rows = []
            if has_block(command, status[:3]):
                while (row := stream.readline()) != b".\r\n":
                    assert row.endswith(b"\r\n"), (command, status, rows, row)
                    rows.append(row.decode()[:-2])
            said.append(Said(command, status, tuple(rows)))
    return said


def has_block(command: str, code: str) -> bool:
    return code in {"100", "101", "215", "220", "221", "222", "224", "225", "230", "231"} or (
        code == "211" and command.upper().startswith("LISTGROUP")
    )


@pytest.fixture(scope="module")
def inn() -> Iterator[Inn]:
    with news_server(ARTICLES) as running:
        yield running


@pytest.fixture(scope="module")
def mock() -> Iterator[NntpServer]:
    from datetime import UTC, datetime

    born = datetime.fromtimestamp(CREATED, UTC)
    times = iter([born])
    server = NntpServer(
        {name: {} for name in GROUPS},
        descriptions=DESCRIPTIONS,
        motd="Hello.\n",
        hostname=HOST,
        tls="starttls",
        clock=lambda: next(times, datetime.now(UTC)),
    )
    with server:
        feed(server.port, ARTICLES)
        yield server


@pytest.mark.parametrize(
    "commands",
    [NOT_SELECTED, EMPTY, SELECTED, LISTS, OTHERS, LOGIN],
    ids=["not selected", "empty", "selected", "lists", "others", "login"],
)
def test_our_server_says_what_inn_says(inn: Inn, mock: NntpServer, commands: list[str]) -> None:
    theirs, ours = talk(inn.readers, commands), talk(mock.port, commands)
    pairs = zip(map(comparable, ours), map(comparable, theirs), strict=True)
    assert [(mine, inns) for mine, inns in pairs if mine != inns] == []
    assert len(theirs) == len(commands) + 1
    assert mock.problems() == []


def test_a_server_for_servers_says_what_innd_says(inn: Inn) -> None:
    """Until MODE READER, behind which there is nnrpd."""
    with NntpServer(
        {name: {} for name in GROUPS}, hostname=HOST, descriptions=DESCRIPTIONS, faults=["connect:transit"]
    ) as mock:
        feed(mock.port, ARTICLES)
        ours, theirs = talk(mock.port, TRANSIT), talk(inn.transit, TRANSIT)
    pairs = zip(map(comparable, ours), map(comparable, theirs), strict=True)
    assert [(mine, inns) for mine, inns in pairs if mine != inns] == []
    for said in (ours, theirs):
        before, after = (set(row.rows) for row in said if row.command == "CAPABILITIES")
        assert "MODE-READER" in before - after
        assert "READER" in after - before


def post(port: int) -> list[Said]:
    """Every article of `POSTS`, and the answers: generated Message-IDs are left out."""
    said = []
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as peer, peer.makefile("rwb") as stream:
        stream.readline()
        for article in POSTS:
            stream.write(b"POST\r\n")
            stream.flush()
            assert stream.readline().startswith(b"340 Ok, recommended Message-ID <")
            stream.write(article.encode() + b"\r\n.\r\n")
            stream.flush()
            status = stream.readline().decode().strip()
            generated = status.startswith("240") and "<p1@x.invalid>" not in status
            said.append(Said(article, status.partition(" <")[0] if generated else status))
    return said


def test_articles_are_taken_and_refused_as_inn_does() -> None:
    with news_server() as inn, NntpServer({name: {} for name in GROUPS}, hostname=HOST) as mock:
        ours, theirs = post(mock.port), post(inn.readers)
        assert ours == theirs
        assert {said.status[:3] for said in theirs} == {"240", "441"}
        after = [talk(port, AFTER_POSTS) for port in (mock.port, inn.readers)]
    assert [comparable(said) for said in after[0]] == [comparable(said) for said in after[1]]


def comparable(said: Said) -> Said:
    if said.command in LOOSE or said.status.startswith("480"):
        return Said(said.command, said.status[:3])  # INN words a 480 by what has gone before
    status, rows = said.status.replace(" or metadata", ""), said.rows
    if said.command.startswith("NEWNEWS"):
        rows = tuple(sorted(set(rows)))  # INN names a crossposted article once for each group
    if status.startswith("211"):
        status = without(status.split(), 1)
    if said.command.startswith("LIST COUNTS"):
        rows = tuple(without(row.split(), 3) for row in rows)
    return Said(said.command, status, rows)


def without(words: list[str], count: int) -> str:
    """A line without its count of articles: INN's is an estimate, in which cancelled articles may still be."""
    return " ".join(words[:count] + words[count + 1 :])
