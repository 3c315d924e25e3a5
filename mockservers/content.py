"""What the servers have to offer without a word of configuration."""

import struct
from datetime import UTC, datetime
from functools import cache

USER = "user"
PASSWORD = "password"

MIB = 1 << 20


def ftp_files() -> dict[str, bytes]:
    """`/welcome.txt` and `/pub/data.bin`, 1 MiB in which no two neighbouring blocks are alike."""
    return {"/welcome.txt": b"Welcome to the mock FTP server.\r\n", "/pub/data.bin": _numbers()}


@cache
def _numbers() -> bytes:
    """Made once: it takes longer than all else of a server's start."""
    return struct.pack(f">{MIB // 4}I", *range(MIB // 4))


FTP_FOLDERS = ("/", "/pub", "/incoming")

NEWS_HOST = "mock.example.test"
NEWS_MARKS = {"misc.cancelled": (1, 2)}
NEWS_DESCRIPTIONS = {
    "misc.test": "Five articles to read",
    "misc.empty": "No articles at all",
    "misc.cancelled": "The newest article is gone",
    "private.test": "For members",
}

FTP_TIME = datetime(2026, 11, 22, 18, 4, 11, tzinfo=UTC)
"""When all of it was modified."""

_HEAD = "Path: mock.example.test!not-for-mail\r\nFrom: {sender}\r\nNewsgroups: {group}\r\nSubject: {subject}\r\n"
_TAIL = "Date: {date}\r\nMessage-ID: {id}\r\nXref: mock.example.test {group}:{number}\r\n{extra}\r\n"


def article(
    number: int,
    subject: str,
    body: str,
    *,
    group: str = "misc.test",
    sender: str = "Ada L. <ada@example.test>",
    extra: str = "",
) -> bytes:
    """An article as it is stored: CRLF, not dot-stuffed."""
    date = f"Sun, 22 Nov 2026 18:0{number % 10}:00 +0100"
    head = (_HEAD + _TAIL).format(
        sender=sender,
        group=group,
        number=number,
        subject=subject,
        date=date,
        id=f"<{number}.{group}@example.test>",
        extra=extra,
    )
    return (head + body.replace("\n", "\r\n")).encode("utf-8")


def news_groups() -> dict[str, dict[int, bytes]]:
    """misc.test with five articles, misc.empty, misc.cancelled whose newest is gone, and private.test."""
    quoted = (
        "On Sun, 22 Nov 2026, Bob wrote:\n> Why does pickling fail\n> for slots?\n\n\n"
        "You need __getstate__ only when __slots__ is there\nand there is no __dict__.\n\n"
        ">>> class A:\n...     __slots__ = ('x',)\n\n-- \nAda\n"
    )
    flowed = "This paragraph is flowed: it goes on \nin the next line, and ends here.\n"
    utf8 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    reply = "References: <1.misc.test@example.test>\r\n"
    return {
        "misc.test": {
            1: article(1, "slots and pickling", "Why does pickling fail for slots?\n"),
            2: article(2, "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=", "Viele Grüße aus Köln.\n", extra=utf8),
            3: article(3, "flowed", flowed, extra=utf8.replace("utf-8", "utf-8; format=flowed")),
            4: article(4, "dots", ".\n..two dots\n.one dot\nthe end\n"),
            5: article(5, "Re: slots and pickling", quoted, extra=reply),
        },
        "misc.empty": {},
        "misc.cancelled": {1: article(1, "still here", "This one was not cancelled.\n", group="misc.cancelled")},
        "private.test": {1: article(1, "for members", "Only after a login.\n", group="private.test")},
    }
