"""The rules of the house hold for the real source, and each of them bites on a planted violation."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import house
import pytest
from house import PROTOCOL_FILES, RULES, Module, read_modules
from program import environment, inetcli

from inetcli.cli.app import GROUPS, cli
from mockservers import DnsServer, HttpServer, TimeServer
from mockservers.registry import KINDS

ROOT = Path(__file__).parent.parent
PROTOCOLS = {"ftp", "nntp", "http", "tls", "dns", "talk"}
MOCKS = {"ftp": "ftp", "nntp": "nntp", "http": "http", "tls": "tls", "dns": "dns", "talk": "time"}

Rule = Callable[[list[Module]], list[str]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    assert rule(read_modules(ROOT)) == []


DOC = '"""What it is."""\n'
PLANTED = [
    (house.click_stays_at_the_command_line, "inetcli/protocols/ftp/client.py", "import click"),
    (house.click_stays_at_the_command_line, "inetcli/net/stream.py", "def f():\n    from click import echo"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/protocols/ftp/client.py", "import socket"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/wire/reader.py", "from ssl import SSLContext"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/files.py", "import time\ntime.sleep(1)"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/files.py", "import time\ntime.time()"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/protocols/dns/view.py", "datetime.now(UTC)"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/cli/output.py", "import threading"),
    (house.imports_are_absolute, "inetcli/wire/reader.py", "from ..net.stream import Stream"),
    (house.protocols_keep_to_themselves, "inetcli/protocols/ftp/wire.py", "from inetcli.protocols.nntp import wire"),
    (house.the_packages_never_meet, "mockservers/core.py", "from inetcli.wire.reader import Reader"),
    (house.the_packages_never_meet, "inetcli/net/dial.py", "import mockservers.core"),
    (house.no_drawers_for_odds_and_ends, "inetcli/net/utils.py", ""),
    (house.no_drawers_for_odds_and_ends, "mockservers/helpers.py", ""),
    (house.protocols_have_their_files, "inetcli/protocols/gopher/model.py", ""),
    (house.arrows_point_down, "inetcli/wire/target.py", "from inetcli.net.clock import Clock"),
    (house.arrows_point_down, "inetcli/net/dial.py", "from inetcli.cli.output import Output"),
    (house.arrows_point_down, "inetcli/protocols/ftp/wire.py", "from inetcli.net.stream import Stream"),
    (house.arrows_point_down, "inetcli/protocols/ftp/client.py", "from inetcli.cli.targets import Job"),
    (house.only_the_command_line_prints_and_exits, "inetcli/protocols/ftp/client.py", "print('hello')"),
    (house.only_the_command_line_prints_and_exits, "inetcli/cli/output.py", "import sys\nsys.exit(1)"),
    (house.modules_fit_in_a_head, "inetcli/net/dial.py", "x = 1\n" * 400),
]


@pytest.mark.parametrize(
    ("rule", "place", "source"), PLANTED, ids=[f"{rule.__name__}-{number}" for number, (rule, *_) in enumerate(PLANTED)]
)
def test_each_rule_bites(rule: Rule, place: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(DOC)
    if rule is not house.protocols_have_their_files and rule is not house.no_drawers_for_odds_and_ends:
        assert rule(read_modules(tmp_path)) == []
    path.write_text(DOC + source + "\n")
    found = rule(read_modules(tmp_path))
    assert found
    assert all(place.split("/")[-2] in line or place.rsplit("/", maxsplit=1)[-1][:-3] in line for line in found)


def test_a_module_without_a_docstring_is_found(tmp_path: Path) -> None:
    (tmp_path / "inetcli").mkdir()
    (tmp_path / "inetcli" / "files.py").write_text("x = 1\n")
    assert house.modules_fit_in_a_head(read_modules(tmp_path)) == ["inetcli.files has no docstring"]


def test_every_protocol_is_a_folder_a_page_tests_a_mock_and_a_line_in_the_table() -> None:
    folders = {path.parent.name for path in ROOT.glob("inetcli/protocols/*/__init__.py")}
    assert folders == PROTOCOLS == set(GROUPS) - {"completion"}
    for name in PROTOCOLS:
        assert {path.stem for path in (ROOT / "inetcli" / "protocols" / name).glob("*.py")} >= set(PROTOCOL_FILES)
        assert (ROOT / "docs" / f"{name}.md").exists()
        assert list((ROOT / "tests" / "protocols" / name).glob("test_*.py"))
        assert MOCKS[name] in KINDS


def test_the_table_says_what_the_commands_say() -> None:
    import click

    with click.Context(cli) as ctx:
        for name, entry in GROUPS.items():
            command = cli.get_command(ctx, name)
            assert command is not None
            assert command.name == name
            assert command.get_short_help_str(100) == entry.short_help


def loaded(script: str) -> set[str]:
    """The modules that are there after a script has run in a fresh interpreter."""
    code = f"import sys\n{script}\nprint(' '.join(sys.modules), file=sys.__stderr__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(), check=True, timeout=30, text=True
    )
    return set(done.stderr.splitlines()[-1].split())


def after_command(*arguments: str) -> set[str]:
    return loaded(f"from inetcli.cli.app import run\nassert run({list(arguments)!r}) == 0")


HEAVY = ("asyncio", "rich", "importlib.metadata", "urllib.request", "email", "cryptography", "http.client")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["completion", "bash"]])
def test_help_and_completion_import_no_protocol(arguments: list[str]) -> None:
    modules = after_command(*arguments)
    assert [name for name in modules if name.startswith(("inetcli.protocols.", "inetcli.net"))] == []
    assert [name for name in (*HEAVY, "ssl", "socket", "json") if name in modules] == []


def test_plain_commands_import_nothing_heavy_and_no_ssl() -> None:
    with HttpServer() as web, DnsServer() as names, TimeServer() as clock:
        commands = [
            ["http", "raw", f"{web.url}/"],
            ["dns", "lookup", "www.example.test", f"@{names.host}:{names.port}"],
            ["talk", "tcp", clock.url, "/dev/null"],
            ["ftp", "get", "--help"],
        ]
        for command in commands:
            modules = after_command(*command)
            assert [name for name in (*HEAVY, "ssl") if name in modules] == [], command


def test_importing_the_mocks_costs_nothing() -> None:
    modules = loaded("import mockservers")
    assert [name for name in ("asyncio", "trustme", "pyftpdlib", "cryptography", "ssl") if name in modules] == []


def test_every_command_has_help_with_an_example() -> None:
    for arguments in (["ftp", "get"], ["nntp", "latest"], ["http", "raw"], ["tls", "hello"], ["dns", "lookup"]):
        shown = inetcli(*arguments, "--help")
        assert shown.code == 0
        assert f"  inetcli {' '.join(arguments)} " in shown.out
        assert "Options that mean the same everywhere" in shown.out
