"""What NNTP talks about: groups, and articles as people read them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ArticleKind(StrEnum):
    """What an article's text is."""

    TEXT = "text"
    YENC = "yenc"
    UUENCODE = "uuencode"
    HTML = "html"


class Filter(StrEnum):
    """What is left out: quotes, attributions and repeated blank lines as the book's script does, or nothing."""

    CHUN = "chun"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Group:
    """A selected group: an estimate of its articles, and its marks (RFC 3977 section 6.1.1)."""

    name: str
    count: int
    low: int
    high: int

    @property
    def empty(self) -> bool:
        """Whether the server says that there is no article: each of the three forms of section 6.1.1.2."""
        return self.count == 0 or self.high < self.low or self.high == 0


@dataclass(frozen=True, slots=True)
class Article:
    """An article: its head decoded, its text as lines.

    `date` is None when it cannot be read; `date_text` is how it stands there.
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
    """The meaningful lines of an article. `omitted` counts non-blank lines that the filter dropped, `more` those that
    the limit cut off."""

    article: Article
    lines: tuple[str, ...]
    omitted: int
    more: int
    filter: Filter
