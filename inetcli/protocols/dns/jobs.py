"""`dns lookup`: the answers to the questions about a name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.foreign_options import habit
from inetcli.cli.options import Options
from inetcli.cli.report import common_fields
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.errors import InetError, MalformedTarget, Usage
from inetcli.protocols.dns.client import PORT, Failure, Resolver, Result
from inetcli.protocols.dns.errors import answer_error, failure_status
from inetcli.protocols.dns.model import TYPES, Answer, Question, type_number
from inetcli.protocols.dns.name import absolute, is_address, reverse_name
from inetcli.protocols.dns.resolvconf import system_servers
from inetcli.protocols.dns.view import answer_to_json, failure_to_json, format_answer
from inetcli.wire.target import parse_host_target

SCHEMES: Mapping[str, int | None] = {"dns": PORT}
PASTED: Mapping[str, int | None] = {"udp": PORT}
_BOTH = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """The options of `dns lookup`."""

    short: bool = False
    tcp: bool = False


def run_lookup(options: Options, words: Sequence[str], settings: LookupOptions) -> int:
    """Run `dns lookup`: the exit code."""
    names, types, servers = sort_words(words)
    where = servers or [(server, PORT) for server in system_servers()]
    return run_targets(options, names, lambda text: Lookup(text, types, where, options.retries, settings))


class Lookup(Task):
    """The questions about one name; it may have types of its own behind it, in a line of `-i`."""

    def __init__(
        self,
        text: str,
        types: Sequence[str],
        servers: Sequence[tuple[str, int]],
        retries: int,
        settings: LookupOptions,
    ) -> None:
        self._servers = servers
        self._retries = retries
        self._settings = settings
        name, *own = text.split()
        self._questions, self._together = _questions(name, [_type(word) for word in own] or types)

    def attempt(self, run: TargetRun) -> TargetResult:
        resolver = Resolver(run.session, self._servers, retries=self._retries, tcp=self._settings.tcp)
        results = resolver.ask(self._questions)
        run.session.trace.freeze_timing()
        errors = [_error(result) for result in results]
        first = next((error for error in errors if error), None)
        counts = None if self._together and not all(errors) else first
        lines = [
            line
            for result, error in zip(results, errors, strict=True)
            if error is None and isinstance(result, Answer)
            for line in format_answer(result, short=self._settings.short)
        ]
        rows = [
            {**_to_json(result), **common_fields(run.session, None if self._together and counts is None else error)}
            for result, error in zip(results, errors, strict=True)
        ]
        # Each line once: the aliases of a name answer all of its questions.
        return TargetResult(lines=list(dict.fromkeys(lines)), rows=rows, error=counts, rows_are_all=True)


def sort_words(words: Sequence[str]) -> tuple[list[str], list[str], list[tuple[str, int]]]:
    """The words as dig takes them, as names, types and servers: @ is a server, a type is a type, anything else a name.

    `Usage`, `MalformedTarget`.
    """
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


def _to_json(result: Result) -> dict[str, object]:
    if isinstance(result, Failure):
        status = failure_status(result.error)
        return failure_to_json(result.question, status, result.tries, truncated=result.truncated)
    return answer_to_json(result)


def _error(result: Result) -> InetError | None:
    return result.error if isinstance(result, Failure) else answer_error(result)
