"""The pages say what the program does: exit codes, options, commands."""

import re
from pathlib import Path

import pytest
from program import inetcli

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
