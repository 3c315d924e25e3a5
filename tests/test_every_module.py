"""Every module of `inetcli` has its test module, or stands below with a reason and the place where it is tested.

inetcli/errors.py                    tests/test_errors.py
inetcli/net/wait.py                  tests/net/test_wait.py
inetcli/protocols/ftp/wire.py        tests/protocols/ftp/test_ftp_wire.py
inetcli/protocols/ftp/jobs/get.py    tests/protocols/ftp/test_ftp_jobs_get.py
"""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

TESTED_ELSEWHERE = {
    "inetcli/__init__.py": "the version, which tests/cli/test_contract.py looks at",
    "inetcli/__main__.py": "two lines: every test that runs the program goes through it (tests/support/program.py)",
    "inetcli/cli/task.py": "what tasks are given and give back: tests/cli/test_runner.py",
    "inetcli/net/progress.py": "a Protocol, and a follower that does nothing: tests/net/test_copy.py",
    "inetcli/defaults.py": "numbers, which tests/cli/test_options.py compares with the contract",
    "inetcli/net/trust.py": "a record of options without behaviour: tests/net/test_tlscontext.py",
    "inetcli/protocols/dns/connection.py": "conversations over TCP: tests/protocols/dns/test_dns_client.py",
    "inetcli/protocols/dns/jobs.py": "through the command: tests/protocols/dns/test_dns_commands.py",
    "inetcli/protocols/ftp/client.py": "a facade: each method is a conversation of tests/protocols/ftp/test_ftp_*.py",
    "inetcli/protocols/ftp/connect.py": "greeting, TLS and login: tests/protocols/ftp/test_ftp_control.py",
    "inetcli/protocols/ftp/dialects.py": "the rows of every dialect: tests/protocols/ftp/test_ftp_listing.py",
    "inetcli/protocols/ftp/directories.py": "made and removed by commands: tests/protocols/ftp/test_ftp_paths.py",
    "inetcli/protocols/ftp/jobs/get.py": "through the command: tests/protocols/ftp/test_ftp_commands.py",
    "inetcli/protocols/ftp/jobs/ls.py": "through the command: tests/protocols/ftp/test_ftp_paths.py",
    "inetcli/protocols/ftp/jobs/paths.py": "through the commands: tests/protocols/ftp/test_ftp_paths.py",
    "inetcli/protocols/ftp/jobs/put.py": "through the command: tests/protocols/ftp/test_ftp_upload.py",
    "inetcli/protocols/ftp/local_file.py": "downloads over all tries: tests/protocols/ftp/test_ftp_download.py",
    "inetcli/protocols/ftp/login.py": "conversations: tests/protocols/ftp/test_ftp_control.py",
    "inetcli/protocols/ftp/pipelining.py": "conversations: tests/protocols/ftp/test_ftp_control.py",
    "inetcli/protocols/ftp/server_state.py": "a record of what was learned: tests/protocols/ftp/test_ftp_control.py",
    "inetcli/protocols/ftp/store.py": "uploads as conversations: tests/protocols/ftp/test_ftp_upload.py",
    "inetcli/protocols/http/jobs.py": "through the command: tests/protocols/http/test_http_commands.py",
    "inetcli/protocols/nntp/jobs.py": "through the command: tests/protocols/nntp/test_nntp_commands.py",
    "inetcli/protocols/talk/jobs.py": "through the commands: tests/protocols/talk/test_talk_commands.py",
    "inetcli/protocols/talk/model.py": "a record without behaviour: tests/protocols/talk/test_talk_client.py",
    "inetcli/protocols/tls/jobs.py": "through the command: tests/protocols/tls/test_tls_commands.py",
}
"""The modules without a test module: why, and where they are tested."""


