"""The way in for a developer: the Makefile, the README's two commands, `.ci/run`, and the hooks of pre-commit."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from support.pages import ROOT
from support.program import LIMIT_S, environment

PROMISED = {"setup", "lint", "types", "test", "quick", "ci", "release"}
PROTOCOLS = {path.parent.name for path in ROOT.glob("inetcli/protocols/*/__init__.py")}
FLOORS = {path.parent.name for path in ROOT.glob("inetcli/*/__init__.py")} - {"protocols"} | {"mockservers", "root"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def recipes() -> dict[str, list[str]]:
    """The lines of each target's recipe."""
    found: dict[str, list[str]] = {}
    for line in text_of("Makefile").splitlines():
        if target := re.match(r"([a-z]+):", line):
            found[target[1]] = []
        elif line.startswith("\t"):
            found[list(found)[-1]].append(line.strip())
    return found


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def paths_of(part: str) -> set[Path]:
    """The tests that `make quick P=part` would run."""
    done = make("-n", "quick", f"P={part}")
    assert (done.returncode, done.stderr) == (0, "")
    named = [ROOT / word for word in done.stdout.split() if word.startswith("tests/")]
    return {path for place in named for path in ([place] if place.is_file() else place.rglob("test_*.py"))}


def test_each_recipe_is_one_line() -> None:
    assert recipes().keys() >= PROMISED
    assert {target: lines for target, lines in recipes().items() if len(lines) != 1 or lines[0].endswith("\\")} == {}


def test_contributing_names_the_targets_that_exist() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)", text_of("CONTRIBUTING.md")))
    assert named >= PROMISED
    assert named <= set(recipes())


def test_help_lists_every_target() -> None:
    shown = make().stdout
    assert set(re.findall(r"^  make ([a-z]+) +\S", shown, re.MULTILINE)) == set(recipes())


@pytest.mark.parametrize("part", sorted(PROTOCOLS | FLOORS))
def test_quick_knows_every_protocol_and_floor(part: str) -> None:
    found = paths_of(part)
    assert found
    if part in PROTOCOLS:
        assert {path.parent for path in found} == {ROOT / "tests/protocols" / part}


def test_quick_leaves_out_no_tests_but_those_with_foreign_programs() -> None:
    found = [path for part in sorted(PROTOCOLS | FLOORS) for path in paths_of(part)]
    expected = {path for path in ROOT.glob("tests/**/test_*.py") if "interop" not in path.relative_to(ROOT).parts}
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("given", [["P=ftq"], ["P=interop"], ["P=support"], ["P=ftp nope"], []])
def test_quick_refuses_another_name_with_the_right_ones(given: list[str]) -> None:
    done = make("quick", *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert set(done.stderr.replace(".", " ").split()) >= PROTOCOLS | FLOORS


def test_readme_has_two_commands_that_are_not_silent() -> None:
    shown, tests = [line for line in text_of("README.md").splitlines() if line.startswith("python3 -m venv")]
    assert shown.endswith("mockservers demo")
    assert "pytest" in tests
    assert not re.search(r"(^| )(-q|--quiet)\b", f"{shown} {tests}")


def test_ci_finds_the_second_command_of_the_readme() -> None:
    (pattern,) = re.findall(r"tests=\$\(sed -n '/(.*)/p' README\.md\)", text_of(".ci/run"))
    (line,) = [line for line in text_of("README.md").splitlines() if re.search(pattern, line)]
    assert "pytest" in line


def test_ci_works_in_a_copy() -> None:
    """No venv is removed, and whatever makes files comes after the change to the copy."""
    script = text_of(".ci/run")
    assert not re.search(r"\brm\b.*\.venv", script)
    before, _, after = script.partition('\ncd "$work/copy"\n')
    assert not re.search(r"bin/|-m venv", before.partition("\n")[2])
    assert 'bash -euo pipefail -c "$tests"' in after
    assert not re.search(r"^\s*cd |\bgit\b", after, re.MULTILINE)


def test_tools_come_from_the_group() -> None:
    group = tomllib.loads(text_of("pyproject.toml"))["dependency-groups"]["dev"]
    tools = {re.split(r"[\[><=]", line)[0] for line in group} - {"inetcli"}
    assert tools >= {"ruff", "mypy", "build"}
    for name in (".ci/run", "Makefile"):
        assert "--group dev" in text_of(name), name
        assert not re.search(rf"({'|'.join(tools)}) *[><=]=", text_of(name)), name


def test_pre_commit_fetches_nothing() -> None:
    lines = text_of(".pre-commit-config.yaml").splitlines()
    values = [pair.groups() for line in lines if (pair := re.match(r"[ -]*(\w+): (.*)", line))]
    of = {key: [value for name, value in values if name == key] for key, _ in values}
    assert of["repo"] == ["local"]
    assert of["id"] == ["ruff-check", "ruff-format", "mypy"]
    assert of["language"] == ["system"] * 3
    assert [entry.split()[0] for entry in of["entry"]] == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]
    assert "additional_dependencies" not in of


def test_editors_and_ruff_agree_on_the_length_of_a_line() -> None:
    (length,) = re.findall(r"^max_line_length = (\d+)", text_of(".editorconfig"), re.MULTILINE)
    assert int(length) == tomllib.loads(text_of("pyproject.toml"))["tool"]["ruff"]["line-length"]
