"""NNTP: groups, articles, and everything that readers ask for (RFC 3977; RFC 4642 STARTTLS, RFC 4643 AUTHINFO, RFC 8054
COMPRESS; RFC 2980 for the older forms).

    with NntpServer({"misc.test": {1: b"From: ...\\r\\n\\r\\nbody\\r\\n"}}) as news:
        nntplib.NNTP(news.host, news.port).group("misc.test")

It answers as INN 2.7 does, whose replies are its model; every reply goes out in one write. How it can go wrong is in
`nntp.faults`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from mockservers.connection import Connection
from mockservers.content import NEWS_DESCRIPTIONS, NEWS_HOST, NEWS_MARKS, PASSWORD, USER, news_groups
from mockservers.core import Server
from mockservers.faultkinds import Armed
from mockservers.nntp.article import Bytes, stored
from mockservers.nntp.inject import Injector
from mockservers.nntp.session import Session
from mockservers.nntp.store import Articles, NewsStore, read_directory
from mockservers.nntp.wildmat import Wildmat
from mockservers.tls.handshake import Tls


def utc_now() -> datetime:
    """The server's time."""
    return datetime.now(UTC)


class NntpServer(Server):
    """A news server for readers.

    `groups` maps names to articles: by number, or a list that is counted from 1. Bytes are served as they are, CRLF
    and not dot-stuffed; the lines of text get their CRLF. `directory` has a folder for each group instead, whose files
    are the articles. `marks` are the low and high mark of groups where those are not their articles' (cancelled ones
    leave holes). `descriptions` and `motd` are what LIST NEWSGROUPS and LIST MOTD say. `users` may log in, and must
    for the groups that match the wildmat `private`. `posting` = False: 201, and POST is refused. `without` = commands
    that are unknown here. `tls` = None, "starttls" or "implicit". `greeting` replaces the first line. `hostname`
    is what new articles have in Path and Xref. `clock` tells the time, in UTC. `add` and `cancel` change what is there.
    """

    def __init__(
        self,
        groups: Mapping[str, Articles] | None = None,
        *,
        directory: str | PathLike[str] | None = None,
        marks: Mapping[str, tuple[int, int]] | None = None,
        descriptions: Mapping[str, str] | None = None,
        motd: str = "",
        users: Mapping[str, str] | None = None,
        private: str = "private.*",
        posting: bool = True,
        without: Iterable[str] = (),
        tls: str | None = None,
        greeting: str | None = None,
        hostname: str = NEWS_HOST,
        clock: Callable[[], datetime] = utc_now,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        if groups is not None and directory is not None:
            raise ValueError("groups come from Python or from a directory, not from both")
        if tls not in (None, "starttls", "implicit"):
            raise ValueError(f'tls: expected None, "starttls" or "implicit", got {tls!r}')
        default = groups is None and directory is None
        content: Mapping[str, Articles] = read_directory(Path(directory)) if directory else groups or {}
        self.store = NewsStore(news_groups() if default else content, clock(), marks or (NEWS_MARKS if default else {}))
        for name, text in (NEWS_DESCRIPTIONS if default else descriptions or {}).items():
            if name in self.store.groups:
                self.store.groups[name].description = text
        self.motd = motd
        self.users = dict({USER: PASSWORD} if users is None else users)
        self.private = Wildmat(private)
        self.posting = posting
        self.without = frozenset(verb.upper() for verb in without)
        self.clock = clock
        self.hostname = hostname
        self._greeting = greeting
        self._explicit = tls == "starttls"
        self.tls = Tls() if tls else None
        self.name = self.scheme = "nntps" if tls == "implicit" else "nntp"
        super().__init__(host=host, port=port, faults=faults)
        self.log.add_passwords(self.users)

    @property
    def ca_file(self) -> str | None:
        return self.tls.ca_file if self.tls else None

    @property
    def offers_tls(self) -> bool:
        """Whether there is STARTTLS."""
        return self._explicit

    def add(self, group: str, article: Bytes) -> int:
        """Put one more article into a group while clients are there; its number. ValueError: there is no such group."""
        if group not in self.store.groups:
            raise ValueError(f"no group is called {group!r}; known: {', '.join(sorted(self.store.groups))}")

        async def put() -> int:
            ((name, number),) = self.store.next_places([group])
            self.store.add(stored(article), [(name, number)], self.clock())
            return number

        return self._call(put())

    def cancel(self, message_id: str) -> bool:
        """Take an article away, from all its groups; the marks stay. False when it is not there."""

        async def remove() -> bool:
            return self.store.remove(message_id)

        return self._call(remove())

    def env(self) -> dict[str, str]:
        user, password = next(iter(self.users.items()), ("", ""))
        prefix = f"MOCK_{self.name.upper()}"
        return super().env() | {f"{prefix}_USER": user, f"{prefix}_PASSWORD": password}

    def greeting(self, *, posting: bool) -> str:
        """The first line, which is the answer to MODE READER, too."""
        if self._greeting:
            return self._greeting
        return f"{200 if posting else 201} {self.hostname} mock news server ready ({'' if posting else 'no '}posting)"

    def injector(self, allowed: Callable[[str], bool]) -> Injector:
        """What takes new articles, from a client that may post to these groups."""
        return Injector(self.store, self.hostname, self.clock, allowed)

    async def serve(self, client: Connection) -> None:
        if self.tls and not self._explicit:
            await client.start_tls(self.tls)
        await Session(self, client).run()