def unlooked_at(root: Path, elsewhere: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the tests below `root` and the list of modules that are tested elsewhere."""
    modules = [
        str(path.relative_to(root))
        for path in sorted(root.glob("inetcli/**/*.py"))
        if _holds_code(path.read_text(encoding="utf-8"))
    ]
    tested = {module for module in modules if (root / place_of_tests(module)).exists()}
    return [
        *(
            f"{module} has neither {place_of_tests(module)} nor a reason"
            for module in modules
            if module not in tested | elsewhere.keys()
        ),
        *(f"{module} is listed, and there is no such module" for module in elsewhere if module not in modules),
        *(f"{module} is listed, and has {place_of_tests(module)}" for module in elsewhere if module in tested),
        *(
            f"{module} is listed without a place that is there"
            for module, reason in elsewhere.items()
            if not _named(root, reason)
        ),
    ]


def place_of_tests(module: str) -> str:
    """Return the place of a module's tests. Names of test modules are unique, so those of a protocol bear its name."""
    _, *folders, name = module.removesuffix(".py").split("/")
    if name == "__init__" and folders:
        name = folders.pop()
    if folders[:1] == ["protocols"]:
        return "/".join(["tests", *folders[:2], f"test_{'_'.join([*folders[1:], name])}.py"])
    return "/".join(["tests", *folders, f"test_{name}.py"])


def _holds_code(text: str) -> bool:
    """Tell whether a module has more in it than a docstring."""
    return any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in ast.parse(text).body
    )


def _named(root: Path, reason: str) -> bool:
    """Tell whether a reason names a place of tests that exists."""
    places = [word.strip("(),:;") for word in reason.split() if "tests/" in word]
    return bool(places) and all(any(root.glob(place)) for place in places)


def test_every_module_has_its_tests_or_a_reason() -> None:
    assert unlooked_at(ROOT, TESTED_ELSEWHERE) == []


@pytest.mark.parametrize(
    ("module", "place"),
    [
        ("inetcli/errors.py", "tests/test_errors.py"),
        ("inetcli/net/wait.py", "tests/net/test_wait.py"),
        ("inetcli/protocols/ftp/wire.py", "tests/protocols/ftp/test_ftp_wire.py"),
        ("inetcli/protocols/ftp/jobs/get.py", "tests/protocols/ftp/test_ftp_jobs_get.py"),
        ("inetcli/protocols/ftp/jobs/__init__.py", "tests/protocols/ftp/test_ftp_jobs.py"),
        ("inetcli/__init__.py", "tests/test___init__.py"),
    ],
)
def test_a_module_has_one_place_for_its_tests(module: str, place: str) -> None:
    assert place_of_tests(module) == place


TREE = ("inetcli/a.py", "inetcli/net/b.py", "inetcli/protocols/ftp/c.py", "tests/test_a.py", "tests/net/test_b.py")
REASON = {"inetcli/protocols/ftp/c.py": "by way of tests/net/test_b.py"}


@pytest.mark.parametrize(
    ("removed", "elsewhere", "found"),
    [
        ("", REASON, []),
        ("", {}, ["inetcli/protocols/ftp/c.py has neither tests/protocols/ftp/test_ftp_c.py nor a reason"]),
        ("tests/test_a.py", REASON, ["inetcli/a.py has neither tests/test_a.py nor a reason"]),
        ("", REASON | {"inetcli/a.py": "see tests/test_a.py"}, ["inetcli/a.py is listed, and has tests/test_a.py"]),
        (
            "",
            REASON | {"inetcli/gone.py": "tests/test_a.py"},
            ["inetcli/gone.py is listed, and there is no such module"],
        ),
        (
            "",
            {"inetcli/protocols/ftp/c.py": "by way of tests/test_z.py"},
            ["inetcli/protocols/ftp/c.py is listed without a place that is there"],
        ),
        (
            "",
            {"inetcli/protocols/ftp/c.py": "too simple"},
            ["inetcli/protocols/ftp/c.py is listed without a place that is there"],
        ),
    ],
)
def test_a_module_without_tests_and_a_stale_reason_are_found(
    removed: str, elsewhere: dict[str, str], found: list[str], tmp_path: Path
) -> None:
    for place in TREE:
        if place != removed:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text('"""A docstring."""\nx = 1\n')
    (tmp_path / "inetcli" / "__init__.py").write_text('"""A docstring alone."""\n')
    assert unlooked_at(tmp_path, elsewhere) == found
