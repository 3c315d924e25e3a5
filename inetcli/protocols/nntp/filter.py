"""The meaningful lines of a text.

`chun` is the filter of the newest-article script in "Core Python Applications Programming" (W. Chun), to the letter: a
line is dropped when it starts with ">" but not with ">>>" (Python's prompt), with "|", or with "in article" in any
case, or ends in "writes:" or "wrote:"; of blank lines in a row one is kept, and none at the start; only lines that are
not blank count towards the limit.
"""

from collections.abc import Iterator, Sequence

from inetcli.protocols.nntp.model import Article, ArticleKind, Excerpt, Filter

LINES = 20
"""What the book shows."""


def excerpt(article: Article, kind: Filter = Filter.CHUN, limit: int = LINES) -> Excerpt:
    """The first `limit` meaningful lines. Of yEnc and uuencode nothing is: one line says so."""
    if article.kind in (ArticleKind.YENC, ArticleKind.UUENCODE):
        size = sum(1 for line in article.lines if line.strip())
        return Excerpt(article, (f"binary ({article.kind}, {size} lines)",), 0, 0, kind)
    lines = [line.rstrip() for line in article.lines]
    kept = lines if kind is Filter.NONE else [line for line in lines if not is_quote(line)]
    omitted = sum(1 for line in lines if line) - sum(1 for line in kept if line)
    shown = tuple(_first(kept if kind is Filter.NONE else list(_squeeze(kept)), limit))
    more = sum(1 for line in kept if line) - sum(1 for line in shown if line)
    return Excerpt(article, shown, omitted, more, kind)


def is_quote(line: str) -> bool:
    """Whether the book's filter drops a line."""
    lower = line.lower()
    return bool(line) and (
        (lower.startswith(">") and not lower.startswith(">>>"))
        or lower.startswith(("|", "in article"))
        or lower.endswith(("writes:", "wrote:"))
    )


def _squeeze(lines: Sequence[str]) -> Iterator[str]:
    blank = True
    for line in lines:
        if line or not blank:
            yield line
        blank = not line


def _first(lines: Sequence[str], limit: int) -> Iterator[str]:
    """Lines up to the `limit`-th that is not blank; blank ones behind the last are left out."""
    count = 0
    waiting = 0
    for line in lines:
        if not line:
            waiting += 1
            continue
        if count == limit:
            return
        yield from [""] * waiting
        waiting = 0
        count += 1
        yield line
