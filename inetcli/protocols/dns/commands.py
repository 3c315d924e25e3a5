"""`inetcli dns lookup`."""

from collections.abc import Sequence

import click

from inetcli.cli.habits import habit
from inetcli.cli.options import Command, Options, shared_options, usage
from inetcli.cli.targets import Answer as Told
from inetcli.cli.targets import Job, common_keys, run_targets
from inetcli.errors import InetError, MalformedTarget
from inetcli.protocols.dns.client import PORT, TRIES, Failure, Resolver, Result
from inetcli.protocols.dns.model import TYPES, Question, type_number
from inetcli.protocols.dns.name import absolute, is_address, reverse_name
from inetcli.protocols.dns.resolvconf import system_servers
from inetcli.protocols.dns.verdict import failure, failure_word
from inetcli.protocols.dns.view import answer_record, failure_record, show_answer
from inetcli.wire.target import parse_target

TIMEOUT_S = 3.0
"""Per try: a resolver answers within a second or not at all."""

JOBS = 256
SCHEMES: dict[str, int | None] = {"dns": PORT}
_BOTH = ("A", "AAAA")


@click.group("dns", no_args_is_help=True)
def dns() -> None:
    """Ask name servers."""


@dns.command("lookup", cls=Command)
@click.argument("words", metavar="NAME... [TYPE...] [@SERVER...]", nargs=-1)
@click.option("--short", is_flag=True, help="Print the data of the records alone.")
@click.option("--tcp", is_flag=True, help="Ask over TCP from the start.")
@shared_options(jobs=JOBS, timeout=TIMEOUT_S)
def lookup(options: Options, words: tuple[str, ...], short: bool, tcp: bool) -> int:
    """Look names up: over UDP, over TCP when the reply was cut.

    Names, types and servers come in any order. Without a type A and AAAA are asked, and count together. Without a
    server those of /etc/resolv.conf are asked.

    \b
    Examples:
      inetcli dns lookup example.org
      inetcli dns lookup example.org MX @192.0.2.53
      inetcli dns lookup 192.0.2.1 PTR
    """
    names, types, servers = _sort(words)
    where = servers or [(server, PORT) for server in system_servers()]

    def work(job: Job) -> Told:
        name, *own = job.text.split()
        questions, together = _questions(name, [_type(word) for word in own] or types)
        resolver = Resolver(job.session, where, tries=TRIES + options.retries, tcp=tcp)
        return _tell(job, resolver.ask(questions), short=short, together=together)

    return run_targets(options, names, work)


def _sort(words: Sequence[str]) -> tuple[list[str], list[str], list[tuple[str, int]]]:
    """The words as dig takes them: @ is a server, a type is a type, everything else a name."""
    names, types, servers = [], [], []
    for word in words:
        if word.startswith("+"):
            raise usage(habit(word) or f"{word}: options begin with -- here.")
        if word.startswith("@"):
            target = parse_target(word[1:], SCHEMES, "dns")
            servers.append((target.host, target.port))
        elif type_number(word) is not None:
            types.append(word.upper())
        elif word.upper() != "IN":
            names.append(word)
    return names, types, servers


def _type(word: str) -> str:
    if type_number(word) is None:
        raise MalformedTarget(f"{word}: is no record type; expected {', '.join(TYPES)} or TYPEnnn")
    return word.upper()


def _questions(name: str, types: Sequence[str]) -> tuple[list[Question], bool]:
    """The questions for a name, and whether they count together."""
    together = not types
    numbers = [number for word in types or _BOTH if (number := type_number(word)) is not None]
    if is_address(name) and numbers == [TYPES["PTR"]]:
        return [Question(reverse_name(name), TYPES["PTR"])], False
    written = absolute(name)
    return [Question(written, number) for number in dict.fromkeys(numbers)], together


def _tell(job: Job, results: Sequence[Result], *, short: bool, together: bool) -> Told:
    """One answer for a name: its lines, a JSON row for each question, and the failure that counts."""
    errors = [_error(result) for result in results]
    first = next((error for error in errors if error), None)
    counts = None if together and not all(errors) else first
    job.session.trace.settle()
    lines: list[str] = []
    rows = []
    for result, error in zip(results, errors, strict=True):
        if isinstance(result, Failure):
            row = failure_record(result.question, failure_word(result.error), result.tries)
        else:
            row = answer_record(result)
            lines += [] if error else show_answer(result, short=short)
        mine = None if together and counts is None else error
        rows.append({**row, **common_keys(job.session, mine)})
    # Once each: the aliases of a name answer all of its questions.
    return Told(list(dict.fromkeys(lines)), rows=rows, error=counts, rows_are_all=True)


def _error(result: Result) -> InetError | None:
    return result.error if isinstance(result, Failure) else failure(result)
