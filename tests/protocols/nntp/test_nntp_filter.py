"""The meaningful lines of a text: the book's filter, and what is counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.protocols.nntp.article import parse_article
from inetcli.protocols.nntp.filter import excerpt, is_quote
from inetcli.protocols.nntp.model import Article, ArticleKind, Filter


def article(text: str | bytes) -> Article:
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return parse_article(data.split(b"\n"), "misc.test", 7)


BOOK = [
    ("> quoted", True),
    (">>> prompt", False),
    (">> deeper", True),
    ("|bar", True),
    ("In article <x>, Ada", True),
    ("in article 5 of the treaty", True),
    ("Ada writes:", True),
    ("Ada WROTE:", True),
    ("As Plato wrote: this", False),
    (" > indented", False),
    ("", False),
    ("text", False),
]


@pytest.mark.parametrize(("line", "dropped"), BOOK)
def test_the_books_filter_line_by_line(line: str, dropped: bool) -> None:
    assert is_quote(line) is dropped


def the_books_loop(lines: list[str], limit: int = 20) -> list[str]:
    """The script's own loop, with its counter and its flag, for comparison."""
    shown: list[str] = []
    count = 0
    last_blank = True
    for line in (text.rstrip() for text in lines):
        if line:
            lower = line.lower()
            if lower.startswith(">") and not lower.startswith(">>>"):
                continue
            if lower.startswith(("|", "in article")) or lower.endswith(("writes:", "wrote:")):
                continue
        if not last_blank or (last_blank and line):
            shown.append(line)
            if line:
                count += 1
                last_blank = False
            else:
                last_blank = True
        if count == limit:
            break
    return shown


WORDS = st.sampled_from(["", " ", "text", "> q", ">>> p", "| b", "x wrote:", "In article 3", "more  ", "\ttab"])


@given(st.lists(WORDS, max_size=60))
def test_filter_equals_the_loop_of_the_book(lines: list[str]) -> None:
    parsed = article("Subject: x\n\n" + "\n".join(lines))
    expected = the_books_loop(list(parsed.lines))
    while expected and not expected[-1]:
        expected.pop()  # a blank line at the very end is printed by the script, and seen by nobody
    assert list(excerpt(parsed).lines) == expected


def test_omitted_and_more_are_counted_apart() -> None:
    parsed = article("Subject: x\n\n> a\n> b\n" + "".join(f"line {n}\n" for n in range(30)))
    shown = excerpt(parsed, limit=20)
    assert (len(shown.lines), shown.omitted, shown.more) == (20, 2, 10)
    everything = excerpt(parsed, Filter.NONE, 100)
    assert (everything.omitted, everything.more, everything.lines[0]) == (0, 0, "> a")


@pytest.mark.parametrize(
    ("limit", "lines", "more"),
    [
        (0, (), 3),
        (1, ("one",), 2),
        (2, ("one", "", "two"), 1),
        (3, ("one", "", "two", "", "three"), 0),
        (4, ("one", "", "two", "", "three"), 0),
    ],
)
def test_blank_lines_do_not_count_and_none_is_left_at_an_end(limit: int, lines: tuple[str, ...], more: int) -> None:
    parsed = article("Subject: x\n\n\n\none\n\n\n\ntwo \n\nthree\n\n")
    shown = excerpt(parsed, limit=limit)
    assert (shown.lines, shown.more, shown.omitted) == (lines, more, 0)


def test_without_a_filter_the_lines_are_the_authors() -> None:
    parsed = article("Subject: x\n\n> quoted\n\n\ntwo  \n")
    assert excerpt(parsed, Filter.NONE).lines == ("> quoted", "", "", "two")


@pytest.mark.parametrize("kind", [ArticleKind.YENC, ArticleKind.UUENCODE])
@pytest.mark.parametrize("chosen", list(Filter))
def test_a_binary_is_one_line_that_says_so(kind: ArticleKind, chosen: Filter) -> None:
    binary = Article("g", 1, "<a@b>", "a", "b", None, "", ("x", " ", "y"), kind)
    shown = excerpt(binary, chosen)
    assert (shown.lines, shown.omitted, shown.more) == ((f"binary ({kind}, 2 lines)",), 0, 0)
