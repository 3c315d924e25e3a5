"""The meaningful lines of a text.

`chun` is exactly the filter of the newest-article script in "Core Python Applications Programming" (W. Chun). A line is
dropped if it starts with ">" but not with ">>>" (Python's prompt), with "|", or with "in article" in any case, or if it
ends in "writes:" or "wrote:". Of consecutive blank lines one is kept, and none at the start; only non-blank lines count
towards the limit.
"""

from collections.abc import Iterator, Sequence

from inetcli.defaults import LINES
from inetcli.protocols.nntp.model import Article, ArticleKind, Excerpt, Filter


def excerpt(article: Article, kind: Filter = Filter.CHUN, limit: int = LINES) -> Excerpt:
    """Return the first `limit` meaningful lines. For yEnc and uuencode, return one line with the kind and the size."""
    if article.kind in (ArticleKind.YENC, ArticleKind.UUENCODE):
        size = sum(1 for line in article.lines if line.strip())
        return Excerpt(article, (f"binary ({article.kind}, {size} lines)",), 0, 0, kind)
    lines = [line.rstrip() for line in article.lines]
    kept = lines if kind is Filter.NONE else [line for line in lines if not is_quote(line)]
    omitted = sum(1 for line in lines if line) - sum(1 for line in kept if line)
    shown = tuple(_limit_lines(kept if kind is Filter.NONE else list(_squeeze_blank_lines(kept)), limit))
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


def _squeeze_blank_lines(lines: Sequence[str]) -> Iterator[str]:
    blank = True
    for line in lines:
        if line or not blank:
            yield line
        blank = not line


def _limit_lines(lines: Sequence[str], limit: int) -> Iterator[str]:
    """Yield lines up to the `limit`-th non-blank line; trailing blank lines are omitted."""
    count = 0
    pending_blanks = 0
    for line in lines:
        if not line:
            pending_blanks += 1
            continue
        if count == limit:
            return
        yield from [""] * pending_blanks
        pending_blanks = 0
        count += 1
        yield line
