"""Answers of a name server, as model objects for tests."""

from inetcli.protocols.dns.model import Answer, Message, Question, Record, Transport

WWW = Question("www.example.test.", 1)


def answer(*records: Record, rcode: int = 0, question: Question = WWW, authority: tuple[Record, ...] = ()) -> Answer:
    """Make an answer to a question, from 192.0.2.53."""
    message = Message(1, ("qr",), rcode, question, tuple(records), authority)
    return Answer(question, message, "192.0.2.53", Transport.UDP, 0.01, 1)


def a(name: str) -> Record:
    """Make an address record."""
    return Record(name, 1, 300, "192.0.2.1", {"address": "192.0.2.1"})


def cname(name: str, target: str) -> Record:
    """Make an alias record (CNAME)."""
    return Record(name, 5, 300, target, {"target": target})
