"""A client's conversation with the news server, command by command (RFC 3977 section 3).

Commands are taken one at a time, in their order: those that came in one packet wait. Each is checked here for its
length, its number of words, and whether this server has it; the answer is `Selection`'s, `Lists`', `Login`'s.
"""

from typing import TYPE_CHECKING

from mockservers.connection import Connection
from mockservers.faultkinds import Reply
from mockservers.nntp.commands import COMMANDS, help_lines, wrong_usage
from mockservers.nntp.faults import (
    Busy,
    Closing,
    InjectedReply,
    LoginLost,
    LoginRequired,
    NoPermission,
    NoPosting,
    PipelineLost,
    PostRefused,
    PostUnanswered,
    TlsRequired,
    Transit,
    Version,
    Without,
)
from mockservers.nntp.inject import DUPLICATE, Refused
from mockservers.nntp.lists import KEYWORDS, Lists
from mockservers.nntp.login import CHALLENGE, Login
from mockservers.nntp.reply import Answer, block, encode_answer, line
from mockservers.nntp.selection import Selection
from mockservers.nntp.store import Group
from mockservers.nntp.wrongs import Wrongs

if TYPE_CHECKING:
    from mockservers.nntp.server import NntpServer

MAX_COMMAND = 512
"""Octets of a command, its end included (RFC 3977 section 3.1)."""
MAX_WORD = 497
"""Octets of an argument (likewise)."""
MAX_ARTICLE = 8 << 20
"""A posted article that is larger is read to its end and refused."""

INJECTED = b"211 9 1 9 misc.injected\r\n"
"""What somebody between has put behind the 382."""

_TRANSIT = frozenset({"CAPABILITIES", "HEAD", "HELP", "IHAVE", "LIST", "MODE", "QUIT", "STAT", "AUTHINFO", "STARTTLS"})
_TRANSIT_LISTS = ("ACTIVE", "ACTIVE.TIMES", "MOTD", "NEWSGROUPS")
"""What a server for other servers knows (innd's list); all else is 401 until MODE READER."""


