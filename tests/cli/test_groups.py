"""Help pages: examples first, then the command's own options, then the common ones; no cut text, no empty rows."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields

import click
import pytest
from click.testing import CliRunner

import inetcli.cli.app
import mockservers.cli
from inetcli.cli.groups import LazyGroup, ProtocolGroup
from inetcli.cli.options import SECTION, Options, ProtocolCommand, SharedOption

SCREEN = 24
"""Lines of a terminal that nobody has resized."""

ORDER = [
    *("--connect-timeout", "--timeout", "--min-rate", "--max-time", "--retries", "--wait", "--connect-to"),
    *("--ipv4", "--ipv6", "--json", "--verbose", "--timing", "--quiet", "--color"),
    *("--input", "--jobs", "--unordered", "--fail-early"),
    *("--ca", "--insecure", "--pin", "--cert", "--key", "--user", "--password-file", "--netrc-file"),
]
"""The table of docs/options.md."""


def contexts(group: click.Group, name: str) -> Iterator[click.Context]:
    """A program and all that is below it, as if it ran."""
    waiting = [click.Context(group, info_name=name, **group.context_settings)]
    while waiting:
        here = waiting.pop()
        yield here
        if isinstance(here.command, click.Group):
            for inner in here.command.list_commands(here):
                command = here.command.get_command(here, inner)
                assert command is not None
                waiting.append(click.Context(command, here, info_name=inner, **command.context_settings))


ROOTS = (inetcli.cli.app.cli, "inetcli"), (mockservers.cli.cli, "mockservers")
EVERYWHERE = [ctx for root, name in ROOTS for ctx in contexts(root, name)]
GROUPS = [ctx for ctx in EVERYWHERE if isinstance(ctx.command, click.Group)]
COMMANDS = [ctx for ctx in EVERYWHERE if isinstance(ctx.command, ProtocolCommand)]


def page(ctx: click.Context, columns: int) -> str:
    """The help of a command on a terminal of that width."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        return ctx.get_help() + "\n"


def path(ctx: click.Context) -> str:
    return ctx.command_path


def test_every_command_is_looked_at() -> None:
    assert {path(ctx) for ctx in COMMANDS} >= {"inetcli ftp get", "inetcli dns lookup", "inetcli talk udp"}
    assert {path(ctx) for ctx in GROUPS} >= {"inetcli", "inetcli ftp", "mockservers"}


@pytest.mark.parametrize("ctx", GROUPS, ids=path)
@pytest.mark.parametrize("columns", [80, 100])
def test_the_page_of_a_group_fits_a_terminal_and_cuts_no_summary(ctx: click.Context, columns: int) -> None:
    shown = page(ctx, columns)
    assert len(shown.splitlines()) <= SCREEN
    assert "..." not in shown.partition("\nCommands:\n")[2]
    assert isinstance(ctx.command, click.Group)
    for name in ctx.command.list_commands(ctx):
        command = ctx.command.get_command(ctx, name)
        assert command is not None
        assert re.search(rf"^  {name} +{re.escape(command.get_short_help_str(1000))}$", shown, re.MULTILINE)


@pytest.mark.parametrize("ctx", EVERYWHERE, ids=path)
@pytest.mark.parametrize("columns", [80, 100])
def test_no_line_of_a_page_is_wider_than_the_terminal(ctx: click.Context, columns: int) -> None:
    prose = re.sub(r"\n  Examples?:\n.*?\n\n", "", page(ctx, columns), flags=re.DOTALL)
    assert [line for line in prose.splitlines() if len(line) >= columns] == []


@pytest.mark.parametrize("ctx", EVERYWHERE, ids=path)
@pytest.mark.parametrize("columns", [80, 100])
def test_examples_stand_behind_the_summary(ctx: click.Context, columns: int) -> None:
    if path(ctx) == "mockservers":
        pytest.skip("its commands have them")
    usage, summary, examples, *_ = page(ctx, columns).split("\n\n")
    assert usage.startswith(f"Usage: {path(ctx)} ")
    assert len(re.sub(r"\s+", " ", summary)) < 110
    assert re.match(r"  Examples?:\n +\S", examples)
    assert path(ctx) in examples


