"""The rules of the house hold for the real source, and each of them bites on a planted violation."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import house
from support.commands import leaf_commands, protocol_commands
from support.house import KNOWN_CIRCLES, PROTOCOL_FILES, RULES, SHARED_CLASS_NAMES, Module, read_modules
from support.loading import commands_load_nothing_heavy, help_loads_no_protocol, loaded

from inetcli.cli.app import GROUPS, cli
from inetcli.cli.options import SECTION
from mockservers import DnsServer, FtpServer, HttpServer, NntpServer, TimeServer

ROOT = Path(__file__).parent.parent
PROTOCOLS = {"ftp", "nntp", "http", "tls", "dns", "talk"}

Rule = Callable[[list[Module]], list[str]]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    assert rule(read_modules(ROOT)) == []


def build(root: Path, files: dict[str, str]) -> Path:
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    return root


DOC = '"""What it is."""\n'
PLANTED = [
    (house.click_stays_at_the_command_line, "inetcli/protocols/ftp/client.py", "import click"),
    (house.click_stays_at_the_command_line, "inetcli/net/stream.py", "def f():\n    from click import echo"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/protocols/ftp/client.py", "import socket"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/wire/reader.py", "from ssl import SSLContext"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/destination.py", "import time\ntime.sleep(1)"),
    (house.only_net_meets_the_network_and_the_clock, "inetcli/destination.py", "import time\ntime.time()"),
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
    (house.arrows_point_down, "inetcli/protocols/ftp/client.py", "from inetcli.cli.task import Task"),
    (house.arrows_point_down, "inetcli/wire/target.py", "from inetcli.destination import Destination"),
    (house.arrows_point_down, "inetcli/net/copy.py", "def f():\n    from inetcli.payload import Payload"),
    (house.arrows_point_down, "inetcli/cli/report.py", "from inetcli.protocols.ftp.model import Entry"),
    (house.only_the_command_line_prints_and_exits, "inetcli/protocols/ftp/client.py", "print('hello')"),
    (house.protocols_connect_through_the_session, "inetcli/protocols/ftp/client.py", "session.connect('h', 21)"),
    (house.protocols_connect_through_the_session, "inetcli/protocols/dns/client.py", "self._session.connect('h', 53)"),
    *(
        (house.protocols_connect_through_the_session, "inetcli/protocols/http/client.py", violation)
        for violation in (
            "from inetcli.net.tlsstream import start_tls",
            "from inetcli.net import tlsstream\ntlsstream.start_tls(stream)",
            "from inetcli.net import dial",
            "session.connect_address([address])",
            "connect = session.connect\nconnect('h', 21)",
            "raw.connect(('h', 1))",
            "SocketStream(raw)",
        )
    ),
    (house.only_the_command_line_prints_and_exits, "inetcli/cli/output.py", "import sys\nsys.exit(1)"),
    (house.class_names_are_unique, "inetcli/protocols/ftp/model.py", "class Reply:\n    ..."),
    (house.class_names_are_unique, "mockservers/log.py", "class Reply:\n    ...\n" * 3),
    (house.imports_make_no_circle, "inetcli/net/clock.py", "from inetcli.net.stream import Stream"),
    (house.imports_make_no_circle, "inetcli/net/clock.py", "def f():\n    import inetcli.net.deadline"),
    (house.modules_fit_in_a_head, "inetcli/net/dial.py", "x = 1\n" * 400),
]

BESIDE = {
    "inetcli/wire/replies.py": "class Reply:\n    ...",
    "inetcli/net/deadline.py": "from inetcli.net.clock import Clock",
    "inetcli/net/stream.py": "from inetcli.net import deadline",
}
"""What stands beside the module that a violation is planted in."""


@pytest.mark.parametrize(
    ("rule", "place", "source"), PLANTED, ids=[f"{rule.__name__}-{number}" for number, (rule, *_) in enumerate(PLANTED)]
)
def test_each_rule_bites(rule: Rule, place: str, source: str, tmp_path: Path) -> None:
    path = build(tmp_path, {name: DOC + text for name, text in BESIDE.items()} | {place: DOC}) / place
    if rule is not house.protocols_have_their_files and rule is not house.no_drawers_for_odds_and_ends:
        assert rule(read_modules(tmp_path)) == []
    path.write_text(DOC + source + "\n")
    found = rule(read_modules(tmp_path))
    assert found
    assert all(place.split("/")[-2] in line or place.rsplit("/", maxsplit=1)[-1][:-3] in line for line in found)


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, *_ in PLANTED} == set(RULES)


def test_debts_of_the_house_are_still_owed() -> None:
    modules = read_modules(ROOT)
    counts = Counter((module.package, name) for module in modules for name in module.classes())
    owed = {(package, name): times for package, names in SHARED_CLASS_NAMES.items() for name, times in names.items()}
    assert {key: counts[key] for key in owed} == owed, "one is paid: take it out of SHARED_CLASS_NAMES"
    assert set(house.circles(modules)) == KNOWN_CIRCLES


def test_only_names_within_one_package_are_compared(tmp_path: Path) -> None:
    build(tmp_path, {"inetcli/wire/replies.py": "class A:\n    ...", "mockservers/script.py": "class A:\n    ..."})
    assert house.class_names_are_unique(read_modules(tmp_path)) == []


def test_a_module_without_a_docstring_is_found(tmp_path: Path) -> None:
    (tmp_path / "inetcli").mkdir()
    (tmp_path / "inetcli" / "destination.py").write_text("x = 1\n")
    assert house.modules_fit_in_a_head(read_modules(tmp_path)) == ["inetcli.destination has no docstring"]


def test_every_protocol_is_whole() -> None:
    assert house.protocols_are_whole(ROOT) == []
    assert {path.parent.name for path in ROOT.glob("inetcli/protocols/*/__init__.py")} == PROTOCOLS


GOPHER = {
    "inetcli/cli/app.py": 'GROUPS = {"gopher": Entry(), "completion": Entry()}',
    "mockservers/registry.py": 'KINDS: Mapping[str, object] = {"gopher": object()}',
    "docs/gopher.md": "",
    "tests/protocols/gopher/test_gopher_wire.py": "",
    **{f"inetcli/protocols/gopher/{part}.py": DOC for part in PROTOCOL_FILES},
}
"""A protocol that is whole."""


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("inetcli/cli/app.py", ["gopher has no line in the table"]),
        ("mockservers/registry.py", ["gopher has no mock"]),
        ("docs/gopher.md", ["gopher has no page"]),
        ("tests/protocols/gopher/test_gopher_wire.py", ["gopher has no tests"]),
        *[(f"inetcli/protocols/gopher/{part}.py", [f"gopher has no {part}.py"]) for part in PROTOCOL_FILES],
    ],
)
def test_a_protocol_that_is_not_whole_is_found(place: str, found: list[str], tmp_path: Path) -> None:
    assert house.protocols_are_whole(build(tmp_path / "whole", GOPHER)) == []
    files = {name: text for name, text in GOPHER.items() if name != place}
    assert house.protocols_are_whole(build(tmp_path / "lacking", files)) == found


def test_a_line_in_the_table_without_a_protocol_is_found(tmp_path: Path) -> None:
    table = {"inetcli/cli/app.py": 'GROUPS = {"gopher": Entry(), "finger": Entry()}'}
    assert house.protocols_are_whole(build(tmp_path, GOPHER | table)) == [
        f"finger has no {part}" for part in ("folder", "page", "tests", "mock")
    ]


def test_the_table_says_what_the_commands_say() -> None:
    import click

    with click.Context(cli) as ctx:
        for name, entry in GROUPS.items():
            command = cli.get_command(ctx, name)
            assert command is not None
            assert command.name == name
            assert command.get_short_help_str(100) == entry.short_help


HELPS = [["--help"], ["--version"], ["completion", "bash"]]


@pytest.mark.parametrize("arguments", HELPS)
def test_help_and_completion_import_no_protocol(arguments: list[str]) -> None:
    assert help_loads_no_protocol(ROOT, arguments) == []


@pytest.fixture(scope="module")
def plain_commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """Every command that speaks no TLS, with what it is given, and their servers."""
    files = tmp_path_factory.mktemp("plain")
    (files / "empty").mkdir()
    for name in ("line", "from", "goes"):
        (files / name).write_text("hello\n")
    line = str(files / "line")
    with (
        FtpServer(directory=files) as ftp,
        NntpServer() as news,
        HttpServer() as web,
        DnsServer() as names,
        TimeServer() as clock,
    ):
        yield {
            command: [*command.split(), *arguments]
            for command, arguments in {
                "ftp get": [f"{ftp.url}/line", "-o", "-"],
                "ftp ls": [f"{ftp.url}/"],
                "ftp mkdir": [f"{ftp.url}/new"],
                "ftp mv": [f"{ftp.url}/from", "to"],
                "ftp put": [line, f"{ftp.url}/copy"],
                "ftp pwd": [f"{ftp.url}/"],
                "ftp rm": [f"{ftp.url}/goes"],
                "ftp rmdir": [f"{ftp.url}/empty"],
                "nntp latest": [f"{news.url}/misc.test"],
                "http raw": [f"{web.url}/"],
                "dns lookup": ["www.example.test", f"@{names.host}:{names.port}"],
                "talk tcp": [clock.url, "/dev/null"],
                "talk udp": [clock.url, line],
            }.items()
        }


SPEAK_TLS = {"tls hello"}
"""The commands that have to load ssl."""

PLAIN = sorted(protocol_commands().keys() - SPEAK_TLS)


def test_every_plain_command_has_an_invocation(plain_commands: dict[str, list[str]]) -> None:
    assert sorted(plain_commands) == PLAIN
    assert protocol_commands().keys() >= SPEAK_TLS


@pytest.mark.parametrize("command", PLAIN)
def test_plain_commands_import_nothing_heavy_and_no_ssl(plain_commands: dict[str, list[str]], command: str) -> None:
    assert commands_load_nothing_heavy(ROOT, plain_commands[command]) == []


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program somewhere else, to plant things in."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "inetcli", root / "inetcli", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@contextmanager
def planted(root: Path, place: str, source: str) -> Iterator[None]:
    """A line at the end of a module, for a while."""
    path = root / place
    before = path.read_text()
    path.write_text(f"{before}\n{source}\n")
    try:
        yield
    finally:
        path.write_text(before)


@pytest.mark.parametrize(
    ("command", "place", "source", "name"),
    [
        ("ftp get", "inetcli/net/session.py", "import ssl", "ssl"),
        ("nntp latest", "inetcli/net/stream.py", "import asyncio", "asyncio"),
        ("http raw", "inetcli/protocols/http/view.py", "import email", "email"),
        ("dns lookup", "inetcli/net/resolve.py", "'a'.encode('idna')", "encodings.idna"),
        ("talk tcp", "inetcli/cli/runner.py", "import importlib.metadata", "importlib.metadata"),
    ],
)
def test_a_heavy_import_is_found(
    plain_commands: dict[str, list[str]], copied: Path, command: str, place: str, source: str, name: str
) -> None:
    with planted(copied, place, source):
        found = commands_load_nothing_heavy(copied, plain_commands[command])
    assert f"inetcli {command} loads {name}" in found


@pytest.mark.parametrize("arguments", HELPS)
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import inetcli.protocols.ftp.model", "inetcli.protocols.ftp.model"),
        ("import inetcli.net.clock", "inetcli.net.clock"),
        ("import json", "json"),
    ],
)
def test_a_protocol_that_help_loads_is_found(copied: Path, arguments: list[str], source: str, name: str) -> None:
    with planted(copied, "inetcli/cli/groups.py", source):
        assert f"inetcli {' '.join(arguments)} loads {name}" in help_loads_no_protocol(copied, arguments)


def test_importing_the_mocks_costs_nothing() -> None:
    modules = loaded(ROOT, "import mockservers")
    assert [name for name in ("asyncio", "trustme", "pyftpdlib", "cryptography", "ssl") if name in modules] == []


@pytest.mark.parametrize("command", leaf_commands())
def test_every_command_has_help_with_an_example(command: str) -> None:
    leaf = leaf_commands()[command]
    assert re.search(rf"^    .*\binetcli {command} ", leaf.help, re.MULTILINE)
    assert (SECTION in leaf.help) == bool(leaf.options(common=True))


@pytest.mark.parametrize("command", leaf_commands())
def test_the_help_of_a_command_lists_all_its_options(command: str) -> None:
    leaf = leaf_commands()[command]
    listed = set(re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", leaf.help, re.MULTILINE))
    assert listed - {"--help"} == leaf.options(common=False) | leaf.options(common=True)


def test_the_tree_of_commands_is_read_to_its_leaves() -> None:
    names = leaf_commands()
    assert {"ftp get", "talk udp", "completion"} <= names.keys()
    assert {leaf.group for leaf in names.values()} == GROUPS.keys()
    assert protocol_commands().keys() == names.keys() - {"completion"}
    assert names["ftp get"].options(common=False) >= {"--output", "--sha256"}
    assert names["ftp get"].options(common=True) >= {"--json", "--timeout"}
