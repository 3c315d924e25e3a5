"""Completion in real shells: names of files and folders for their options, choices, and no completion of targets."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.program import run_module
from support.shells import ALL, TAB, Shell, fish_completions, install, shell

import inetcli.cli.app
import mockservers.cli

FILES = ("alone.txt", "two words.txt", "colon:name.txt", ".hidden", "folder/inner.pem")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of difficult names; beside it, the programs."""
    root = tmp_path_factory.mktemp("completion")
    install(root / "bin")
    (root / "home").mkdir()
    folder = root / "here"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def script(kind: str, program: str = "inetcli") -> str:
    done = run_module(program, "completion", kind)
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.fixture(scope="module", params=["bash", "zsh"])
def interactive(request: pytest.FixtureRequest, place: Path) -> Iterator[Shell]:
    """bash and zsh, with the scripts of both programs."""
    kind: str = request.param
    with shell(kind, place, script(kind), script(kind, "mockservers")) as found:
        yield found


FILE_PLACES = [
    "inetcli ftp put ",
    "inetcli ftp get --output ",
    "inetcli ftp get -o ",
    "inetcli ftp get -i ",
    "inetcli ftp get --ca ",
    "inetcli ftp get host/x --key ",
    "inetcli ftp get --ca=",
    "inetcli talk tcp host:7 ",
    "inetcli talk tcp --tls [::1]:7 ",
]
"""Command lines whose next word is the name of a file."""


@pytest.mark.parametrize("line", FILE_PLACES)
def test_names_of_files_are_completed(interactive: Shell, line: str) -> None:
    assert interactive.type(f"{line}al{TAB}") == f"{line}alone.txt "
    assert interactive.type(f"{line}tw{TAB}") == f"{line}two\\ words.txt "


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("inetcli ftp put .h", "inetcli ftp put .hidden "),
        ("inetcli ftp put folder/i", "inetcli ftp put folder/inner.pem "),
        ("inetcli ftp put 'tw", "inetcli ftp put 'two words.txt' "),
        ('inetcli ftp put "two w', 'inetcli ftp put "two words.txt" '),
        ("inetcli ftp put two\\ w", "inetcli ftp put two\\ words.txt "),
        ("true; inetcli ftp put al", "true; inetcli ftp put alone.txt "),
        ("inetcli ftp get -P fo", "inetcli ftp get -P folder/"),
        ("inetcli ftp get --directory=fo", "inetcli ftp get --directory=folder/"),
        ("inetcli ftp get -P al", "inetcli ftp get -P al"),
        ("inetcli ftp get al", "inetcli ftp get al"),
        ("inetcli ftp put alone.txt al", "inetcli ftp put alone.txt al"),
        ("inetcli talk tcp al", "inetcli talk tcp al"),
        ("inetcli ftp get --user al", "inetcli ftp get --user al"),
        ("inetcli ftp get --tls ex", "inetcli ftp get --tls explicit "),
        ("inetcli ftp get --tls=ex", "inetcli ftp get --tls=explicit "),
        ("inetcli ftp get --verify ", "inetcli ftp get --verify hash "),
        ("inetcli dns lookup --color n", "inetcli dns lookup --color never "),
        ("inetcli completion z", "inetcli completion zsh "),
        ("inetcli ft", "inetcli ftp "),
        ("inetcli ftp mk", "inetcli ftp mkdir "),
        ("inetcli ftp get --skip", "inetcli ftp get --skip-existing "),
        ("mockservers certs fo", "mockservers certs folder/"),
        ("mockservers completion z", "mockservers completion zsh "),
        ("mockservers run pyft", "mockservers run pyftpdlib "),
        ("mockservers run ftp -- al", "mockservers run ftp -- alone.txt "),
        ("mockservers run ftp -- ./al", "mockservers run ftp -- ./alone.txt "),
        ("mockservers gauntlet ftp -- al", "mockservers gauntlet ftp -- alone.txt "),
        ("mockservers gauntlet ftp -- ./al", "mockservers gauntlet ftp -- ./alone.txt "),
        ("mockservers gauntlet --limit 5 ftp -- cat -j al", "mockservers gauntlet --limit 5 ftp -- cat -j alone.txt "),
        ("mockservers gauntlet --lim", "mockservers gauntlet --limit "),
        ("mockservers gaunt", "mockservers gauntlet "),
    ],
)
def test_a_word_is_completed(interactive: Shell, typed: str, completed: str) -> None:
    # bash leaves a folder without its slash until TAB is pressed once more.
    assert interactive.type(typed + TAB).removesuffix("/") == completed.removesuffix("/")


