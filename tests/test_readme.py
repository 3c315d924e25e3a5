"""README.md as a session: every `console` block is run for real, with bash and pipes, against the mock servers.

    $ command            a line for bash, under `set -o pipefail`
    > more of it         its continuation
    [18]                 its exit code; without one it is 0
    [...]                in expected output: any text within the line

The commands of a block run one after the other in one folder; each file's blocks each have their own.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from program import LIMIT_S, environment

from mockservers.child import environment as addresses
from mockservers.registry import start_servers

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
PROTOCOLS = ("ftp", "nntp", "http", "tls", "dns", "talk")


@dataclass
class Step:
    line: int
    command: str
    output: list[str] = field(default_factory=list)
    code: int = 0


def steps_of(block: str, first: int) -> list[Step]:
    steps: list[Step] = []
    for number, line in enumerate(block.splitlines(), first):
        if line.startswith("$ "):
            steps.append(Step(number, line[2:]))
        elif line.startswith("> ") and steps and not steps[-1].output:
            steps[-1].command += "\n" + line[2:]
        elif re.fullmatch(r"\[\d+\]", line):
            steps[-1].code = int(line[1:-1])
        else:
            steps[-1].output.append(line)
    return steps


def blocks_of(page: str) -> Iterator[tuple[int, str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    for match in re.finditer(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 2, match[1]


BLOCKS = [(page, line, block) for page in PAGES for line, block in blocks_of(page)]


@pytest.mark.parametrize(("page", "line", "block"), BLOCKS, ids=[f"{page}:{line}" for page, line, _ in BLOCKS])
def test_session_does_what_the_page_says(page: str, line: int, block: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = start_servers(stack, [], ())
        scripts = tmp_path / "bin"
        scripts.mkdir()
        for name in ("inetcli", "mockservers"):
            (scripts / name).write_text(f'#!/bin/sh\nexec {sys.executable} -W error -m {name} "$@"\n')
            (scripts / name).chmod(0o755)
        folder = tmp_path / "work"
        folder.mkdir()
        env = environment({**addresses(servers), "PATH": f"{scripts}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"})
        for step in steps_of(block, line):
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", step.command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=folder,
                timeout=LIMIT_S,
                check=False,
            )
            shown = done.stdout.decode("utf-8").replace("\r\n", "\n")
            place = f"{page}:{step.line}: $ {step.command}\n{shown}"
            assert matches(step.output, shown.splitlines()), place
            assert done.returncode == step.code, f"{place}[{done.returncode}]"


def matches(expected: list[str], lines: list[str]) -> bool:
    def fits(pattern: str, line: str) -> bool:
        return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("[...]")), line.rstrip()) is not None

    return len(expected) == len(lines) and all(map(fits, expected, lines))


def test_matches_is_not_fooled() -> None:
    assert matches(["a[...]c"], ["abbc"])
    assert not matches(["a[...]c"], ["abb"])
    assert not matches(["a"], ["a", "b"])
    assert not matches([], ["a"])


def test_readme_has_a_session_for_every_protocol() -> None:
    text = "".join(block for page, _, block in BLOCKS if page == "README.md")
    assert [name for name in PROTOCOLS if f"inetcli {name} " not in text] == []


def test_every_linked_page_is_there() -> None:
    for page in ["README.md", "CONTRIBUTING.md", "SECURITY.md", *PAGES]:
        path = ROOT / page
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{page}: {link}"
