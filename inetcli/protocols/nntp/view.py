"""An article as text and as JSON."""

from inetcli.protocols.nntp.model import Article, Excerpt, Filter
from inetcli.wire.escape import escape

INDENT = "    "
"""The indent of the text in the output of the book's script."""


def format_excerpt(excerpt: Excerpt) -> list[str]:
    """Format the head, a blank line, and the lines; TABs of the author stay."""
    article = excerpt.article
    indent = INDENT if excerpt.filter is Filter.CHUN else ""
    head = [
        f"From: {escape(article.sender)}",
        f"Subject: {escape(article.subject)}",
        f"Date: {_date(article)}",
        "",
    ]
    return head + [indent + escape(line, keep_tab=True) if line else "" for line in excerpt.lines]


def format_summary(excerpt: Excerpt) -> str:
    """Format the last line: `[48213 <k2@example.org>: left out 26 quoted lines; 11 more lines: --lines 40]`."""
    article = excerpt.article
    facts = []
    if excerpt.omitted:
        facts.append(f"left out {excerpt.omitted} quoted lines")
    if excerpt.more:
        facts.append(
            f"{excerpt.more} more lines: --lines {len([line for line in excerpt.lines if line]) + excerpt.more}"
        )
    name = f"{article.number} {article.message_id}".strip()
    return escape(f"[{name}: {'; '.join(facts)}]" if facts else f"[{name}]")


def excerpt_to_json(excerpt: Excerpt) -> dict[str, object]:
    """Return the fields of `nntp latest` besides the common ones."""
    article = excerpt.article
    return {
        "group": article.group,
        "number": article.number,
        "message_id": article.message_id,
        "from": article.sender,
        "subject": article.subject,
        "date": article.date.strftime("%Y-%m-%dT%H:%M:%SZ") if article.date else None,
        "lines": list(excerpt.lines),
        "kind": str(article.kind),
        "omitted": excerpt.omitted,
    }


def _date(article: Article) -> str:
    return article.date.strftime("%Y-%m-%d %H:%M:%S UTC") if article.date else escape(article.date_text)