@pytest.mark.parametrize("program", ["inetcli", "mockservers"])
def test_zsh_loads_the_script_by_itself(place: Path, program: str) -> None:
    """Each TAB counts: the one that loads the script, and those that follow."""
    functions = place.parent / "zfunc"
    functions.mkdir(exist_ok=True)
    (functions / f"_{program}").write_text(script("zsh", program))
    with shell("zsh", place) as zsh:
        assert [zsh.type(f"{program} comp{TAB}") for _ in range(3)] == [f"{program} completion "] * 3


def test_all_completions_are_offered(interactive: Shell) -> None:
    line = "inetcli ftp put "
    assert {"alone.txt", "two\\ words.txt", "folder"} <= set(re.split(r"(?<!\\) ", interactive.type(line + ALL)))
    assert interactive.type(f"inetcli ftp get --tls {ALL}") == "inetcli ftp get --tls off explicit implicit "
    assert interactive.type(f"inetcli ftp get {ALL}") == "inetcli ftp get "


def test_a_name_with_a_colon_is_completed(interactive: Shell) -> None:
    assert interactive.type(f"inetcli ftp put col{TAB}").replace("\\", "") == "inetcli ftp put colon:name.txt "


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("inetcli ftp put al", ["alone.txt"]),
        ("inetcli ftp put tw", ["two words.txt"]),
        ("inetcli ftp put 'two w", ["two words.txt"]),
        ("inetcli ftp put .h", [".hidden"]),
        ("inetcli ftp put colon:", ["colon:name.txt"]),
        ("inetcli ftp get --ca=al", ["--ca=alone.txt"]),
        ("inetcli talk tcp host:7 al", ["alone.txt"]),
        ("inetcli ftp get -P ", ["folder/"]),
        ("inetcli ftp get --directory=", ["--directory=folder/"]),
        ("inetcli ftp get al", []),
        ("inetcli ftp put alone.txt al", []),
        ("inetcli ftp get --tls ", ["explicit", "implicit", "off"]),
        ("inetcli ftp get --tls=im", ["--tls=implicit"]),
        ("inetcli ft", ["ftp"]),
        ("mockservers certs ", ["folder/"]),
        ("mockservers run pyft", ["pyftpdlib"]),
        ("mockservers gauntlet ftp -- ./al", ["./alone.txt"]),
    ],
)
def test_completions_in_fish(place: Path, line: str, offered: list[str]) -> None:
    assert sorted(fish_completions(line, place, script("fish", line.split(maxsplit=1)[0]))) == offered


def test_fish_descriptions_are_not_cut(place: Path) -> None:
    """Also where they hold a comma, at which the answer is taken apart."""
    shown = fish_completions("inetcli ftp ge", place, script("fish"), descriptions=True)
    assert shown == ["get\tDownload files, each checked against its announced size."]


@pytest.mark.parametrize("program", ["inetcli", "mockservers"])
def test_a_script_for_an_unknown_shell_is_wrong_usage(program: str) -> None:
    done = run_module(program, "completion", "tcsh")
    assert (done.code, done.stdout) == (2, b"")
    assert "'bash'" in done.err


def test_every_option_for_a_file_is_completed_as_one() -> None:
    """The metavar and the type say the same."""
    for command in leaves():
        for param in command.params:
            wanted = {"FILE": "file", "FILE|-": "file", "[FILE|-]": "file", "DIR": "dir"}.get(param.metavar or "")
            with click.Context(command) as ctx:
                offered = {item.type for item in param.shell_complete(ctx, "x")} - {"plain"}
            assert offered == ({wanted} if wanted else set()), f"{command.name} {param.name}"


def leaves() -> list[click.Command]:
    """Every command of both programs."""
    found: list[click.Command] = []
    for root in (inetcli.cli.app.cli, mockservers.cli.cli):
        with click.Context(root) as ctx:
            for command in (root.get_command(ctx, name) for name in root.list_commands(ctx)):
                found += command.commands.values() if isinstance(command, click.Group) else [command] if command else []
    return found
