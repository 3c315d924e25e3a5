"""`dns lookup`: the queries for each name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.foreign_options import translate_option
from inetcli.cli.options import Options
from inetcli.cli.report import common_fields
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.errors import InetError, MalformedTarget, Usage
from inetcli.protocols.dns.client import PORT, QueryFailure, Resolver, Result
from inetcli.protocols.dns.errors import answer_error, failure_status
from inetcli.protocols.dns.model import TYPES, Answer, Question, type_number
from inetcli.protocols.dns.name import canonical_name, is_address, reverse_name
from inetcli.protocols.dns.resolvconf import system_servers
from inetcli.protocols.dns.view import answer_to_json, failure_to_json, format_answer
from inetcli.wire.target import parse_target

SCHEMES: Mapping[str, int | None] = {"dns": PORT, "udp": PORT}
_BOTH = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class LookupOptions:
    """The options of `dns lookup`."""

    short: bool = False
    tcp: bool = False


def run_lookup(options: Options, arguments: Sequence[str], settings: LookupOptions) -> int:
    """Run `dns lookup` and return the exit code."""
    names, types, servers = classify_arguments(arguments)
    server_list = servers or [(server, PORT) for server in system_servers()]
    return run_targets(options, names, lambda text: Lookup(text, types, server_list, options.retries, settings))


class Lookup(Task):
    """The queries for one name. In a line of `-i`, types may follow the name."""

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
        name, *type_names = text.split()
        self._questions, self._together = _questions(name, [_type(argument) for argument in type_names] or types)

    def attempt(self, run: TargetRun) -> TargetResult:
        resolver = Resolver(run.session, self._servers, retries=self._retries, tcp=self._settings.tcp)
        results = resolver.query(self._questions)
        run.session.trace.freeze_timing()
        errors = [_result_error(result) for result in results]
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
        # Each line once: alias records answer all questions of a name.
        return TargetResult(lines=list(dict.fromkeys(lines)), rows=rows, error=counts, failure_in_rows=True)


def classify_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str], list[tuple[str, int]]]:
    """Sort the arguments into names, types and servers, as dig does: @ marks a server, a type is a type, all others are
    names.

    `Usage`, `MalformedTarget`.
    """
    names, types, servers = [], [], []
    for argument in arguments:
        if argument.startswith("+"):
            raise Usage(translate_option(argument) or f"{argument}: unknown option; options begin with --")
        if argument.startswith("@"):
            target = parse_target(argument[1:], SCHEMES, "dns")
            servers.append((target.host, target.port))
        elif type_number(argument) is not None:
            types.append(argument.upper())
        elif argument.upper() != "IN":
            names.append(argument)
    return names, types, servers


def _type(argument: str) -> str:
    if type_number(argument) is None:
        raise MalformedTarget(f"{argument}: unknown record type; expected {', '.join(TYPES)} or TYPEnnn")
    return argument.upper()


def _questions(name: str, types: Sequence[str]) -> tuple[list[Question], bool]:
    """Return the questions for a name, and whether they are judged together."""
    together = not types
    numbers = [number for argument in types or _BOTH if (number := type_number(argument)) is not None]
    if is_address(name) and numbers == [TYPES["PTR"]]:
        return [Question(reverse_name(name), TYPES["PTR"])], False
    written = canonical_name(name)
    return [Question(written, number) for number in dict.fromkeys(numbers)], together


def _to_json(result: Result) -> dict[str, object]:
    if isinstance(result, QueryFailure):
        status = failure_status(result.error)
        return failure_to_json(result.question, status, result.tries, truncated=result.truncated)
    return answer_to_json(result)


def _result_error(result: Result) -> InetError | None:
    return result.error if isinstance(result, QueryFailure) else answer_error(result)