class Session:
    """One client. `run` ends when it has said QUIT, or left (`Over`)."""

    def __init__(self, server: "NntpServer", client: Connection) -> None:
        self._server = server
        self._client = client
        self._wrongs = Wrongs(client)
        self._login = Login(server.users)
        self._selection = self._select_nothing()
        self._lists = Lists(server.store, self._allowed, server.motd, server.clock)
        self._posting = server.posting and not self._wrongs.first(NoPosting)
        self._transit = self._wrongs.first(Transit) is not None
        self._compressed = False
        self._done = False

    def _select_nothing(self) -> Selection:
        return Selection(self._server.store, self._allowed, self._seen)

    def _seen(self, group: Group) -> Group:
        return self._wrongs.group(group)

    def _allowed(self, group: str) -> bool:
        return self._login.done or not self._server.private.matches(group)

    async def run(self) -> None:
        greeting = self._greeting()
        await self._say(line(greeting))
        self._done = greeting.startswith(("4", "5"))
        while not self._done:
            await self._obey(await self._client.line())

    def _greeting(self) -> str:
        """The first line; one with 4xx or 5xx is the last, too (RFC 3977 section 5.1)."""
        for fault in self._client.faults():
            if isinstance(fault, Reply):
                return fault.text  # which `Connection.send` is about to say
        if self._wrongs.first(Busy):
            return f"400 {self._server.hostname} too busy, come back later"
        if self._wrongs.first(NoPermission):
            return f"502 {self._server.hostname} no permission to talk"
        if self._transit:
            return f"200 {self._server.hostname} mock news server ready (transit mode)"
        return self._server.greeting(posting=self._posting)

    async def _say(self, answer: Answer) -> None:
        await self._wrongs.send(answer)

    async def _obey(self, raw: bytes) -> None:
        """Answer one command. An empty line is none (INN has no answer to it, either)."""
        # Bytes first: blanks and capitals are ASCII's here, not Unicode's.
        first, *others = raw.split() or [b""]
        if not first:
            return
        verb = first.upper().decode("utf-8", "surrogateescape")
        rest = [word.decode("utf-8", "surrogateescape") for word in others]
        shots = await self._server.trigger(
            self._client, verb, " ".join([verb, *(word.upper() for word in rest[:1])]), " ".join([verb, *rest])
        )
        if shots.answered:
            return
        self._wrongs = Wrongs(self._client, shots)
        if self._wrongs.has(PipelineLost) and self._client.discard():
            self._wrongs.first(PipelineLost)
        if self._wrongs.first(Closing):
            self._done = True
            await self._say(line("400 The server is going down"))
            return
        refused = self._wrong(verb, rest, len(raw) + 2) or self._gate(verb)
        answer = refused or await self._answer(verb, rest)
        if answer:
            await self._say(answer)

    def _wrong(self, verb: str, words: list[str], length: int) -> Answer | None:
        """What is wrong with a command before anything is done about it."""
        known = verb in self._known(verb)
        if length > MAX_COMMAND:
            return line(f"{501 if known else 500} Line too long")
        if not known:
            return line("500 What?")
        if any(len(word) > MAX_WORD for word in words):
            return line("501 Argument too long")
        if self._transit and not _fits_transit(verb, words):
            return line("401 MODE-READER")
        usage = wrong_usage(verb, len(words))
        return line(f"501 {usage}") if usage else None

    def _gate(self, verb: str) -> Answer | None:
        """Whether the client must first log in, or begin TLS, because a fault wants it."""
        if verb in ("QUIT", "STARTTLS"):
            return None
        if self._client.tls is None and verb != "CAPABILITIES" and self._wrongs.first(TlsRequired):
            return line("483 Encryption required")
        if verb == "AUTHINFO":
            return None
        if self._login.done and self._wrongs.first(LoginLost):
            self._login.forget()
            return line("480 Who are you?")
        return line("480 Log in first") if not self._login.done and self._wrongs.first(LoginRequired) else None

    def _known(self, asked: str) -> frozenset[str]:
        """The commands that there are, at this moment; `asked` is the one that wants to know."""
        missing = set(self._server.without)
        if not self._server.offers_tls:
            missing.add("STARTTLS")
        for fault in self._client.faults():
            if isinstance(fault, Without):
                verbs = fault.verbs.upper().split()
                missing.update(verbs)
                if asked in (*verbs, "CAPABILITIES", "HELP"):
                    self._client.first(Without)
        return frozenset(COMMANDS) - missing

    async def _answer(self, verb: str, words: list[str]) -> Answer | None:  # noqa: PLR0911 - one for each command
        """The reply; None when all has been said already."""
        match verb:
            case "CAPABILITIES":
                return self._capabilities(words)
            case "MODE":
                return self._mode(words[0].upper())
            case "DATE":
                return line(f"111 {self._server.clock():%Y%m%d%H%M%S}")
            case "HELP":
                return block("100 Legal commands", help_lines(self._known(verb)))
            case "LIST" | "NEWGROUPS" | "NEWNEWS":
                return self._wrongs.overview_format(self._lists.answer(verb, words))
            case "AUTHINFO":
                return await self._authenticate(words)
            case "POST":
                return await self._post()
            case "IHAVE":
                return await self._take(words[0])
            case "STARTTLS":
                return await self._start_tls()
            case "COMPRESS":
                return await self._compress(words[0])
            case "QUIT":
                self._done = True
                return line("205 Bye!")
            case _:
                return self._wrongs.ask(self._selection, verb, words)

    def _mode(self, mode: str) -> Answer:
        if mode != "READER":
            return line("501 Unknown MODE variant")
        self._transit = False
        return line(self._server.greeting(posting=self._posting))

    def _capabilities(self, words: list[str]) -> Answer:
        if words and not (words[0][0].isalpha() and len(words[0]) >= 3):
            return line("501 Syntax error in keyword")
        known = self._known("CAPABILITIES")
        version = self._wrongs.first(Version)
        rows = [f"VERSION {version.number if version else 2}", "IMPLEMENTATION mockservers"]
        rows += self._login.capabilities()
        if self._transit:
            rows += ["IHAVE", f"LIST {' '.join(_TRANSIT_LISTS)}", "MODE-READER"]
            return block("101 Capability list:", rows + (["STARTTLS"] if self._can_start_tls() else []))
        if "COMPRESS" in known and not self._compressed:
            rows.append("COMPRESS DEFLATE")
        rows += [verb for verb in ("HDR", "IHAVE") if verb in known]
        rows.append(f"LIST {' '.join(KEYWORDS)}")
        rows += [verb for verb in ("NEWNEWS", "OVER") if verb in known]
        rows += ["POST"] if self._posting and "POST" in known else []
        rows.append("READER")
        rows += ["STARTTLS"] if self._can_start_tls() else []
        rows += ["XPAT"] if "XPAT" in known else []
        return block("101 Capability list:", rows)

    def _can_start_tls(self) -> bool:
        offered = "STARTTLS" in self._known("STARTTLS")
        return offered and self._client.tls is None and not self._compressed

    async def _authenticate(self, words: list[str]) -> Answer:
        answer = self._login.answer(words)
        if answer is not CHALLENGE:
            return answer
        await self._say(answer)
        return self._login.plain((await self._client.line()).decode("utf-8", "surrogateescape"))

    # Articles that come in

    async def _post(self) -> Answer | None:
        if not self._posting:
            return line("440 Posting not allowed")
        injector = self._server.injector(self._allowed)
        await self._say(line(f"340 Ok, recommended Message-ID {injector.message_id()}"))
        raw = await self._block()
        if self._wrongs.first(PostRefused):
            return line("441 Posting failed")
        try:
            received = injector.post(_checked(raw))
        except Refused as error:
            return line(f"441 {error}")
        if self._wrongs.first(PostUnanswered):
            self._done = True
            return None
        return line(f"240 Article received {received}")

    async def _take(self, message_id: str) -> Answer:
        if not message_id.startswith("<") or not message_id.endswith(">"):
            return line("501 Syntax error in Message-ID")
        if message_id in self._server.store.history:
            return line(DUPLICATE)
        await self._say(line("335 Send it; end with <CR-LF>.<CR-LF>"))
        raw = await self._block()
        try:
            self._server.injector(self._allowed).transfer(_checked(raw), message_id)
        except Refused as error:
            return line(f"437 {error}")
        return line("235 Article transferred OK")

    async def _block(self) -> bytes | None:
        """A block from the client, dots undoubled; None when it is too large."""
        rows: list[bytes] = []
        size = 0
        while (row := await self._client.line(MAX_ARTICLE)) != b".":
            size += len(row) + 2
            if size <= MAX_ARTICLE:
                rows.append(row.removeprefix(b".") + b"\r\n")
        return b"".join(rows) if size <= MAX_ARTICLE else None

    # What changes the connection

    async def _start_tls(self) -> Answer | None:
        if not self._can_start_tls() or self._server.tls is None:
            return line("502 Already using a security or compression layer")
        go = encode_answer(line("382 Begin TLS negotiation now"))
        await self._client.send(go + (INJECTED if self._wrongs.first(InjectedReply) else b""))
        self._client.discard()
        await self._client.start_tls(self._server.tls)
        # RFC 4642 section 2.2.2: what the client has said before counts no more.
        self._login.forget()
        self._selection = self._select_nothing()
        return None

    async def _compress(self, algorithm: str) -> Answer | None:
        if algorithm.upper() != "DEFLATE":
            return line("503 Only the DEFLATE compression algorithm is supported")
        if self._compressed:
            return line("502 Already compressed")
        await self._say(line("206 Compression active"))
        self._compressed = True
        self._client.compress()
        return None


def _fits_transit(verb: str, words: list[str]) -> bool:
    return verb in _TRANSIT and (verb != "LIST" or not words or words[0].upper() in _TRANSIT_LISTS)


def _checked(raw: bytes | None) -> bytes:
    if raw is None:
        raise Refused(f"Article is larger than {MAX_ARTICLE} bytes")
    return raw
