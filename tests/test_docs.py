"""The pages say what the program does: exit codes, options, commands."""

import inspect
import re
from pathlib import Path

import pytest
from support import faulttable
from support.program import inetcli

import mockservers
import mockservers.cli
from inetcli import errors
from inetcli.errors import InetError

DOCS = Path(__file__).parent.parent / "docs"
FTP = ["get", "put", "ls", "mv", "rm", "mkdir", "rmdir", "pwd"]
COMMANDS = [
    *(f"ftp {name}" for name in FTP),
    "nntp latest",
    "http raw",
    "tls hello",
    "dns lookup",
    "talk tcp",
    "talk udp",
]


def leaves(kind: type[InetError]) -> list[type[InetError]]:
    below = [leaf for sub in kind.__subclasses__() for leaf in leaves(sub)]
    return below or [kind]


def test_exit_codes_are_those_of_the_errors() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (DOCS / "exit-codes.md").read_text(), re.MULTILINE)
    told = {(int(code), kind) for code, kind in rows}
    real = {(leaf.exit_code, leaf.kind) for leaf in leaves(InetError)}
    assert told == real
    assert len({code for code, _ in real}) == len(real)


def test_the_tree_of_errors_in_their_docstring_is_complete() -> None:
    for leaf in leaves(InetError):
        assert re.search(rf"\b{leaf.__name__} {leaf.exit_code}\b", errors.__doc__ or ""), leaf


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_on_its_page(command: str) -> None:
    shown = inetcli(*command.split(), "--help").out
    own, _, shared = shown.partition("Options that mean the same everywhere")
    page = (DOCS / f"{command.split(maxsplit=1)[0]}.md").read_text()
    common = (DOCS / "options.md").read_text()
    for option in listed(own) - {"--help"}:
        assert option in page, option
    for option in listed(shared) - {"--help"}:
        assert option in common or f"`{option}" in page, option


def listed(text: str) -> set[str]:
    """The long names of the options that a help page lists."""
    return set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", text, re.MULTILINE))


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
    for name, command in mockservers.cli.cli.commands.items():
        assert f"`{name}" in page or f"mockservers {name}" in page, name
        for option in {text for item in command.params for text in item.opts if text.startswith("--")} - {"--json"}:
            assert option in page, f"{name} {option}"
