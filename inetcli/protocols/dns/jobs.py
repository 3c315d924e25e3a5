"""What `inetcli dns lookup` does with its words, and with each name: ask, judge, tell."""

from collections.abc import Sequence

from inetcli.cli.foreign_options import habit
from inetcli.cli.options import Options
from inetcli.cli.targets import Answer as Told
from inetcli.cli.targets import Job, Work, common_keys
from inetcli.errors import InetError, MalformedTarget, Usage
from inetcli.protocols.dns.client import PORT, Failure, Resolver, Result
from inetcli.protocols.dns.model import TYPES, Question, type_number
from inetcli.protocols.dns.name import absolute, is_address, reverse_name
from inetcli.protocols.dns.resolvconf import system_servers
from inetcli.protocols.dns.verdict import failure, failure_word
from inetcli.protocols.dns.view import answer_to_json, failure_to_json, format_answer
from inetcli.wire.target import parse_host_target

SCHEMES: dict[str, int | None] = {"dns": PORT}
PASTED: dict[str, int | None] = {"udp": PORT}
_BOTH = ("A", "AAAA")


def looking_up(
    options: Options, types: Sequence[str], servers: Sequence[tuple[str, int]], *, short: bool, tcp: bool
) -> Work:
    """The work on each name of `dns lookup`."""
    where = servers or [(server, PORT) for server in system_servers()]

    def work(job: Job) -> Told:
        name, *own = job.text.split()
        questions, together = _questions(name, [_type(word) for word in own] or types)
        resolver = Resolver(job.session, where, retries=options.retries, tcp=tcp)
        return _tell(job, resolver.ask(questions), short=short, together=together)

    return work


def sort_words(words: Sequence[str]) -> tuple[list[str], list[str], list[tuple[str, int]]]:
    """The words as dig takes them: @ is a server, a type is a type, everything else a name."""
    names, types, servers = [], [], []
    for word in words:
        if word.startswith("+"):
            raise Usage(habit(word) or f"{word}: options begin with -- here")
        if word.startswith("@"):
            target = parse_host_target(word[1:], SCHEMES, "dns", pasted=PASTED)
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
    job.session.trace.freeze_timing()
    lines: list[str] = []
    rows = []
    for result, error in zip(results, errors, strict=True):
        if isinstance(result, Failure):
            word = failure_word(result.error)
            row = failure_to_json(result.question, word, result.tries, truncated=result.truncated)
        else:
            row = answer_to_json(result)
            lines += [] if error else format_answer(result, short=short)
        mine = None if together and counts is None else error
        rows.append({**row, **common_keys(job.session, mine)})
    # Once each: the aliases of a name answer all of its questions.
    return Told(list(dict.fromkeys(lines)), rows=rows, error=counts, rows_are_all=True)


def _error(result: Result) -> InetError | None:
    return result.error if isinstance(result, Failure) else failure(result)
