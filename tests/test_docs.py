"""The pages say what the program does: exit codes, options, commands."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
from support import faulttable
from support.commands import leaf_commands, protocol_commands
from support.raising import SOURCE, raised_names, used_as_values

import mockservers
import mockservers.cli
from inetcli import errors
from inetcli.cli.options import Options
from inetcli.errors import InetError

DOCS = Path(__file__).parent.parent / "docs"
PROTOCOL_COMMANDS = protocol_commands()


def leaves(kind: type[InetError]) -> list[type[InetError]]:
    below = [leaf for sub in kind.__subclasses__() for leaf in leaves(sub)]
    return below or [kind]


def test_exit_codes_are_those_of_the_errors() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (DOCS / "exit-codes.md").read_text(), re.MULTILINE)
    told = [(int(code), kind) for code, kind in rows]
    names = raised_names()
    real = {(leaf.exit_code, leaf.kind) for leaf in leaves(InetError) if leaf.__name__ in names}
    assert told == sorted(real)
    assert len({leaf.exit_code for leaf in leaves(InetError)}) == len(leaves(InetError))


@pytest.mark.parametrize(
    "source",
    [
        "raise Gone('x')",
        "return_value = Gone.of('x')",
        "TABLE = {550: Gone}",
        "raise errors.Gone('x') from error",
        "def f(kind=Gone): pass",
    ],
)
def test_an_error_that_a_source_raises_is_found(source: str) -> None:
    assert "Gone" in set(used_as_values(source))


@pytest.mark.parametrize(
    "source",
    [
        "from inetcli.errors import Gone",
        "try:\n    f()\nexcept (Gone, OSError):\n    pass",
        "isinstance(error, Gone | OSError)",
        "match error:\n    case Gone():\n        pass",
        "def f(error: Gone) -> Gone:\n    'Raises `Gone`.'",
        "error: Gone | None = None",
    ],
)
def test_an_error_that_a_source_only_knows_is_not_raised(source: str) -> None:
    assert "Gone" not in set(used_as_values(source))


def test_the_tree_of_errors_in_their_docstring_is_complete() -> None:
    for leaf in leaves(InetError):
        assert re.search(rf"\b{leaf.__name__} {leaf.exit_code}\b", errors.__doc__ or ""), leaf


@pytest.mark.parametrize("command", PROTOCOL_COMMANDS)
def test_every_option_is_on_its_page(command: str) -> None:
    leaf = PROTOCOL_COMMANDS[command]
    page = (DOCS / f"{leaf.group}.md").read_text()
    common = (DOCS / "options.md").read_text()
    assert {option for option in leaf.options(common=False) if option not in page} == set()
    assert {
        option for option in leaf.options(common=True) if option not in common and f"`{option}" not in page
    } == set()


@pytest.mark.parametrize("command", PROTOCOL_COMMANDS)
def test_every_command_is_on_its_page(command: str) -> None:
    leaf = PROTOCOL_COMMANDS[command]
    assert f"inetcli {command} " in (DOCS / f"{leaf.group}.md").read_text()


def test_the_page_of_common_options_has_only_what_there_is() -> None:
    """Each option of the page is one of a command, each variable is read somewhere."""
    page = (DOCS / "options.md").read_text()
    there = {
        name for leaf in PROTOCOL_COMMANDS.values() for both in (True, False) for name in leaf.options(common=both)
    }
    assert set(re.findall(r"--[a-z][a-z0-9-]+", page)) - there == set()
    source = "".join(path.read_text() for path in SOURCE.rglob("*.py"))
    variables = set(re.findall(r"`\$?([A-Z][A-Z_]{3,})(?:=\w+)?`", page))
    assert "INETCLI_DEBUG" in variables
    assert {name for name in variables if f'"{name}"' not in source} == set()


def test_the_table_of_common_options_has_the_order_of_help() -> None:
    table = (DOCS / "options.md").read_text().partition("\n## Options\n")[2].partition("\nEnvironment:")[0]
    rows = [row.partition(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"--[a-z0-9-]+", row)]
    assert names == [f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(Options)]


def test_the_table_of_faults_is_what_the_program_says() -> None:
    page, rows = faulttable.PAGE.read_text(encoding="utf-8"), faulttable.faults()
    assert page == faulttable.with_table(page, rows), "python tests/support/faulttable.py writes it anew"
    assert page != faulttable.with_table(page, rows[1:])
    assert {row["server"] for row in rows} <= {*faulttable.HEADS, "time"}


SERVERS = {
    "FTP": mockservers.FtpServer,
    "pyftpdlib": mockservers.PyftpdlibServer,
    "NNTP": mockservers.NntpServer,
    "HTTP": mockservers.HttpServer,
    "TLS": mockservers.TlsServer,
    "DNS": mockservers.DnsServer,
    "Timestamps": mockservers.TimeServer,
}


@pytest.mark.parametrize("head", SERVERS)
def test_every_argument_of_a_server_is_in_its_section(head: str) -> None:
    page = (DOCS / "mockservers-reference.md").read_text()
    top, section = page.partition("\n## ")[0], page.partition(f"\n## {head}\n")[2].partition("\n## ")[0]
    arguments = set(inspect.signature(SERVERS[head]).parameters) - {"others"}  # pyftpdlib's are refused
    assert {name for name in arguments if f"`{name}`" not in top + section} == set()


def test_every_command_of_mockservers_is_on_its_page() -> None:
    page = (DOCS / "mockservers.md").read_text()
    for name, leaf in leaf_commands(mockservers.cli.cli).items():
        assert f"`{name}" in page or f"mockservers {name}" in page, name
        for option in (leaf.options(common=False) | leaf.options(common=True)) - {"--json"}:
            assert option in page, f"{name} {option}"
