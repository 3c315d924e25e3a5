"""The commands of a program, from its Click tree, so that tests of all commands include new ones."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import click

from inetcli.cli.app import cli
from inetcli.cli.options import Options

COMMON = {field.name for field in fields(Options)}
"""The parameters that all commands share."""


@dataclass(frozen=True)
class Leaf:
    """A command without subcommands, by the words that users type: `ftp get`."""

    name: str
    command: click.Command

    @property
    def words(self) -> list[str]:
        return self.name.split()

    @property
    def group(self) -> str:
        """The first word of the command."""
        return self.words[0]

    @property
    def help(self) -> str:
        """The help page."""
        return self.command.get_help(click.Context(self.command, info_name=f"inetcli {self.name}"))

    def options(self, *, common: bool) -> set[str]:
        """Return the long names of the command's own options, or of the options that it shares with others."""
        return {
            text
            for parameter in self.command.params
            if isinstance(parameter, click.Option) and not parameter.hidden and (parameter.name in COMMON) == common
            for text in parameter.opts
            if text.startswith("--")
        }


def leaf_commands(root: click.Group = cli) -> dict[str, Leaf]:
    """Return every command of a program that has no subcommands, by its name."""
    return {leaf.name: leaf for leaf in _leaves(root, ())}


def protocol_commands() -> dict[str, Leaf]:
    """Return the commands of the protocols: those below a group."""
    return {name: leaf for name, leaf in leaf_commands().items() if len(leaf.words) > 1}


def _leaves(group: click.Group, above: tuple[str, ...]) -> Iterator[Leaf]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command, name
        words = (*above, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, words)
        else:
            yield Leaf(" ".join(words), command)
