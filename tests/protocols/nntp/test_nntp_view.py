"""An article as the lines people see, and as JSON."""

from datetime import UTC, datetime

import pytest

from inetcli.protocols.nntp.article import parse_article
from inetcli.protocols.nntp.filter import excerpt
from inetcli.protocols.nntp.model import Article, ArticleKind, Excerpt, Filter
from inetcli.protocols.nntp.view import excerpt_to_json, format_excerpt, format_summary


def article(text: str | bytes) -> Article:
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return parse_article(data.split(b"\n"), "misc.test", 7)


def test_the_view_indents_text_and_not_json() -> None:
    shown = excerpt(article("From: a\nSubject: \x1b[1mb\nDate: never\n\n\tone\x07\n\ntwo"))
    assert format_excerpt(shown) == [
        "From: a",
        "Subject: \\x1b[1mb",
        "Date: never",
        "",
        "    \tone\\x07",
        "",
        "    two",
    ]
    record = excerpt_to_json(shown)
    assert record["lines"] == ["\tone\x07", "", "two"]
    assert record["date"] is None
    assert set(record) == {
        "group",
        "number",
        "message_id",
        "from",
        "subject",
        "date",
        "lines",
        "kind",
        "omitted",
    }


NOTHING = Article("misc.test", 48213, "<k2@example.org>", "a", "b", None, "", (), ArticleKind.TEXT)


@pytest.mark.parametrize(
    ("lines", "omitted", "more", "shown"),
    [
        (("x", "", "y"), 26, 11, "[48213 <k2@example.org>: left out 26 quoted lines; 11 more lines: --lines 13]"),
        (("x",), 0, 1, "[48213 <k2@example.org>: 1 more lines: --lines 2]"),
        ((), 0, 0, "[48213 <k2@example.org>]"),
    ],
)
def test_format_rest_says_what_is_not_shown(lines: tuple[str, ...], omitted: int, more: int, shown: str) -> None:
    assert format_summary(Excerpt(NOTHING, lines, omitted, more, Filter.CHUN)) == shown


def test_format_excerpt_without_a_filter_is_not_indented() -> None:
    shown = excerpt(article("From: a\nSubject: b\nDate: Sun, 22 Nov 2026 18:04:11 +0100\n\none\n\n> two"), Filter.NONE)
    assert format_excerpt(shown) == ["From: a", "Subject: b", "Date: 2026-11-22 17:04:11 UTC", "", "one", "", "> two"]


def test_excerpt_to_json_has_the_date_in_utc() -> None:
    dated = Article(
        "g", None, "<a@b>", "a", "b", datetime(2026, 11, 22, 17, 4, 11, tzinfo=UTC), "x", (), ArticleKind.HTML
    )
    record = excerpt_to_json(Excerpt(dated, ("x", ""), 3, 9, Filter.CHUN))
    assert record == {
        "group": "g",
        "number": None,
        "message_id": "<a@b>",
        "from": "a",
        "subject": "b",
        "date": "2026-11-22T17:04:11Z",
        "lines": ["x", ""],
        "kind": "html",
        "omitted": 3,
    }
