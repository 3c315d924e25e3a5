"""Articles from bytes: heads that are odd, charsets that are wrong, bodies that are no text; and the book's filter."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.protocols.nntp.article import parse_article
from inetcli.protocols.nntp.filter import excerpt
from inetcli.protocols.nntp.model import Article, ArticleKind
from inetcli.protocols.nntp.view import format_excerpt, format_summary


def article(text: str | bytes) -> Article:
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return parse_article(data.split(b"\n"), "misc.test", 7)


def test_parse_article_reads_head_and_text() -> None:
    parsed = article(
        "Path: x\nFrom: Ada <a@b>\nSubject: folded\n  subject\nSUBJECT: second\nDate: Sun, 22 Nov 2026 19:04:11 +0100\n"
        "Message-ID: <1@x>\n\nline one\n\nline two\n\n\n"
    )
    assert (parsed.group, parsed.number, parsed.message_id) == ("misc.test", 7, "<1@x>")
    assert (parsed.sender, parsed.subject) == ("Ada <a@b>", "folded subject")
    assert parsed.date == datetime(2026, 11, 22, 18, 4, 11, tzinfo=UTC)
    assert parsed.lines == ("line one", "", "line two")
    assert parsed.kind is ArticleKind.TEXT


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        (b"Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        (b"Subject: =?iso-8859-1?B?R3L8?= plain", "Grü plain"),
        (b"Subject: Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"Subject: Gr\xfc\xdfe", "Grüße"),
        (b"Subject: =?x-unknown?Q?a=FCb?=", "aüb"),
        (b"Subject: =?utf-8?B?###?=", "=?utf-8?B?###?="),
        (b"Subject:", ""),
        (b"X: y", ""),
    ],
)
def test_subjects_of_every_kind(raw: bytes, subject: str) -> None:
    assert article(raw + b"\n\nbody").subject == subject


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("22 Nov 2026 18:04 GMT", datetime(2026, 11, 22, 18, 4, tzinfo=UTC)),
        ("Sun, 22 Nov 2026 18:04:11 -0000", datetime(2026, 11, 22, 18, 4, 11, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Sun, 99 Nov 2026 18:04:11 +0000", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
    ],
)
def test_dates_of_every_kind(date: str, expected: datetime | None) -> None:
    parsed = article(f"Date: {date}\n\nx")
    assert (parsed.date, parsed.date_text) == (expected, date)


MIME = "MIME-Version: 1.0\nContent-Type: "


@pytest.mark.parametrize(
    ("head", "body", "lines"),
    [
        ("text/plain; charset=iso-8859-1", b"Gr\xfc\xdfe", ("Grüße",)),
        ("text/plain; charset=no-such", "Grüße".encode(), ("Grüße",)),
        ("text/plain; charset=utf-8", b"\xff\xfe", ("ÿþ",)),
        ("text/plain; charset=us-ascii", b"Gr\xfc\xdfe", ("Grüße",)),
        ("text/plain\nContent-Transfer-Encoding: base64", b"bGluZQ0KdHdv", ("line", "two")),
        ("text/plain\nContent-Transfer-Encoding: quoted-printable", b"a=3Db=\nc", ("a=bc",)),
        ("text/plain\nContent-Transfer-Encoding: base64", b"@@@@", ()),
        ('text/plain; charset="', b"x", ("x",)),
        ("text/html", b"<p>a &lt;b&gt;</p><script>x</script>c<br>d", ("a <b>", "c", "d")),
        ("image/png", b"x", ()),
        ("multipart/mixed; boundary=B", b"--B\nContent-Type: text/html\n\n<b>h</b>\n--B\n\nplain\n--B--", ("plain",)),
        ("multipart/mixed", b"no boundary", ()),
    ],
)
def test_bodies_of_every_kind(head: str, body: bytes, lines: tuple[str, ...]) -> None:
    assert article((MIME + head + "\n\n").encode() + body).lines == lines


def test_article_without_a_body() -> None:
    assert article("Subject: x").lines == ()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("=ybegin line=128 size=3 name=a\nxxx\n=yend", ArticleKind.YENC),
        ("begin 644 a.bin\n#86%A\nend", ArticleKind.UUENCODE),
    ],
)
def test_binary_articles_are_summarized(body: str, kind: ArticleKind) -> None:
    shown = excerpt(article(f"Subject: x\n\n{body}"))
    assert shown.article.kind is kind
    assert shown.lines == (f"binary ({kind}, 3 lines)",)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_make_an_article(data: bytes) -> None:
    shown = excerpt(parse_article(data.split(b"\n"), "g", None))
    for line in [*format_excerpt(shown), format_summary(shown)]:
        assert "\x1b" not in line
        line.encode("utf-8")