@pytest.mark.parametrize("ctx", EVERYWHERE, ids=path)
def test_no_row_of_a_help_page_is_empty(ctx: click.Context) -> None:
    """No metavar stands among the options, and no option without a word."""
    rows = page(ctx, 100).partition("\nOptions:\n")[2].splitlines()
    for at, row in enumerate(rows):
        if re.match(r"  \S", row) and not re.search(r"\S  +\S", row.strip()):
            assert rows[at + 1].startswith("     "), row
    assert not [row for row in rows if re.match(r"  [^-\s]", row) and "Commands:" not in rows and row.isupper()]


@pytest.mark.parametrize("ctx", COMMANDS, ids=path)
def test_help_lists_specific_options_before_the_common_ones_in_table_order(ctx: click.Context) -> None:
    own, heading, shared = page(ctx, 80).partition(f"\n{SECTION}:\n")
    assert heading
    listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)", shared, re.MULTILINE)
    assert listed == [name for name in ORDER if name in listed]
    mine = {param.opts[-1] for param in ctx.command.params if not isinstance(param, SharedOption | click.Argument)}
    assert {name for name in mine if re.search(rf"^  .*{name}\b", own, re.MULTILINE)} == mine
    assert "--help" in own


def test_the_order_is_that_of_the_dataclass() -> None:
    assert [name.lstrip("-").replace("-", "_") for name in ORDER] == [field.name for field in fields(Options)]


@pytest.mark.parametrize("ctx", COMMANDS, ids=path)
def test_help_shows_defaults_once(ctx: click.Context) -> None:
    shown = re.sub(r"\s+", " ", page(ctx, 100).partition("\nOptions:\n")[2])
    for param in ctx.command.params:
        if isinstance(param, click.Option):
            assert not re.search(r"\(\d+\)", param.help or ""), param.name
            if not param.is_flag and isinstance(param.default, int | float | str):
                row = shown.partition(f" {param.opts[-1]} ")[2].partition(" --")[0]
                assert re.search(rf"\[default: {param.default}[];]", row), param.name


def test_the_defaults_of_a_command_are_those_of_the_dataclass_but_for_dns() -> None:
    defaults = {field.name: field.default for field in fields(Options)}
    odd = {
        (path(ctx), name, value)
        for ctx in COMMANDS
        for name, value in ((param.name or "", param.get_default(ctx)) for param in ctx.command.params)
        if isinstance(value, int | float | str) and name in defaults and value != defaults[name]
    }
    assert odd == {("inetcli dns lookup", "jobs", 256), ("inetcli dns lookup", "timeout", 3)}


def test_a_long_summary_is_wrapped_not_cut() -> None:
    long = "Do " + "very " * 30 + "much."

    @click.group(cls=ProtocolGroup)
    def group() -> None:
        pass

    @group.command(help=long)
    def work() -> None:
        pass

    shown = CliRunner().invoke(group, ["--help"], env={"COLUMNS": "80"}).output
    assert long in re.sub(r"\s+", " ", shown)


def first_line(ctx: click.Context, name: str) -> int:
    """The line of its module on which the function of a command begins."""
    assert isinstance(ctx.command, click.Group)
    command = ctx.command.get_command(ctx, name)
    assert command is not None
    function = inspect.unwrap(command.callback) if command.callback else None
    assert inspect.isfunction(function)
    return function.__code__.co_firstlineno


def test_commands_stand_in_the_order_of_their_definition() -> None:
    """The order of the table, and below it the order of the functions in their module."""
    for ctx in GROUPS:
        assert isinstance(ctx.command, click.Group)
        order = ctx.command.list_commands(ctx)
        if isinstance(ctx.command, LazyGroup):
            assert order == list(inetcli.cli.app.GROUPS)
        else:
            assert order == sorted(order, key=lambda name: first_line(ctx, name))
    assert all(isinstance(ctx.command, ProtocolGroup | LazyGroup) for ctx in GROUPS if path(ctx) != "mockservers")
