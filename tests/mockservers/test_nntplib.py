"""Every method of nntplib against the honest server."""

import datetime
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.newsreader import LIMIT_S, nntplib

from mockservers import NntpServer

ARTICLE = b"From: a@b.invalid\r\nNewsgroups: misc.empty,misc.test\r\nSubject: posted\r\n\r\n.dot\r\n..\r\nend\r\n"
BORN = datetime.datetime(2026, 11, 22, 18, 4, 11, tzinfo=datetime.UTC)


@pytest.fixture
def server() -> Iterator[NntpServer]:
    with NntpServer(clock=lambda: BORN) as running:
        yield running
        assert running.problems() == []


@pytest.fixture
def client(server: NntpServer) -> Iterator[Any]:
    with nntplib().NNTP(server.host, server.port, timeout=LIMIT_S) as running:
        yield running


def test_what_it_learns_of_the_server(client: Any) -> None:
    assert client.getwelcome() == "200 mock.example.test mock news server ready (posting)"
    capabilities = client.getcapabilities()
    assert capabilities["VERSION"] == ["2"]
    assert {"READER", "OVER", "HDR", "POST", "IHAVE", "NEWNEWS"} <= set(capabilities)
    assert (client.nntp_version, client.nntp_implementation) == (2, "mockservers")
    assert "  STAT [message-ID|number]" in client.help()[1]
    assert client.date()[1] == BORN.replace(tzinfo=None)


def test_groups(client: Any) -> None:
    assert client.group("misc.test") == ("211 5 1 5 misc.test", 5, 1, 5, "misc.test")
    _, groups = client.list()
    assert [tuple(group) for group in groups][2] == ("misc.test", "0000000005", "0000000001", "y")
    assert [group.group for group in client.list("*.e*")[1]] == ["misc.empty"]
    assert client.description("misc.empty") == "No articles at all"
    assert client.descriptions("misc.*")[1] == {
        "misc.cancelled": "The newest article is gone",
        "misc.empty": "No articles at all",
        "misc.test": "Five articles to read",
    }
    assert len(client.newgroups(BORN)[1]) == 3
    assert client.newgroups(BORN + datetime.timedelta(seconds=1))[1] == []
    assert client.newnews("misc.cancelled", BORN)[1] == ["<1.misc.cancelled@example.test>"]


def test_articles_by_number_by_id_and_where_it_is(client: Any) -> None:
    client.group("misc.test")
    assert client.stat() == ("223 1 <1.misc.test@example.test> status", 1, "<1.misc.test@example.test>")
    assert client.next()[1:] == (2, "<2.misc.test@example.test>")
    assert client.last()[1:] == (1, "<1.misc.test@example.test>")
    with pytest.raises(nntplib().NNTPTemporaryError, match="422"):
        client.last()
    lines = client.article(4)[1].lines
    assert [*client.head(4)[1].lines, b"", *client.body(4)[1].lines] == lines
    assert client.body("<4.misc.test@example.test>")[1][:2] == (0, "<4.misc.test@example.test>")
    assert lines[-4:] == [b".", b"..two dots", b".one dot", b"the end"]
    for missing, code in ((9, "423"), ("<nope@x>", "430")):
        with pytest.raises(nntplib().NNTPTemporaryError, match=code):
            client.article(missing)


def test_the_overview_and_header_fields(client: Any) -> None:
    client.group("misc.test")
    for method in (client.over, client.xover):
        rows = (method((1, 5)) if method == client.over else method(1, 5))[1]
        assert [number for number, _ in rows] == [1, 2, 3, 4, 5]
        assert rows[4][1]["references"] == "<1.misc.test@example.test>"
        assert rows[0][1][":lines"] == "1"
        assert rows[0][1]["xref"] == "mock.example.test misc.test:1"
        assert nntplib().decode_header(rows[1][1]["subject"]) == "Grüße"
    assert [number for number, _ in client.over((4, None))[1]] == [4, 5]
    assert client.xhdr("Subject", "4-5")[1] == [("4", "dots"), ("5", "Re: slots and pickling")]
    assert client.xhdr("subject", "<4.misc.test@example.test>")[1] == ["<4.misc.test@example.test> dots"]


def test_post_and_ihave(client: Any) -> None:
    assert client.post(ARTICLE).startswith("240 ")
    client.group("misc.test")
    info = client.article(6)[1]
    assert info.lines[-3:] == [b".dot", b"..", b"end"]
    assert b"Xref: mock.example.test misc.empty:1 misc.test:6" in info.lines
    with pytest.raises(nntplib().NNTPTemporaryError, match="441"):
        client.post(ARTICLE.replace(b"Subject", b"X-Subject"))
    fed = b"Path: x!y\r\nMessage-ID: <fed@x.invalid>\r\nDate: Sun, 22 Nov 2026 18:04:11 GMT\r\n" + ARTICLE
    assert client.ihave("<fed@x.invalid>", fed).startswith("235 ")
    with pytest.raises(nntplib().NNTPTemporaryError, match="435"):
        client.ihave("<fed@x.invalid>", fed)
    assert client.stat("<fed@x.invalid>")[1:] == (0, "<fed@x.invalid>")


def test_login(client: Any, server: NntpServer) -> None:
    with pytest.raises(nntplib().NNTPTemporaryError, match="480"):
        client.group("private.test")
    with pytest.raises(nntplib().NNTPTemporaryError, match="481"):
        client.login("user", "wrong", usenetrc=False)
    client.login("user", "password", usenetrc=False)
    assert client.group("private.test")[1] == 1
    with nntplib().NNTP(server.host, server.port, "user", "password", timeout=LIMIT_S, usenetrc=False) as other:
        assert other.group("private.test")[1] == 1


def test_netrc(server: NntpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(f"machine {server.host} login user password password\n")
    (tmp_path / ".netrc").chmod(0o600)
    with nntplib().NNTP(server.host, server.port, timeout=LIMIT_S, usenetrc=True) as client:
        assert client.group("private.test")[1] == 1


def test_saving_to_a_file(client: Any, tmp_path: Path) -> None:
    client.group("misc.test")
    with (tmp_path / "body").open("wb") as file:
        client.body(4, file=file)
    assert (tmp_path / "body").read_bytes() == b".\r\n..two dots\r\n.one dot\r\nthe end\r\n"


def test_mode_reader_where_it_is_needed() -> None:
    with (
        NntpServer(faults=["connect:transit"]) as server,
        nntplib().NNTP(server.host, server.port, readermode=True, timeout=LIMIT_S) as client,
    ):
        assert client.group("misc.test")[1] == 5
        assert server.log.commands()[:3] == ["CAPABILITIES", "mode reader", "CAPABILITIES"]


def test_tls_explicit_and_implicit() -> None:
    for tls in ("starttls", "implicit"):
        with NntpServer(tls=tls) as server:
            context = ssl.create_default_context(cafile=server.ca_file)
            if tls == "implicit":
                client = nntplib().NNTP_SSL(server.host, server.port, ssl_context=context, timeout=LIMIT_S)
            else:
                client = nntplib().NNTP(server.host, server.port, timeout=LIMIT_S)
                client.starttls(context)
            with client:
                client.login("user", "password", usenetrc=False)
                assert client.group("private.test")[1] == 1
                assert "STARTTLS" not in client.getcapabilities()


def test_quit(server: NntpServer) -> None:
    client = nntplib().NNTP(server.host, server.port, timeout=LIMIT_S)
    assert client.quit() == "205 Bye!"
    assert server.log.commands() == ["CAPABILITIES", "QUIT"]
