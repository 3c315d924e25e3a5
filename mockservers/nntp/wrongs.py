"""The faults of `nntp.faults`, carried out: on the group that is selected, on the answer, on the way it is written."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from mockservers.connection import Connection
from mockservers.faultkinds import Fault
from mockservers.nntp.faults import (
    BadNumber,
    BareLf,
    Empty,
    Holes,
    Lowered,
    MetadataNames,
    Missing,
    NewlineInSubject,
    NoTerminator,
    OddArticle,
    Overcount,
    Phantom,
    RawSubject,
    ShortRow,
    SplitCrlf,
    SplitStatus,
    TabInSubject,
    UndoubledDot,
    Vanished,
    WrongArticle,
    WrongGroup,
)
from mockservers.nntp.oddnews import odd_article
from mockservers.nntp.reply import CRLF, Answer, encode_block, encode_status, line
from mockservers.nntp.selection import Selection
from mockservers.nntp.store import Group
from mockservers.script import Shots

F = TypeVar("F", bound=Fault)

ARTICLE_VERBS = ("ARTICLE", "HEAD", "BODY", "STAT")


class Wrongs:
    """What is to go wrong with one command: its own faults, and those of the connection."""

    def __init__(self, client: Connection, shots: Shots | None = None) -> None:
        self._client = client
        self._shots = shots

    def has(self, kind: type[Fault]) -> bool:
        """Whether there is such a fault, without firing it."""
        return bool(self._shots and self._shots.has(kind)) or self._client.armed(kind)

    def first(self, kind: type[F]) -> F | None:
        """The fault of that kind, to be carried out now."""
        return (self._shots and self._shots.first(kind)) or self._client.first(kind)

    # Groups and articles

    def group(self, group: Group) -> Group:
        """The group as the client is to see it; a copy when it is not as it is."""
        if empty := self.first(Empty):
            low, high = {"a": (group.high + 1, group.high), "b": (0, 0), "c": (group.low, max(group.low, group.high))}[
                empty.form
            ]
            return replace(group, articles={}, low=low, high=high)
        if holes := self.first(Holes):
            kept = group.numbers()[: -holes.count or None]
            group = replace(group, articles={number: group.articles[number] for number in kept})
        if self.first(Phantom):
            group = replace(group, articles={}, count=group.estimate)
        if lowered := self.first(Lowered):
            high = max(group.high - lowered.by, group.low)
            group = replace(
                group, articles={number: group.articles[number] for number in group.numbers(0, high)}, high=high
            )
        if over := self.first(Overcount):
            group = replace(group, count=group.estimate + over.by)
        return replace(group, name=f"{group.name}.other") if self.first(WrongGroup) else group

    def ask(self, selection: Selection, verb: str, words: list[str]) -> Answer:
        """The selection's answer, to what it is asked or to what it is made to understand."""
        if verb in ARTICLE_VERBS:
            return self._article(selection, verb, words)
        return self.overview(selection.answer(verb, words))

    def _article(self, selection: Selection, verb: str, words: list[str]) -> Answer:
        """The article, unless it is denied, lost, or another one."""
        if missing := self.first(Missing):
            return line(f"{missing.code} No such article")
        article = selection.look_up(words)
        if article is None:
            return selection.answer(verb, words)
        if odd := self.first(OddArticle):
            return selection.give_instead(verb, words, odd_article(odd.kind))
        if self.first(Vanished):
            selection.lose(article)
        elif self.has(WrongArticle):
            other = selection.neighbour(article, by_id=bool(words) and words[0].startswith("<"))
            if other and self.first(WrongArticle):
                words = [other]
        return selection.answer(verb, words)

    # The overview

    def overview(self, answer: Answer) -> Answer:
        """A 224 with a last row that is not good; the others are."""
        if answer.code != 224 or not answer.rows:
            return answer
        *rows, last = answer.rows
        number, subject, *rest = last.split(b"\t")
        fields = [number, subject, *rest]
        if short := self.first(ShortRow):
            fields = fields[: -short.fields or None]
        if self.first(TabInSubject):
            fields[1:2] = [subject, b"after the TAB"]
        if self.first(NewlineInSubject):
            fields[1:2] = [subject + CRLF + b"after the CRLF"]
        if self.first(RawSubject):
            fields[1:2] = ["Grüße".encode("latin-1")]
        if self.first(BadNumber):
            fields[0] = b"number"
        return replace(answer, rows=(*rows, b"\t".join(fields)))

    def overview_format(self, answer: Answer) -> Answer:
        """LIST OVERVIEW.FMT with the other names."""
        if not answer.rows or b"Bytes:" not in answer.rows or not self.first(MetadataNames):
            return answer
        names = {b"Bytes:": b":bytes", b"Lines:": b":lines"}
        return replace(answer, rows=tuple(names.get(row, row) for row in answer.rows))

    # On the wire

    async def send(self, answer: Answer) -> None:
        """The answer in one write, or as the faults want it."""
        status, rows = encode_status(answer), answer.rows
        if rows is None:
            await self._write(status)
            return
        body = encode_block(rows, stuffed=not self._undoubled(rows), terminated=not self.first(NoTerminator))
        if pause := self.first(SplitStatus):
            await self._write(status)
            await asyncio.sleep(pause.seconds)
            await self._write(body)
        else:
            await self._write(status + body)

    def _undoubled(self, rows: Iterable[bytes]) -> bool:
        return any(row.startswith(b".") for row in rows) and self.first(UndoubledDot) is not None

    async def _write(self, data: bytes) -> None:
        if self.first(BareLf):
            data = data.replace(CRLF, b"\n")
        if CRLF in data and (split := self.first(SplitCrlf)):
            first, *others = data.split(CRLF)
            await self._client.send(first + b"\r")
            for piece in others[:-1]:
                await asyncio.sleep(split.seconds)
                await self._client.send(b"\n" + piece + b"\r")
            await asyncio.sleep(split.seconds)
            data = b"\n" + others[-1]
        await self._client.send(data)
