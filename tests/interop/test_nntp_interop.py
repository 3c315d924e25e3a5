"""NNTP: our client against INN; the standard library's nntplib against our server."""

import os
import pwd
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from foreign import missing, program, root, serving
from program import inetcli

from mockservers import NntpServer

INN_CONF = """pathhost: inn.test.invalid
domain: test.invalid
fromhost: test.invalid
mta: "/bin/true %s"
mailcmd: /bin/true
ovmethod: tradindexed
hismethod: hisv6
enableoverview: true
wireformat: true
pgpverify: false
docancels: all
runasuser: news
runasgroup: news
bindaddress: 127.0.0.1
port: {port}
artcutoff: 0
nnrpdloadlimit: 0
pathnews: /usr/lib/news
pathbin: /usr/lib/news/bin
pathetc: {folder}/etc
pathdb: {folder}/db
pathrun: {folder}/run
pathlog: {folder}/log.d
pathtmp: {folder}/tmp
pathspool: {folder}/spool
patharticles: {folder}/spool/articles
pathoverview: {folder}/spool/overview
pathincoming: {folder}/spool/incoming
pathoutgoing: {folder}/spool/outgoing
patharchive: {folder}/spool/archive
"""
READERS = """auth "local" { hosts: "127.0.0.1, ::1, localhost"
  default: "<anon>" }
access "anon" { users: "<anon>"
  newsgroups: "*,!private.*"
  access: RPA }
"""
ARTICLE = (
    "Path: not-for-mail\r\nFrom: Ada <ada@test.invalid>\r\nNewsgroups: misc.test\r\nSubject: {subject}\r\n"
    "Date: {date}\r\nMessage-ID: <{id}@test.invalid>\r\n\r\n{body}\r\n"
)
BODY = "> quoted\r\nfirst line\r\n.dot\r\n\r\nGr\u00fc\u00dfe aus K\u00f6ln\r\n" + "x" * 5000


@pytest.fixture
def inn() -> Iterator[str]:
    """A private INN: innd takes articles, nnrpd serves them. `host:port` of the latter."""
    root()
    innd, nnrpd, makedbz = program("innd"), program("nnrpd"), program("makedbz")
    try:
        news = pwd.getpwnam("news")
    except KeyError:
        missing("there is no user news")
        raise
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        lay_out(folder)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
            os.chown(path, news.pw_uid, news.pw_gid)
        environment = {"INNCONF": str(folder / "etc" / "inn.conf"), "PATH": "/usr/bin:/bin", "HOME": name}
        subprocess.run(
            [makedbz, "-i", "-o", "-s", "3000"],
            cwd=folder / "db",
            env=environment,
            user="news",
            group="news",
            check=True,
            capture_output=True,
        )

        knowing = ["/usr/bin/env", f"INNCONF={environment['INNCONF']}"]

        def transit(port: int) -> list[str]:
            (folder / "etc" / "inn.conf").write_text(INN_CONF.format(folder=folder, port=port))
            return [*knowing, innd, "-f", "-N", "-4", "127.0.0.1", "-P", str(port)]

        def reader(port: int) -> list[str]:
            return [*knowing, nnrpd, "-D", "-f", "-n", "-4", "127.0.0.1", "-p", str(port)]

        took = stack.enter_context(serving(folder, transit, user="news"))
        feed(took.port)
        yield f"127.0.0.1:{stack.enter_context(serving(folder, reader, user='news')).port}"


def lay_out(folder: Path) -> None:
    for part in ("etc", "db", "run", "log.d", "tmp", "spool/articles", "spool/overview", "spool/incoming/bad"):
        (folder / part).mkdir(parents=True)
    for part in ("spool/outgoing", "spool/archive"):
        (folder / part).mkdir()
    etc, db = folder / "etc", folder / "db"
    (etc / "inn.conf").write_text(INN_CONF.format(folder=folder, port=1))
    (etc / "readers.conf").write_text(READERS)
    (etc / "storage.conf").write_text("method tradspool {\n  newsgroups: *\n  class: 0\n}\n")
    (etc / "newsfeeds").write_text("ME:*::\n")
    (etc / "incoming.conf").write_text('peer local { hostname: "127.0.0.1" }\n')
    (etc / "expire.ctl").write_text("/remember/:0\n*:A:never:never:never\n")
    for name in ("control.ctl", "subscriptions", "distrib.pats", "moderators"):
        (etc / name).write_text("")
    groups = ("control", "control.cancel", "junk", "misc.test", "misc.empty", "private.test")
    (db / "active").write_text("".join(f"{name} 0000000000 0000000001 y\n" for name in groups))
    (db / "newsgroups").write_text("misc.test\tA test group\n")
    (db / "history").write_text("")


def feed(port: int) -> None:
    """Two articles by IHAVE, and a cancel of the second."""
    from datetime import UTC, datetime

    date = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} +0000"
    cancel = "cancel <2@test.invalid>\r\nControl: cancel <2@test.invalid>"
    articles = [("1", "kept", BODY), ("2", "cancelled", "gone"), ("3", cancel, "cancel")]
    with socket.create_connection(("127.0.0.1", port), 10) as peer, peer.makefile("rwb") as lines:
        assert lines.readline().startswith(b"20")
        for number, subject, body in articles:
            lines.write(f"IHAVE <{number}@test.invalid>\r\n".encode())
            lines.flush()
            assert lines.readline().startswith(b"335")
            text = ARTICLE.format(subject=subject, date=date, id=number, body=body).replace("\r\n.", "\r\n..")
            lines.write(text.encode() + b".\r\n")
            lines.flush()
            assert lines.readline().startswith(b"235")
        lines.write(b"QUIT\r\n")
        lines.flush()
        lines.readline()


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


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the standard library has no nntplib any more")
def test_nntplib_reads_what_our_server_has() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nntplib
    with NntpServer() as mock, nntplib.NNTP(mock.host, mock.port) as client:
        _, count, first, last, name = client.group("misc.test")
        assert (count, first, last, name) == (5, 1, 5, "misc.test")
        _, info = client.article(4)
        assert info.lines[-4:] == [b".", b"..two dots", b".one dot", b"the end"]
        _, rows = client.over((1, 5))
        assert [number for number, _ in rows] == [1, 2, 3, 4, 5]
        assert rows[4][1]["references"] == "<1.misc.test@example.test>"
        _, groups = client.list()
        assert [group.group for group in groups] == ["misc.cancelled", "misc.empty", "misc.test"]
        with pytest.raises(nntplib.NNTPTemporaryError, match="480"):
            client.group("private.test")
        client.login("user", "password")
        assert client.group("private.test")[1] == 1
    with NntpServer() as mock:
        everything = ["--filter", "none", "--lines", "99"]
        ours = inetcli("nntp", "latest", "--json", *everything, f"{mock.url}/misc.test").row["lines"]
        with nntplib.NNTP(mock.host, mock.port) as client:
            client.group("misc.test")
            theirs = [line.decode() for line in client.body(5)[1].lines]
    while theirs and not theirs[-1]:
        theirs.pop()
    assert ours == [line.rstrip() for line in theirs]
