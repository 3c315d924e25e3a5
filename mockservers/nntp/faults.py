"""What goes wrong on a news server: the kinds. `mockservers.nntp.wrongs` carries them out.

Each sits on a command, or on `connect`, where it is for the whole conversation. What a client is told instead of an
answer is `reply(...)`; that bytes are late, cut or in pieces is the transport's.
"""

from mockservers.faultkinds import BadFault, Fault, Outcome, fault_kind
from mockservers.nntp.oddnews import odd_articles

# The greeting, and what kind of server it is.


@fault_kind("nntp", sees="a greeting with 400, and the end")
class Busy(Fault):
    """Have no time for anybody."""


@fault_kind("nntp", sees="a greeting with 502, and the end")
class NoPermission(Fault):
    """Let nobody in."""


@fault_kind("nntp", sees="201 in the greeting and to MODE READER, 440 to POST", outcome=Outcome.SUCCESS)
class NoPosting(Fault):
    """Let nobody post."""


@fault_kind(
    "nntp",
    sees="MODE-READER in the capabilities, and 401 MODE-READER to what readers ask, until MODE READER",
    outcome=Outcome.SUCCESS,
)
class Transit(Fault):
    """Begin as a server for other servers (RFC 3977 section 3.4.2)."""


@fault_kind("nntp", sees="500 to these commands, which are in no list either", outcome=Outcome.SUCCESS)
class Without(Fault):
    """Not have some commands, with blanks between them."""

    verbs: str = "OVER"


@fault_kind("nntp", trigger="CAPABILITIES", sees="another VERSION than 2 in the capabilities", outcome=Outcome.EITHER)
class Version(Fault):
    """Be of that version of the protocol."""

    number: int = 1


# Who may ask, and for how long.


@fault_kind(
    "nntp", trigger="*", sees="480 until it has logged in; not to AUTHINFO, STARTTLS and QUIT", outcome=Outcome.EITHER
)
class LoginRequired(Fault):
    """Want a login for what needs none."""


@fault_kind("nntp", trigger="GROUP", sees="480, although it has logged in; it may log in again", outcome=Outcome.EITHER)
class LoginLost(Fault):
    """Forget who the client is."""


@fault_kind(
    "nntp",
    trigger="*",
    sees="483 until it has begun TLS; not to STARTTLS, CAPABILITIES and QUIT",
    outcome=Outcome.EITHER,
)
class TlsRequired(Fault):
    """Want TLS first."""


@fault_kind("nntp", trigger="*", sees="400 in place of the reply, and the end")
class Closing(Fault):
    """Have to leave."""


# Groups that are not what they seem.


@fault_kind("nntp", trigger="GROUP", sees="a group without articles, in one of its forms: `0 6 5`, `0 0 0`, `0 1 5`")
class Empty(Fault):
    """Have no articles, and say so as (a), (b) or (c) of RFC 3977 section 6.1.1.2."""

    form: str = "a"

    def check(self) -> None:
        if self.form not in ("a", "b", "c"):
            raise BadFault(f"empty: expected form as a, b or c, got {self.form}")


@fault_kind("nntp", trigger="GROUP", sees="423 to the newest numbers; the high mark is as it was", outcome=Outcome.ANY)
class Holes(Fault):
    """Have lost the newest articles."""

    count: int = 1


@fault_kind("nntp", trigger="GROUP", sees="a count and marks as if all was there, and 423 to each number")
class Phantom(Fault):
    """Have lost all articles, and not have noticed."""


@fault_kind(
    "nntp", trigger="GROUP", sees="a high mark that has fallen; with a TIMES it rises again", outcome=Outcome.ANY
)
class Lowered(Fault):
    """Say less than the time before."""

    by: int = 1


@fault_kind("nntp", trigger="GROUP", sees="a count that is too large", outcome=Outcome.SUCCESS)
class Overcount(Fault):
    """Say more than there is."""

    by: int = 10


@fault_kind("nntp", trigger="GROUP", sees="another group's name in the reply", outcome=Outcome.EITHER)
class WrongGroup(Fault):
    """Name another group."""


# Articles that are not there, or are others.


@fault_kind(
    "nntp",
    trigger="ARTICLE",
    sees="423 to an article that was there when GROUP was asked, and it stays away",
    outcome=Outcome.ANY,
)
class Vanished(Fault):
    """Lose the article just before it is asked for."""


