"""Groups of commands that load late.

`--help`, completion and did-you-mean need names and one line of help, not the commands: those stand in a static table,
and a protocol is imported when one of its commands is called. A test compares the tables with the real help.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click
from click.exceptions import NoSuchCommand

WHOLE = 1000
"""Characters of a summary: it is wrapped, and never cut."""


class LazyCommand(NamedTuple):
    """Where a command is, as `module:attribute`, and its line in the help."""

    place: str
    short_help: str


class ProtocolGroup(click.Group):
    """The commands of a protocol: help lists them in the order of their definition, each with its whole summary."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries().items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[click.shell_completion.CompletionItem]":
        return _complete(self, ctx, incomplete, self._summaries())

    def _summaries(self) -> dict[str, str]:
        return {name: command.get_short_help_str(WHOLE) for name, command in self.commands.items()}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def __init__(self, entries: Mapping[str, LazyCommand], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.entries and not name.startswith("-") and not ctx.resilient_parsing:
            raise NoSuchCommand(name, possibilities=self.entries, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in self.entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[click.shell_completion.CompletionItem]":
        summaries = {name: entry.short_help for name, entry in self.entries.items()}
        return _complete(self, ctx, incomplete, summaries)


def _complete(
    group: click.Group, ctx: click.Context, incomplete: str, summaries: Mapping[str, str]
) -> "list[click.shell_completion.CompletionItem]":
    """The commands that begin so, each with its summary, or the options of the group."""
    from click.shell_completion import CompletionItem

    found = [CompletionItem(name, help=said) for name, said in summaries.items() if name.startswith(incomplete)]
    return found + click.Command.shell_complete(group, ctx, incomplete)
