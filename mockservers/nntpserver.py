"""NNTP: a few groups, and everything that a reader asks for on the way to an article (RFC 3977, RFC 4642, RFC 4643).

`groups` maps names to articles by number, stored as they are: CRLF, not dot-stuffed. `marks` sets a group's low and
high mark where they are not those of its articles (cancelled ones leave a hole behind). Groups whose names begin with
`private.` want a login. Every reply goes out in one write.
"""

import ssl
from collections.abc import Callable, Iterable, Mapping

from mockservers.certs import authority
from mockservers.connection import Connection
from mockservers.content import PASSWORD, USER, news_groups
from mockservers.core import Server
from mockservers.faultkinds import Armed

Articles = Mapping[int, bytes]


_OVERVIEW = (b"Subject:", b"From:", b"Date:", b"Message-ID:", b"References:", b":bytes", b":lines")
"""RFC 3977 section 8.4; the number comes before them."""


class NntpServer(Server):
    """A news server for readers. `tls`: None, "starttls" or "implicit"."""

    def __init__(
        self,
        groups: Mapping[str, Articles] | None = None,
        *,
        marks: Mapping[str, tuple[int, int]] | None = None,
        users: Mapping[str, str] | None = None,
        tls: str | None = None,
        greeting: str = "200 mock news server ready, posting allowed",
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        self.groups = dict(news_groups() if groups is None else groups)
        self.marks = dict({"misc.cancelled": (1, 2)} if marks is None and groups is None else marks or {})
        self.users = dict({USER: PASSWORD} if users is None else users)
        self.greeting = greeting
        self._tls = tls
        self._context: ssl.SSLContext | None = authority().context() if tls else None
        self.name = self.scheme = "nntps" if tls == "implicit" else "nntp"
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return authority().ca_file if self._tls else None

    def env(self) -> dict[str, str]:
        user, password = next(iter(self.users.items()), ("", ""))
        prefix = f"MOCK_{self.name.upper()}"
        return super().env() | {f"{prefix}_USER": user, f"{prefix}_PASSWORD": password}

    async def serve(self, client: Connection) -> None:
        if self._tls == "implicit" and self._context:
            await client.start_tls(self._context)
        await client.send(self.greeting.encode() + b"\r\n")
        reader = _Reader(self, client)
        while not reader.done:
            line = (await client.line()).decode("utf-8", "surrogateescape")
            verb, _, rest = line.partition(" ")
            if not await self.command(client, verb, line):
                await reader.answer(verb.upper(), rest.split())

    def span(self, group: str) -> tuple[int, int]:
        """A group's marks; an empty group's high mark is one below its low mark (RFC 3977 section 6.1.1.2)."""
        if group in self.marks:
            return self.marks[group]
        numbers = self.groups[group]
        return (min(numbers), max(numbers)) if numbers else (1, 0)

    @property
    def context(self) -> ssl.SSLContext | None:
        """For STARTTLS; None = there is none."""
        return self._context if self._tls == "starttls" else None


class _Reader:
    """One client's conversation."""

    def __init__(self, server: NntpServer, client: Connection) -> None:
        self._server = server
        self._client = client
        self._group: str | None = None
        self._current: int | None = None
        self._user = ""
        self._logged_in = False
        self.done = False

    async def answer(self, verb: str, words: list[str]) -> None:
        commands: dict[str, Callable[[list[str]], bytes]] = {
            "CAPABILITIES": self._capabilities,
            "MODE": lambda _: self._line("200 posting allowed"),
            "GROUP": self._select,
            "LISTGROUP": self._list_group,
            "ARTICLE": lambda words: self._article(words, 220, "all"),
            "HEAD": lambda words: self._article(words, 221, "head"),
            "BODY": lambda words: self._article(words, 222, "body"),
            "STAT": lambda words: self._article(words, 223, "none"),
            "OVER": self._over,
            "XOVER": self._over,
            "DATE": lambda _: self._line("111 20261122180411"),
            "LIST": self._list,
            "AUTHINFO": self._authinfo,
        }
        if verb == "QUIT":
            self.done = True
            await self._client.send(self._line("205 bye"))
        elif verb == "STARTTLS" and self._server.context:
            await self._client.send(self._line("382 go on"))
            await self._client.start_tls(self._server.context)
        elif verb in commands:
            await self._client.send(commands[verb](words))
        else:
            await self._client.send(self._line("500 what?"))

    @staticmethod
    def _line(text: str) -> bytes:
        return text.encode("utf-8") + b"\r\n"

    def _block(self, status: str, rows: Iterable[bytes]) -> bytes:
        stuffed = (b"." + row if row.startswith(b".") else row for row in rows)
        return self._line(status) + b"".join(row + b"\r\n" for row in stuffed) + b".\r\n"

    def _capabilities(self, _words: list[str]) -> bytes:
        rows = [b"VERSION 2", b"READER", b"OVER", b"LIST ACTIVE NEWSGROUPS OVERVIEW.FMT", b"AUTHINFO USER"]
        return self._block("101 capabilities", rows + ([b"STARTTLS"] if self._server.context else []))

    def _denied(self, group: str) -> bool:
        return group.startswith("private.") and not self._logged_in

    def _select(self, words: list[str]) -> bytes:
        if len(words) != 1:
            return self._line("501 GROUP group")
        name = words[0]
        if name not in self._server.groups:
            return self._line("411 no such group")
        if self._denied(name):
            return self._line("480 log in first")
        low, high = self._server.span(name)
        self._group = name
        self._current = low if self._server.groups[name] else None
        return self._line(f"211 {len(self._server.groups[name])} {low} {high} {name}")

    def _list_group(self, words: list[str]) -> bytes:
        if words:
            reply = self._select(words[:1])
            if not reply.startswith(b"211"):
                return reply
        if self._group is None:
            return self._line("412 no group selected")
        low, high = self._range(words[1] if len(words) > 1 else "1-")
        numbers = [number for number in sorted(self._articles) if low <= number <= high]
        return self._block(f"211 list follows {self._group}", [str(number).encode() for number in numbers])

    @property
    def _articles(self) -> Articles:
        return self._server.groups[self._group] if self._group else {}

    def _article(self, words: list[str], code: int, part: str) -> bytes:  # noqa: PLR0911 - a reply each
        if words and words[0].startswith("<"):
            found = [raw for group in self._server.groups.values() for raw in group.values() if _id(raw) == words[0]]
            number, raw, missing = 0, found[0] if found else None, "430 no such article"
        elif self._group is None:
            return self._line("412 no group selected")
        else:
            number = int(words[0]) if words and words[0].isdigit() else self._current or 0
            raw, missing = self._articles.get(number), "423 no such number"
            if not words and self._current is None:
                return self._line("420 no current article")
        if raw is None:
            return self._line(missing)
        self._current = number or self._current
        status = f"{code} {number} {_id(raw)}"
        head, _, body = raw.partition(b"\r\n\r\n")
        match part:
            case "none":
                return self._line(status)
            case "head":
                return self._block(status, head.split(b"\r\n"))
            case "body":
                return self._block(status, body.removesuffix(b"\r\n").split(b"\r\n"))
            case _:
                return self._block(status, raw.removesuffix(b"\r\n").split(b"\r\n"))

    def _over(self, words: list[str]) -> bytes:
        if self._group is None:
            return self._line("412 no group selected")
        low, high = self._range(words[0] if words else str(self._current or 0))
        rows = [_row(number, self._articles[number]) for number in sorted(self._articles) if low <= number <= high]
        return self._block("224 overview follows", rows) if rows else self._line("423 no articles in that range")

    @staticmethod
    def _range(text: str) -> tuple[int, int]:
        low, dash, high = text.partition("-")
        first = int(low) if low.isdigit() else 0
        return first, (int(high) if high.isdigit() else 1 << 62) if dash else first

    def _list(self, words: list[str]) -> bytes:
        names = [name for name in sorted(self._server.groups) if not self._denied(name)]
        if words and words[0].upper() == "OVERVIEW.FMT":
            return self._block("215 order of fields follows", _OVERVIEW)
        if words and words[0].upper() == "NEWSGROUPS":
            return self._block("215 descriptions follow", [f"{name}\tmock".encode() for name in names])
        rows = []
        for name in names:
            low, high = self._server.span(name)
            rows.append(f"{name} {high} {low} y".encode())
        return self._block("215 list follows", rows)

    def _authinfo(self, words: list[str]) -> bytes:
        match [word.upper() for word in words[:1]], words[1:]:
            case ["USER"], [user]:
                self._user = user
                return self._line("381 password please")
            case ["PASS"], [password]:
                self._logged_in = self._server.users.get(self._user) == password
                return self._line("281 welcome" if self._logged_in else "481 wrong")
            case _:
                return self._line("501 AUTHINFO USER name, AUTHINFO PASS password")


def _field(raw: bytes, name: bytes) -> str:
    head = raw.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip().decode("utf-8", "surrogateescape")
    return ""


def _id(raw: bytes) -> str:
    return _field(raw, b"message-id")


def _row(number: int, raw: bytes) -> bytes:
    """RFC 3977 section 8.3: number, subject, from, date, message-id, references, bytes, lines."""
    texts = [_field(raw, name) for name in (b"subject", b"from", b"date", b"message-id", b"references")]
    body = raw.partition(b"\r\n\r\n")[2]
    row = [str(number), *texts, str(len(raw)), str(body.count(b"\r\n"))]
    return "\t".join(row).encode("utf-8", "surrogateescape")
