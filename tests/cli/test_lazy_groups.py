"""Groups of commands that load late: names and help without the module, the module with the command."""

import sys
from types import ModuleType

import click
import pytest
from click.exceptions import NoSuchCommand

from inetcli.cli.groups import LazyCommand, LazyGroup


@click.command("greet", short_help="Say hello.")
@click.argument("name")
def greet(name: str) -> None:
    """Say hello."""
    click.echo(f"hello {name}")


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """A group with a command that can be loaded, and one whose module is not there."""
    module = ModuleType("late_commands")
    module.greet = greet  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "late_commands", module)
    entries = {
        "greet": LazyCommand("late_commands:greet", "Say hello."),
        "leave": LazyCommand("no_such_module_of_tests:leave", "Go away."),
    }
    return LazyGroup(entries, name="polite")


def invoke(group: LazyGroup, *arguments: str) -> object:
    return group.main(list(arguments), "polite", standalone_mode=False)


def test_the_command_is_loaded_when_it_is_called(group: LazyGroup, capsys: pytest.CaptureFixture[str]) -> None:
    invoke(group, "greet", "Ada")
    assert capsys.readouterr().out == "hello Ada\n"
    with pytest.raises(ModuleNotFoundError):
        invoke(group, "leave")


def test_help_and_names_load_nothing(group: LazyGroup) -> None:
    context = click.Context(group, info_name="polite")
    assert group.list_commands(context) == ["greet", "leave"]
    assert group.get_help(context).splitlines()[-3:] == ["Commands:", "  greet  Say hello.", "  leave  Go away."]


def test_an_unknown_command_names_the_near_ones(group: LazyGroup) -> None:
    with pytest.raises(NoSuchCommand) as caught:
        invoke(group, "gret")
    assert caught.value.command_name == "gret"
    assert "'greet'" in caught.value.format_message()
    assert group.get_command(click.Context(group), "gret") is None


@pytest.mark.parametrize(("typed", "offered"), [("", ["greet", "leave"]), ("gr", ["greet"]), ("x", [])])
def test_completion_offers_the_commands_that_begin_so(group: LazyGroup, typed: str, offered: list[str]) -> None:
    items = group.shell_complete(click.Context(group), typed)
    assert [item.value for item in items if not item.value.startswith("-")] == offered
    assert [item.help for item in items if item.value == "greet"] == ["Say hello."] * ("greet" in offered)
