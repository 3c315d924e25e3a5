"""A private INN news server: innd accepts articles by IHAVE, and nnrpd serves them. Needs root to become the user news.

`GROUPS` has its groups; only `user` with `password` may read `private.*`. The server has exactly the articles that the
test feeds to it.
"""

import os
import pwd
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from support.foreign import missing, program, root, serving

HOST = "inn.test.invalid"
GROUPS = ("control", "control.cancel", "junk", "misc.cross", "misc.empty", "misc.test", "private.test")
DESCRIPTIONS = {"misc.test": "A test group", "private.test": "For members"}
CREATED = 1_600_000_000
"""The time of creation that the server reports for all groups, as a Unix time."""

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
READERS = """auth "local" {{ hosts: "127.0.0.1, ::1, localhost"
  auth: "ckpasswd -f {folder}/etc/passwd"
  default: "<anon>" }}
access "members" {{ users: "user"
  newsgroups: "*"
  access: RPAN }}
access "anon" {{ users: "<anon>"
  newsgroups: "*,!private.*"
  access: RPAN }}
"""
PASSWD = "user:$1$mock$vugmPnku9aCfACgp38yao1\n"
"""The entry of `user` with the crypt(3) hash of `password`: `openssl passwd -1 -salt mock password`."""


@dataclass(frozen=True, slots=True)
class Inn:
    """A running INN. `readers`: the port of nnrpd for readers. `transit`: the port of innd for other servers."""

    readers: int
    transit: int

    @property
    def place(self) -> str:
        """The address for a reader, `host:port`."""
        return f"127.0.0.1:{self.readers}"


@contextmanager
def news_server(articles: Iterable[bytes] = ()) -> Iterator[Inn]:
    """Start an INN that has these articles, in this order, for the time of the `with`."""
    root()
    innd, nnrpd, makedbz = program("innd"), program("nnrpd"), program("makedbz")
    try:
        news = pwd.getpwnam("news")
    except KeyError:
        missing("there is no user news")
        raise
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        _lay_out(folder)
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
        feed(took.port, articles)
        yield Inn(stack.enter_context(serving(folder, reader, user="news")).port, took.port)


def _lay_out(folder: Path) -> None:
    for part in ("etc", "db", "run", "log.d", "tmp", "spool/articles", "spool/overview", "spool/incoming/bad"):
        (folder / part).mkdir(parents=True)
    for part in ("spool/outgoing", "spool/archive"):
        (folder / part).mkdir()
    etc, db = folder / "etc", folder / "db"
    (etc / "inn.conf").write_text(INN_CONF.format(folder=folder, port=1))
    (etc / "readers.conf").write_text(READERS.format(folder=folder))
    (etc / "passwd").write_text(PASSWD)
    (etc / "storage.conf").write_text("method tradspool {\n  newsgroups: *\n  class: 0\n}\n")
    (etc / "newsfeeds").write_text("ME:*::\n")
    (etc / "incoming.conf").write_text('peer local { hostname: "127.0.0.1" }\n')
    (etc / "expire.ctl").write_text("/remember/:0\n*:A:never:never:never\n")
    (etc / "motd.nnrpd").write_text("Hello.\n")
    for name in ("control.ctl", "subscriptions", "distrib.pats", "moderators"):
        (etc / name).write_text("")
    (db / "active").write_text("".join(f"{name} 0000000000 0000000001 y\n" for name in GROUPS))
    (db / "active.times").write_text("".join(f"{name} {CREATED} mock\n" for name in GROUPS))
    (db / "newsgroups").write_text("".join(f"{name}\t{text}\n" for name, text in DESCRIPTIONS.items()))
    (db / "history").write_text("")


def news_article(number: str, subject: str, body: str, *, groups: str = "misc.test", extra: str = "") -> bytes:
    """Make an article with the current date; INN rejects dates in the future. `extra`: header lines with CRLF."""
    date = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} +0000"
    return (
        f"Path: not-for-mail\r\nFrom: Ada <ada@test.invalid>\r\nNewsgroups: {groups}\r\nSubject: {subject}\r\n"
        f"Date: {date}\r\nMessage-ID: <{number}@test.invalid>\r\n{extra}\r\n{body}\r\n"
    ).encode()


def cancel(number: str, wanted: str) -> bytes:
    """Make a control message that cancels another article."""
    control = f"Control: cancel <{wanted}@test.invalid>\r\n"
    return news_article(number, f"cmsg cancel <{wanted}@test.invalid>", "gone", extra=control)


def feed(port: int, articles: Iterable[bytes]) -> None:
    """Send the articles to a server by IHAVE, and check that the server accepts all of them."""
    with socket.create_connection(("127.0.0.1", port), 10) as peer, peer.makefile("rwb") as lines:
        assert lines.readline().startswith(b"20")
        for raw in articles:
            message_id = raw.partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
            lines.write(b"IHAVE " + message_id + b"\r\n")
            lines.flush()
            assert (reply := lines.readline()).startswith(b"335"), (reply, raw)
            lines.write(raw.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            lines.flush()
            assert (reply := lines.readline()).startswith(b"235"), (reply, raw)
        lines.write(b"QUIT\r\n")
        lines.flush()
        lines.readline()