@fault_kind(
    "nntp", trigger="ARTICLE", sees="the code of a missing article where another one was due", outcome=Outcome.ANY
)
class Missing(Fault):
    """Say that there is no such article: 423 (number), 430 (Message-ID) or 420 (no current one)."""

    code: int = 430

    def check(self) -> None:
        if self.code not in (420, 423, 430):
            raise BadFault(f"missing: expected code as 420, 423 or 430, got {self.code}")


@fault_kind(
    "nntp", trigger="ARTICLE", sees="another article, under that one's number and Message-ID", outcome=Outcome.ANY
)
class WrongArticle(Fault):
    """Give another article of the group."""


@fault_kind("nntp", trigger="ARTICLE", sees="an article that is hard to read (`odd_articles`)", outcome=Outcome.ANY)
class OddArticle(Fault):
    """Give a certain odd article instead."""

    kind: str = "yenc"

    def check(self) -> None:
        if self.kind not in odd_articles():
            raise BadFault(f"odd_article: expected kind as {', '.join(odd_articles())}, got {self.kind}")


# The overview.


@fault_kind("nntp", trigger="OVER", sees="a last row without its last fields", outcome=Outcome.EITHER)
class ShortRow(Fault):
    """Cut so many fields off the last row."""

    fields: int = 3


@fault_kind("nntp", trigger="OVER", sees="a last row with one field too many", outcome=Outcome.EITHER)
class TabInSubject(Fault):
    """Leave a TAB in a subject."""


@fault_kind("nntp", trigger="OVER", sees="a last row in two lines", outcome=Outcome.EITHER)
class NewlineInSubject(Fault):
    """Leave a CRLF in a subject."""


@fault_kind("nntp", trigger="OVER", sees="bytes in the last row that are not UTF-8", outcome=Outcome.EITHER)
class RawSubject(Fault):
    """Have a subject in Latin-1, undeclared."""


@fault_kind("nntp", trigger="OVER", sees="a last row whose number is none", outcome=Outcome.EITHER)
class BadNumber(Fault):
    """Have letters for a number."""


@fault_kind(
    "nntp",
    trigger="LIST",
    sees="`:bytes` and `:lines` in LIST OVERVIEW.FMT, not `Bytes:` and `Lines:`",
    outcome=Outcome.SUCCESS,
)
class MetadataNames(Fault):
    """Name the metadata as RFC 3977 section 8.4 prefers it; slrn knows the older names only."""


# How replies are written.


@fault_kind("nntp", trigger="ARTICLE", sees="a block without its last line, the dot, then silence")
class NoTerminator(Fault):
    """Forget the dot at the end of a block."""


@fault_kind(
    "nntp",
    trigger="ARTICLE",
    sees="an end of the block at its first lone dot, and lines that are no replies",
    outcome=Outcome.ANY,
)
class UndoubledDot(Fault):
    """Forget to double the dots that begin a line."""


@fault_kind("nntp", trigger="ARTICLE", sees="lines that end in LF alone", outcome=Outcome.EITHER)
class BareLf(Fault):
    """Write no CR."""


@fault_kind("nntp", trigger="ARTICLE", sees="each CR in one segment, its LF in the next", outcome=Outcome.SUCCESS)
class SplitCrlf(Fault):
    """Cut the reply between CR and LF, and wait there."""

    seconds: float = 0.001


@fault_kind(
    "nntp",
    trigger="ARTICLE",
    sees="the status line, a pause, then the block: as INN and Nagle do it",
    outcome=Outcome.SUCCESS,
)
class SplitStatus(Fault):
    """Write the status line and the block in two segments."""

    seconds: float = 0.04


@fault_kind(
    "nntp", trigger="GROUP", sees="no answer to the commands that came in the same packet", outcome=Outcome.EITHER
)
class PipelineLost(Fault):
    """Forget what has come along with the command."""


# Articles that come in, and TLS.


@fault_kind("nntp", trigger="POST", sees="340, and 441 when the article is there")
class PostRefused(Fault):
    """Not take an article after all."""


@fault_kind("nntp", trigger="POST", sees="340, and the end when the article is there, which is in the group")
class PostUnanswered(Fault):
    """Take an article, and not say so."""


@fault_kind("nntp", trigger="STARTTLS", sees="lines in clear text in the same packet as the 382, before good TLS")
class InjectedReply(Fault):
    """Let somebody between answer, in clear text, what the client will ask inside TLS."""
