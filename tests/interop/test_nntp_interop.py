"""NNTP: our client against INN, and beside nntplib."""

from collections.abc import Iterator

import pytest
from support.inn import cancel, news_article, news_server
from support.newsreader import nntplib
from support.program import inetcli

from mockservers import NntpServer

BODY = "> quoted\r\nfirst line\r\n.dot\r\n\r\nGr\u00fc\u00dfe aus K\u00f6ln\r\n" + "x" * 5000


@pytest.fixture
def inn() -> Iterator[str]:
    """A private INN with two articles, the second one cancelled. `host:port`."""
    with news_server(
        [news_article("1", "kept", BODY), news_article("2", "cancelled", "gone"), cancel("3", "2")]
    ) as running:
        yield running.place


def test_our_client_reads_the_newest_that_is_left(inn: str) -> None:
    done = inetcli("nntp", "latest", "--json", f"{inn}/misc.test")
    assert done.code == 0, done.err
    row = done.row
    assert (row["number"], row["message_id"], row["subject"]) == (1, "<1@test.invalid>", "kept")
    assert row["lines"] == ["first line", ".dot", "", "Gr\u00fc\u00dfe aus K\u00f6ln", "x" * 5000]
    assert row["omitted"] == 1
    assert inetcli("nntp", "latest", f"{inn}/misc.empty").code == 115
    assert inetcli("nntp", "latest", f"{inn}/no.such.group").code == 78
    assert inetcli("nntp", "latest", f"{inn}/private.test").code == 67


def test_our_client_and_nntplib_read_the_same() -> None:
    with NntpServer() as mock:
        everything = ["--filter", "none", "--lines", "99"]
        ours = inetcli("nntp", "latest", "--json", *everything, f"{mock.url}/misc.test").row["lines"]
        with nntplib().NNTP(mock.host, mock.port) as client:
            client.group("misc.test")
            theirs = [line.decode() for line in client.body(5)[1].lines]
    while theirs and not theirs[-1]:
        theirs.pop()
    assert ours == [line.rstrip() for line in theirs]
