"""The commands of a program, read off its Click tree: a test that goes through them cannot forget a new one."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import click

from inetcli.cli.app import cli
from inetcli.cli.options import Options

COMMON = {field.name for field in fields(Options)}
"""The parameters that mean the same everywhere."""


@dataclass(frozen=True)
class Leaf:
    """A command that does something itself, as users write it: `ftp get`."""

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
        """The long names of the command's own options, or of those that it has in common with others."""
        return {
            text
            for parameter in self.command.params
            if isinstance(parameter, click.Option) and not parameter.hidden and (parameter.name in COMMON) == common
            for text in parameter.opts
            if text.startswith("--")
        }


def leaf_commands(root: click.Group = cli) -> dict[str, Leaf]:
    """Return every command of a program that has no commands below it, by its name."""
    return {leaf.name: leaf for leaf in _leaves(root, ())}


def protocol_commands() -> dict[str, Leaf]:
    """Return every command that speaks a protocol: those below a group."""
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
