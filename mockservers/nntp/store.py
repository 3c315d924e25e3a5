"""Groups and their articles: what a news server keeps.

Articles come from Python (`{"misc.test": {1: raw}}`, or a list that is counted from 1), from a directory (a folder for
each group; a file is an article, its name the number, and files with other names follow in their order), or by POST and
IHAVE. Numbers only rise: an article that is gone leaves a hole, and the high mark stays (RFC 3977 section 6.1.1.2).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mockservers.nntp.article import Article, Bytes, stored

Articles = Mapping[int, Bytes] | Iterable[Bytes]

MAX_FILE = 64 << 20
"""A file of a directory that is larger is no article."""


@dataclass
class Group:
    """A newsgroup. `low` and `high` are its marks; `count`, when set, is what it says it has."""

    name: str
    created: datetime
    articles: dict[int, Article] = field(default_factory=dict)
    low: int = 1
    high: int = 0
    description: str = ""
    status: str = "y"
    count: int | None = None

    @property
    def estimate(self) -> int:
        """How many articles it says it has."""
        return len(self.articles) if self.count is None else self.count

    def numbers(self, first: int = 0, last: int | None = None) -> list[int]:
        """The numbers of what is there, in order."""
        return [number for number in sorted(self.articles) if first <= number and (last is None or number <= last)]


class NewsStore:
    """All groups of a server. Only the servers' loop changes it while the server runs.

    `history` has the Message-IDs of all articles that were ever there: none is taken twice.
    """

    def __init__(self, groups: Mapping[str, Articles], now: datetime, marks: Mapping[str, tuple[int, int]]) -> None:
        self.groups: dict[str, Group] = {}
        self.history: set[str] = set()
        self._places: dict[str, list[tuple[str, int]]] = {}
        for name, articles in groups.items():
            group = self.groups[name] = Group(name, now)
            numbered = articles if isinstance(articles, Mapping) else dict(enumerate(articles, 1))
            for number, data in numbered.items():
                self._put(Article(stored(data), name, number, now), name, number)
            group.low, group.high = marks.get(name) or _marks(group)

    def by_name(self) -> Iterator[Group]:
        """The groups by name."""
        return (self.groups[name] for name in sorted(self.groups))

    def find(self, message_id: str) -> tuple[Article, list[str]] | None:
        """The article with this Message-ID, and the groups that have it."""
        places = self._places.get(message_id, [])
        return (self.groups[places[0][0]].articles[places[0][1]], [name for name, _ in places]) if places else None

    def next_places(self, names: Iterable[str]) -> list[tuple[str, int]]:
        """The number that the next article would have in each of these groups; unknown groups are left out."""
        return [(name, self.groups[name].high + 1) for name in dict.fromkeys(names) if name in self.groups]

    def add(self, raw: bytes, places: Iterable[tuple[str, int]], arrived: datetime) -> None:
        """Put an article under its number into each of its groups."""
        article: Article | None = None
        for name, number in places:
            article = article or Article(raw, name, number, arrived)
            self.groups[name].high = max(self.groups[name].high, number)
            self._put(article, name, number)

    def _put(self, article: Article, name: str, number: int) -> None:
        self.groups[name].articles[number] = article
        self._places.setdefault(article.message_id, []).append((name, number))
        self.history.add(article.message_id)

    def remove(self, message_id: str) -> bool:
        """Take an article out of all its groups; the marks stay. False when it is not there."""
        places = self._places.pop(message_id, [])
        for name, number in places:
            del self.groups[name].articles[number]
        return bool(places)


def _marks(group: Group) -> tuple[int, int]:
    """An empty group's high mark is one below its low mark."""
    return (min(group.articles), max(group.articles)) if group.articles else (1, 0)


def read_directory(path: Path) -> dict[str, dict[int, bytes]]:
    """The groups of a directory. Names that begin with a dot are left alone. Files with LF alone get CRLF."""
    groups: dict[str, dict[int, bytes]] = {}
    for folder in sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")):
        files = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
        articles = groups[folder.name] = {int(file.name): _read(file) for file in files if _is_number(file.name)}
        for file in files:
            if not _is_number(file.name):
                articles[max(articles, default=0) + 1] = _read(file)
    return groups


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and 0 < int(name) < 1 << 31


def _read(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise ValueError(f"{path}: larger than {MAX_FILE} bytes: that is no article")
    raw = path.read_bytes()
    return raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")
