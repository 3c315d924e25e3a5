"""README.md as a session: every `console` block is run for real, with bash and pipes, against the mock servers.

    $ command            a line for bash, under `set -o pipefail`
    > more of it         its continuation
    [18]                 its exit code; without one it is 0
    [...]                in expected output: any text within the line; alone on a line, any lines

The commands of a block run one after the other in one folder; each file's blocks each have their own.
"""

import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support import foreign
from support.pages import PAGES, ROOT, Block, blocks_of, matches, workplace
from support.program import LIMIT_S

from mockservers.child import environment as addresses
from mockservers.registry import start_servers

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


BLOCKS = [block for page in PAGES for block in blocks_of(page) if block.language == "console" and not block.unrun]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_session_does_what_the_page_says(block: Block, tmp_path: Path) -> None:
    for name in block.needs:
        foreign.program(name)
    with ExitStack() as stack:
        folder, env = workplace(tmp_path, addresses(start_servers(stack, [], ())))
        for step in steps_of(block.text, block.line):
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
            place = f"{block.page}:{step.line}: $ {step.command}\n{shown}"
            assert matches(step.output, shown.splitlines()), place
            assert done.returncode == step.code, f"{place}[{done.returncode}]"


def test_readme_has_a_session_for_every_protocol() -> None:
    text = "".join(block.text for block in BLOCKS if block.page == "README.md")
    assert [name for name in PROTOCOLS if f"inetcli {name} " not in text] == []


def test_every_linked_page_is_there() -> None:
    for page in ["README.md", "CONTRIBUTING.md", "SECURITY.md", *PAGES]:
        path = ROOT / page
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{page}: {link}"
