"""The commands that the server knows, and what they take: RFC 3977, 4642, 4643, 8054, and 2980 for those with an X."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """`arguments` as HELP shows them; `least` to `most` words are taken."""

    arguments: str = ""
    least: int = 0
    most: int = 0


_ONE_ARTICLE = Usage("[message-ID|number]", 0, 1)
_WILDMATS = "ACTIVE [wildmat]|ACTIVE.TIMES [wildmat]|COUNTS [wildmat]|DISTRIB.PATS"

COMMANDS: dict[str, Usage] = {
    "ARTICLE": _ONE_ARTICLE,
    "AUTHINFO": Usage("USER name|PASS password|SASL PLAIN [initial-response]", 2, 99),
    "BODY": _ONE_ARTICLE,
    "CAPABILITIES": Usage("[keyword]", 0, 1),
    "COMPRESS": Usage("DEFLATE", 1, 1),
    "DATE": Usage(),
    "GROUP": Usage("newsgroup", 1, 1),
    "HDR": Usage("header [message-ID|range]", 1, 2),
    "HEAD": _ONE_ARTICLE,
    "HELP": Usage(),
    "IHAVE": Usage("message-ID", 1, 1),
    "LAST": Usage(),
    "LIST": Usage(f"[{_WILDMATS}|HEADERS [MSGID|RANGE]|MOTD|NEWSGROUPS [wildmat]|OVERVIEW.FMT]", 0, 2),
    "LISTGROUP": Usage("[newsgroup [range]]", 0, 2),
    "MODE": Usage("READER", 1, 1),
    "NEWGROUPS": Usage("[yy]yymmdd hhmmss [GMT]", 2, 3),
    "NEWNEWS": Usage("wildmat [yy]yymmdd hhmmss [GMT]", 3, 4),
    "NEXT": Usage(),
    "OVER": Usage("[range]", 0, 1),
    "POST": Usage(),
    "QUIT": Usage(),
    "STARTTLS": Usage(),
    "STAT": _ONE_ARTICLE,
    "XHDR": Usage("header [message-ID|range]", 1, 2),
    "XOVER": Usage("[range]", 0, 1),
    "XPAT": Usage("header message-ID|range pattern [pattern ...]", 3, 99),
}


def help_lines(known: frozenset[str]) -> list[str]:
    """What HELP shows."""
    return [f"  {verb} {COMMANDS[verb].arguments}".rstrip() for verb in sorted(known)]


def wrong_usage(verb: str, count: int) -> str | None:
    """What is wrong with so many arguments; None = nothing."""
    usage = COMMANDS[verb]
    if usage.least <= count <= usage.most:
        return None
    return f"Syntax is: {verb} {usage.arguments or '(no argument allowed)'}"
