"""A client's conversation with the news server, command by command (RFC 3977 section 3).

Commands are taken one at a time, in their order: those that came in one packet wait. Each is checked here for its
length, its number of words, and whether this server has it; the answer is `Selection`'s, `Lists`', `Login`'s.
"""

from typing import TYPE_CHECKING

from mockservers.connection import Connection
from mockservers.newsinject import DUPLICATE, Refused
from mockservers.newslists import KEYWORDS, Lists
from mockservers.newslogin import CHALLENGE, Login
from mockservers.newsselection import Selection
from mockservers.nntpcommands import COMMANDS, help_lines, wrong_usage
from mockservers.nntpreply import Answer, block, encode_answer, line

if TYPE_CHECKING:
    from mockservers.nntpserver import NntpServer

MAX_COMMAND = 512
"""Octets of a command, its end included (RFC 3977 section 3.1)."""
MAX_WORD = 497
"""Octets of an argument (likewise)."""
MAX_ARTICLE = 8 << 20
"""A posted article that is larger is read to its end and refused."""

_TRANSIT = frozenset(
    {"CAPABILITIES", "DATE", "HELP", "IHAVE", "LIST", "MODE", "QUIT", "STAT", "HEAD", "AUTHINFO", "STARTTLS"}
)


class Session:
    """One client. `run` ends when it has said QUIT, or left (`Over`)."""

    def __init__(self, server: "NntpServer", client: Connection) -> None:
        self._server = server
        self._client = client
        self._login = Login(server.users)
        self._selection = Selection(server.store, self._allowed)
        self._lists = Lists(server.store, self._allowed, server.motd, server.clock)
        self._compressed = False
        self._done = False

    def _allowed(self, group: str) -> bool:
        return self._login.done or not self._server.private.matches(group)

    async def run(self) -> None:
        await self._say(line(self._server.greeting))
        while not self._done:
            await self._obey(await self._client.line())

    async def _say(self, answer: Answer) -> None:
        await self._client.send(encode_answer(answer))

    async def _obey(self, raw: bytes) -> None:
        """Answer one command. An empty line is none (INN has no answer to it, either)."""
        text = raw.decode("utf-8", "surrogateescape")
        words = text.split()
        if not words:
            return
        verb, rest = words[0].upper(), words[1:]
        if await self._server.command(self._client, verb, " ".join([verb, *rest[:1]]), text):
            return
        wrong = self._wrong(verb, rest, len(raw) + 2)
        if wrong:
            await self._say(wrong)
            return
        answer = await self._answer(verb, rest)
        if answer:
            await self._say(answer)

    def _wrong(self, verb: str, words: list[str], length: int) -> Answer | None:
        """What is wrong with a command before anything is done about it."""
        known = verb in self._known()
        if length > MAX_COMMAND:
            return line(f"{501 if known else 500} Line too long")
        if not known:
            return line("500 What?")
        if any(len(word) > MAX_WORD for word in words):
            return line("501 Argument too long")
        usage = wrong_usage(verb, len(words))
        return line(f"501 {usage}") if usage else None

    def _known(self) -> frozenset[str]:
        """The commands that there are, at this moment."""
        missing = set(self._server.without)
        if not self._server.offers_tls:
            missing.add("STARTTLS")
        return frozenset(COMMANDS) - missing

    async def _answer(self, verb: str, words: list[str]) -> Answer | None:  # noqa: PLR0911 - one for each command
        """The reply; None when all has been said already."""
        match verb:
            case "CAPABILITIES":
                return self._capabilities(words)
            case "MODE":
                return line(self._server.greeting) if words[0].upper() == "READER" else line("501 Unknown MODE variant")
            case "DATE":
                return line(f"111 {self._server.clock():%Y%m%d%H%M%S}")
            case "HELP":
                return block("100 Legal commands", help_lines(self._known()))
            case "LIST" | "NEWGROUPS" | "NEWNEWS":
                return self._lists.answer(verb, words)
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
                return self._selection.answer(verb, words)

    def _capabilities(self, words: list[str]) -> Answer:
        if words and not (words[0][0].isalpha() and len(words[0]) >= 3):
            return line("501 Syntax error in keyword")
        known = self._known()
        rows = ["VERSION 2", "IMPLEMENTATION mockservers", *self._login.capabilities()]
        if "COMPRESS" in known and not self._compressed:
            rows.append("COMPRESS DEFLATE")
        rows += [verb for verb in ("HDR", "IHAVE") if verb in known]
        rows.append(f"LIST {' '.join(KEYWORDS)}")
        rows += [verb for verb in ("NEWNEWS", "OVER") if verb in known]
        if self._server.posting and "POST" in known:
            rows.append("POST")
        rows.append("READER")
        if self._can_start_tls():
            rows.append("STARTTLS")
        if "XPAT" in known:
            rows.append("XPAT")
        return block("101 Capability list:", rows)

    def _can_start_tls(self) -> bool:
        return "STARTTLS" in self._known() and self._client.tls is None and not self._compressed

    async def _authenticate(self, words: list[str]) -> Answer:
        answer = self._login.answer(words)
        if answer is not CHALLENGE:
            return answer
        await self._say(answer)
        return self._login.plain((await self._client.line()).decode("utf-8", "surrogateescape"))

    # Articles that come in

    async def _post(self) -> Answer:
        if not self._server.posting:
            return line("440 Posting not allowed")
        injector = self._server.injector(self._allowed)
        await self._say(line(f"340 Ok, recommended Message-ID {injector.message_id()}"))
        raw = await self._block()
        try:
            return line(f"240 Article received {injector.post(_checked(raw))}")
        except Refused as error:
            return line(f"441 {error}")

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
        if not self._can_start_tls():
            return line("502 Already using a security or compression layer")
        await self._say(line("382 Begin TLS negotiation now"))
        self._client.discard()
        await self._client.start_tls(self._server.context())
        # RFC 4642 section 2.2.2: what the client has said before counts no more.
        self._login.forget()
        self._selection = Selection(self._server.store, self._allowed)
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


def _checked(raw: bytes | None) -> bytes:
    if raw is None:
        raise Refused(f"Article is larger than {MAX_ARTICLE} bytes")
    return raw
