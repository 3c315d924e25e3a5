"""Command groups that import their commands on demand.

`--help`, completion and suggestions need names and one line of help only. Those stand in a static table; a protocol is
imported when one of its commands is called. A test compares the tables with the real help.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click
from click.exceptions import NoSuchCommand

MAX_SUMMARY = 1000
"""Characters of a summary: large enough that Click wraps a summary and never cuts it."""


class LazyCommand(NamedTuple):
    """The import path of a command, as `module:attribute`, and its line in the help."""

    import_path: str
    short_help: str


class ProtocolGroup(click.Group):
    """The commands of a protocol. Help lists them in the order of their definition, each with its whole summary."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries().items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[click.shell_completion.CompletionItem]":
        return _complete_commands(self, ctx, incomplete, self._summaries())

    def _summaries(self) -> dict[str, str]:
        return {name: command.get_short_help_str(MAX_SUMMARY) for name, command in self.commands.items()}


class LazyGroup(click.Group):
    """A group that imports a command when the command is called."""

    def __init__(self, entries: Mapping[str, LazyCommand], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.import_path.partition(":")
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
        return _complete_commands(self, ctx, incomplete, summaries)


def _complete_commands(
    group: click.Group, ctx: click.Context, incomplete: str, summaries: Mapping[str, str]
) -> "list[click.shell_completion.CompletionItem]":
    """Return the commands with this prefix, each with its summary, then the options of the group."""
    from click.shell_completion import CompletionItem

    commands = [
        CompletionItem(name, help=summary) for name, summary in summaries.items() if name.startswith(incomplete)
    ]
    return commands + click.Command.shell_complete(group, ctx, incomplete)
