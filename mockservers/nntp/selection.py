"""The selected group, its pointer, and what a reader asks about them (RFC 3977 sections 6.1, 6.2, 8.3, 8.5).

The replies are those of INN 2.7, code for code and word for word where it has words of its own; what differs between
OVER and XOVER, HDR and XHDR in an empty range (423 against an empty block) is INN's, too.
"""

from collections.abc import Callable
from dataclasses import replace

from mockservers.nntp.article import Article, split_lines
from mockservers.nntp.overview import FROM_OVERVIEW, METADATA, overview_row, parse_range, value_of
from mockservers.nntp.reply import Answer, block, line
from mockservers.nntp.store import Group, NewsStore
from mockservers.nntp.wildmat import one_pattern

_CODES = {"ARTICLE": 220, "HEAD": 221, "BODY": 222, "STAT": 223}
_TAKE_IDS = ("OVER", "HDR")
_MAX_NUMBER = 16
"""Digits of an article number (RFC 3977 section 9.8)."""

NOT_SELECTED = line("412 Not in a newsgroup")
DENIED = line("480 Read access denied")
NO_SUCH_ID = line("430 No such article")
BAD_ID = line("501 Syntax error in Message-ID")
BAD_RANGE = line("501 Syntax error in range")


class Selection:
    """Which group a client is in. `allowed` tells whether it may read a group, `seen` how it sees one."""

    def __init__(
        self, store: NewsStore, allowed: Callable[[str], bool], seen: Callable[[Group], Group] = lambda group: group
    ) -> None:
        self._store = store
        self._allowed = allowed
        self._seen = seen
        self.group: Group | None = None
        self.current = 0

    def answer(self, verb: str, words: list[str]) -> Answer:  # noqa: PLR0911 - one for each command
        """The reply to one of the commands about groups and articles; their number of arguments is right."""
        match verb:
            case "GROUP":
                return self._select(words[0]) or line(self._status())
            case "LISTGROUP":
                return self._list_group(words)
            case "NEXT" | "LAST":
                return self._move(1 if verb == "NEXT" else -1)
            case "OVER" | "XOVER":
                return self._over(verb, words)
            case "HDR" | "XHDR":
                return self._header(verb, words[0], words[1:])
            case "XPAT":
                # More than one pattern is one with blanks in it (RFC 2980 section 2.9).
                return self._header(verb, words[0], words[1:2], " ".join(words[2:]))
            case _:
                return self._article(verb, words)

    # Groups

    def _select(self, name: str) -> Answer | None:
        """Go into the group, to its first article. A refusal leaves things as they were."""
        if name not in self._store.groups:
            return line(f"411 No such group {name}")
        if not self._allowed(name):
            return DENIED
        self._enter(self._seen(self._store.groups[name]))
        return None

    def _enter(self, group: Group) -> None:
        """This is the group now; the pointer is on its first article, on 0 where there is none."""
        self.group = group
        self.current = min(group.articles, default=0)

    def _status(self) -> str:
        assert self.group
        return f"211 {self.group.estimate} {self.group.low} {self.group.high} {self.group.name}"

    def _list_group(self, words: list[str]) -> Answer:
        if not words and self.group is None:
            return line("412 No group specified")
        span = parse_range(words[1]) if len(words) > 1 else (0, None)
        if span is None:
            return BAD_RANGE
        refused = self._select(words[0]) if words else None
        if refused:
            return refused
        assert self.group
        if not words:
            self._enter(self.group)
        return block(self._status(), (str(number) for number in self.group.numbers(*span)))

    # Articles

    def _article(self, verb: str, words: list[str]) -> Answer:
        found = self._find(words)
        if isinstance(found, Answer):
            return found
        number, article = found
        if number and words:
            self.current = number
        return self._given(verb, number, article)

    def give_instead(self, verb: str, words: list[str], raw: bytes) -> Answer:
        """The reply with these bytes in place of the article that is asked for, under its number."""
        found = self._find(words)
        if isinstance(found, Answer):
            return found
        number, article = found
        return self._given(verb, number, replace(article, raw=raw))

    @staticmethod
    def _given(verb: str, number: int, article: Article) -> Answer:
        status = f"{_CODES[verb]} {number} {article.message_id} {'status' if verb == 'STAT' else verb.lower()}"
        match verb:
            case "HEAD":
                return block(status, split_lines(article.head))
            case "BODY":
                return block(status, split_lines(article.body))
            case "ARTICLE":
                return block(status, split_lines(article.raw))
            case _:
                return line(status)

    def look_up(self, words: list[str]) -> Article | None:
        """The article that would be given, if one would be."""
        found = self._find(words)
        return None if isinstance(found, Answer) else found[1]

    def lose(self, article: Article) -> None:
        """The article is gone, for everybody."""
        self._store.remove(article.message_id)
        if self.group:
            self.group.articles = {n: kept for n, kept in self.group.articles.items() if kept is not article}

    def neighbour(self, article: Article, *, by_id: bool) -> str | None:
        """Another article of the same group: its Message-ID, or its number in the selected group."""
        group = self._store.groups[article.group] if by_id or self.group is None else self.group
        others = [(number, other) for number, other in sorted(group.articles.items()) if other is not article]
        return (others[0][1].message_id if by_id else str(others[0][0])) if others else None

    def _find(self, words: list[str]) -> tuple[int, Article] | Answer:
        """The article that is meant by a number, a Message-ID, or nothing at all."""
        if words and not _is_number(words[0]):
            return self._by_id(words[0])
        if self.group is None:
            return NOT_SELECTED
        number = int(words[0]) if words else self.current
        article = self.group.articles.get(number)
        if article is None:
            return line(f"423 No such article number {number}") if words else self._invalid()
        return number, article

    def _by_id(self, word: str) -> tuple[int, Article] | Answer:
        if not _is_message_id(word):
            return BAD_ID
        found = self._store.find(word)
        if found is None:
            return NO_SUCH_ID
        article, places = found
        return (0, article) if any(map(self._allowed, places)) else DENIED

    def _invalid(self) -> Answer:
        return line(f"420 Current article number {self.current} is invalid")

    def _move(self, step: int) -> Answer:
        if self.group is None:
            return NOT_SELECTED
        if self.current not in self.group.articles:
            return self._invalid()
        numbers = self.group.numbers()
        at = numbers.index(self.current) + step
        if not 0 <= at < len(numbers):
            return line("421 No next article to retrieve" if step > 0 else "422 No previous article to retrieve")
        self.current = numbers[at]
        article = self.group.articles[self.current]
        return line(f"223 {self.current} {article.message_id} Article retrieved; request text separately")

    # The overview, and header fields

    def _over(self, verb: str, words: list[str]) -> Answer:
        if words and _is_message_id(words[0]):
            return line("503 Overview by Message-ID unsupported")
        found = self._range(verb, words)
        if isinstance(found, Answer):
            return found
        text, numbers = found
        assert self.group
        if numbers:
            articles = ((number, self.group.articles[number]) for number in numbers)
            return block(f"224 Overview information for {text} follows", (overview_row(*named) for named in articles))
        return block(f"224 No articles in {text}", ()) if verb == "XOVER" else line(f"423 No articles in {text}")

    def _range(self, verb: str, words: list[str]) -> tuple[str, list[int]] | Answer:
        """The range as it was written, and the numbers in it that are there; without one, the current article."""
        if self.group is None:
            return NOT_SELECTED
        if not words:
            return (str(self.current), [self.current]) if self.current in self.group.articles else self._invalid()
        span = parse_range(words[0])
        if span is None:
            return BAD_ID if verb in _TAKE_IDS and "-" not in words[0] else BAD_RANGE
        return words[0], self.group.numbers(*span)

    def _header(self, verb: str, name: str, where: list[str], pattern: str = "") -> Answer:
        """HDR, XHDR, and XPAT, which shows the values that fit its pattern."""
        if name.startswith(":") and name.lower() not in METADATA:
            return line("503 Unsupported metadata request")
        if ":" in name[1:]:
            return line("501 Syntax error in header field name")
        by_id = bool(where) and _is_message_id(where[0])
        found = self._named_by_id(verb, name, where[0]) if by_id else self._named(verb, where)
        if isinstance(found, Answer):
            return found
        values = [(label, value_of(article, name)) for label, article in found]
        if verb != "HDR" and (by_id or name.lower() not in FROM_OVERVIEW):
            values = [(label, value) for label, value in values if value is not None]
        fits = one_pattern(pattern) if pattern else None
        rows = [f"{label} {value or ''}" for label, value in values if not fits or fits.match(value or "")]
        source = f"Header information for {name} follows (from the article)" if by_id else _source(name, bool(found))
        return block(f"{225 if verb == 'HDR' else 221} {source}", rows)

    def _named_by_id(self, verb: str, name: str, message_id: str) -> list[tuple[str, Article]] | Answer:
        if name.startswith(":"):
            return line("503 Metadata requests by Message-ID unsupported")
        found = self._by_id(message_id)
        return found if isinstance(found, Answer) else [("0" if verb == "HDR" else message_id, found[1])]

    def _named(self, verb: str, where: list[str]) -> list[tuple[str, Article]] | Answer:
        """The articles of a range, each with what its row begins with."""
        span = self._range(verb, where)
        if isinstance(span, Answer):
            return span
        text, numbers = span
        if not numbers and verb == "HDR":
            return line(f"423 No articles in {text}")
        assert self.group
        return [(str(number), self.group.articles[number]) for number in numbers]


def _source(name: str, found: bool) -> str:
    """INN says where it has looked."""
    if name.lower() not in FROM_OVERVIEW:
        return f"{'Header' if found else 'No header'} information for {name} follows (from articles)"
    return f"{'Header' if found else 'No header'} or metadata information for {name} follows (from overview)"


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= _MAX_NUMBER


def _is_message_id(word: str) -> bool:
    return word.startswith("<") and word.endswith(">") and 2 < len(word) <= 250
