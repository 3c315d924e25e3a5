"""LIST and its keywords, NEWGROUPS and NEWNEWS (RFC 3977 sections 7.3 to 7.6, 8.4, 8.6; RFC 6048).

`Lists` knows the groups that a client may see. A pattern that nothing fits gives an empty list, and is no mistake.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from mockservers.nntp.overview import FORMAT, METADATA
from mockservers.nntp.reply import Answer, block, line
from mockservers.nntp.store import Group, NewsStore
from mockservers.nntp.wildmat import Wildmat

KEYWORDS = ("ACTIVE", "ACTIVE.TIMES", "COUNTS", "DISTRIB.PATS", "HEADERS", "MOTD", "NEWSGROUPS", "OVERVIEW.FMT")
_WITH_WILDMAT = ("ACTIVE", "ACTIVE.TIMES", "COUNTS", "NEWSGROUPS")
_DATE = re.compile(r"(\d{2}|\d{4})(\d{2})(\d{2}) (\d{2})(\d{2})(\d{2})", re.ASCII)


class Lists:
    """What there is, for one client. `allowed` tells whether it may see a group."""

    def __init__(
        self, store: NewsStore, allowed: Callable[[str], bool], motd: str, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._allowed = allowed
        self._motd = motd
        self._now = now

    def answer(self, verb: str, words: list[str]) -> Answer:
        """The reply to LIST, NEWGROUPS or NEWNEWS; the number of arguments is right."""
        match verb:
            case "LIST":
                return self._list(words[0].upper() if words else "ACTIVE", words[1:])
            case "NEWGROUPS":
                return self._new_groups(words)
            case _:
                return self._new_news(words[0], words[1:])

    def _groups(self, wildmats: list[str]) -> Iterator[Group]:
        wanted = Wildmat(wildmats[0] if wildmats else "*")
        return (group for group in self._store.by_name() if self._allowed(group.name) and wanted.matches(group.name))

    def _list(self, keyword: str, rest: list[str]) -> Answer:  # noqa: PLR0911 - one for each keyword
        if keyword not in KEYWORDS:
            return line("501 Unknown LIST keyword")
        if rest and keyword not in (*_WITH_WILDMAT, "HEADERS"):
            return line("501 Unexpected wildmat or argument")
        match keyword:
            case "OVERVIEW.FMT":
                return block("215 Order of fields in overview database", FORMAT)
            case "HEADERS":
                return self._headers([word.upper() for word in rest])
            case "MOTD":
                lines = self._motd.splitlines()
                return (
                    block("215 Message of the day text in UTF-8", lines)
                    if lines
                    else line("503 No message of the day available")
                )
            case "DISTRIB.PATS":
                return block('215 Default distributions in form "weight:group-pattern:distribution"', ())
            case _:
                return self._of_groups(keyword, list(self._groups(rest)))

    @staticmethod
    def _headers(rest: list[str]) -> Answer:
        if rest not in ([], ["MSGID"], ["RANGE"]):
            return line("501 Syntax error in arguments")
        return block("215 Headers and metadata items supported", (":", *(METADATA if rest == ["RANGE"] else ())))

    @staticmethod
    def _of_groups(keyword: str, groups: list[Group]) -> Answer:
        match keyword:
            case "ACTIVE":
                rows = [f"{group.name} {group.high:010} {group.low:010} {group.status}" for group in groups]
                return block('215 Newsgroups in form "group high low status"', rows)
            case "COUNTS":
                rows = [f"{group.name} {group.high} {group.low} {group.estimate} {group.status}" for group in groups]
                return block('215 Newsgroups in form "group high low count status"', rows)
            case "NEWSGROUPS":
                rows = [f"{group.name}\t{group.description}" for group in groups if group.description]
                return block('215 Newsgroup descriptions in form "group description"', rows)
            case _:
                rows = [f"{group.name} {int(group.created.timestamp())} mock" for group in groups]
                return block('215 Newsgroup creation times in form "group time who"', rows)

    def _new_groups(self, words: list[str]) -> Answer:
        since = self._since(words)
        if since is None:
            return line("501 Bad date")
        new = [group for group in self._groups([]) if group.created >= since]
        rows = [f"{group.name} {group.high} {group.low} {group.status}" for group in new]
        return block("231 New newsgroups follow", rows)

    def _new_news(self, wildmat: str, words: list[str]) -> Answer:
        since = self._since(words)
        if since is None:
            return line("501 Bad date")
        articles = [article for group in self._groups([wildmat]) for article in group.articles.values()]
        new = dict.fromkeys(article.message_id for article in articles if article.arrived >= since)
        return block("230 New news follows", new)

    def _since(self, words: list[str]) -> datetime | None:
        """`20261122 180411 [GMT]`; a year of two digits is the nearest one that is not in the future (RFC 3977
        section 7.3.2). Server time is UTC."""
        match = _DATE.fullmatch(" ".join(words[:2]))
        if not match or [word.upper() for word in words[2:]] not in ([], ["GMT"]):
            return None
        year, month, day, hour, minute, second = map(int, match.groups())
        if len(match[1]) == 2:
            now = self._now().year
            year += now - now % 100 - (100 if year > now % 100 else 0)
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
