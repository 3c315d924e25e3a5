"""The overview, and single header fields (RFC 3977 sections 8.3 to 8.6; RFC 2980 for the forms that begin with X).

A row has the number, the fields of `FORMAT`, and TABs between them. A value is unfolded; TAB, CR, LF and NUL in it
become blanks. The names in the format are the older ones, `Bytes:` and `Lines:`, as INN has them: slrn uses no overview
that is described otherwise.
"""

import re

from mockservers.nntp.article import Article

FIELDS = ("Subject", "From", "Date", "Message-ID", "References")
FORMAT = (*(f"{name}:" for name in FIELDS), "Bytes:", "Lines:", "Xref:full")
METADATA = (":bytes", ":lines")
FROM_OVERVIEW = frozenset(name.lower() for name in (*FIELDS, *METADATA, "Xref"))
"""What HDR finds in the overview; all else it takes from the articles."""

_BLANKS = re.compile(r"[\t\r\n\0]")
_RANGE = re.compile(r"(\d{0,16})(-?)(\d{0,16})", re.ASCII)


def overview_row(number: int, article: Article) -> bytes:
    """The line of one article."""
    xref = article.field("Xref")
    values = [value_of(article, name) or "" for name in (*FIELDS, *METADATA)]
    row = [str(number), *values, f"Xref: {clean(xref)}" if xref else ""]
    return "\t".join(row).encode("utf-8", "surrogateescape")


def value_of(article: Article, name: str) -> str | None:
    """A header field, or a metadata item, as OVER and HDR give it. None: there is no such field."""
    match name.lower():
        case ":bytes":
            return str(len(article.raw))
        case ":lines":
            return str(article.lines)
        case _:
            value = article.field(name)
            return None if value is None else clean(value)


def clean(value: str) -> str:
    """A value that fits into one field of one row."""
    return _BLANKS.sub(" ", value.replace("\r\n", ""))


def parse_range(text: str) -> tuple[int, int | None] | None:
    """`5`, `5-`, `5-7`, and INN's `-7` and `-`: first and last, None = no last. None: it is no range."""
    match = _RANGE.fullmatch(text)
    if not match or not text:
        return None
    if not match[2]:
        return None if match[3] else (int(match[1]), int(match[1]))
    first = int(match[1] or 1)
    return first, int(match[3]) if match[3] else None
