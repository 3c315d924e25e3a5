"""The objects of NNTP: groups and articles."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ArticleKind(StrEnum):
    """The format of an article's text."""

    TEXT = "text"
    YENC = "yenc"
    UUENCODE = "uuencode"
    HTML = "html"


class Filter(StrEnum):
    """The filter for lines: `chun` drops quotes, attributions and repeated blank lines like the book's script; `none`
    drops nothing."""

    CHUN = "chun"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """A selected group: its estimated number of articles, and its marks (RFC 3977 section 6.1.1)."""

    name: str
    count: int
    low: int
    high: int

    @property
    def empty(self) -> bool:
        """Whether the group is empty, in any of the three forms of section 6.1.1.2."""
        return self.count == 0 or self.high < self.low or self.high == 0


@dataclass(frozen=True, slots=True)
class Article:
    """An article: its decoded head, its text as lines.

    `date` is None if it cannot be parsed; `date_text` is the field as received.
    """

    group: str
    number: int | None
    message_id: str
    sender: str
    subject: str
    date: datetime | None
    date_text: str
    lines: tuple[str, ...]
    kind: ArticleKind


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The meaningful lines of an article. `omitted` counts the non-blank lines that the filter dropped, `more` the
    lines beyond the limit."""

    article: Article
    lines: tuple[str, ...]
    omitted: int
    more: int
    filter: Filter
