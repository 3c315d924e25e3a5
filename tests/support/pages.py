"""The pages of this project as what they promise: their blocks of code, and whether what came is what they show.

```console                        commands with their output, see `test_readme.py`
```python, followed by ```text    a script and all that it prints; or tests, and a part of pytest's report
```ini or ```toml                 a file for the blocks behind it, as is any block that begins with `# NAME`
<!-- needs curl -->               on the line before a block: skipped where the program is missing
<!-- not run: reason -->          likewise: for reading only
[...]                             in what is shown: any text within the line; alone on a line, any lines
"""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.program import environment

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>.*) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```\n(?:\n*```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_NAME = re.compile(r"# ([\w.-]+\.(?:py|ini|toml))\b")


@dataclass(frozen=True)
class Block:
    """A block of code; `line` is its first one's number. `output` = what it is shown to print."""

    page: str
    line: int
    language: str
    text: str
    output: str | None = None
    needs: tuple[str, ...] = ()
    unrun: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def name(self) -> str | None:
        """The name of the file that it is, if it is one."""
        named = _NAME.match(self.text)
        return named[1] if named else None

    @property
    def tests(self) -> bool:
        """Whether it is for pytest."""
        return re.search(r"^(async )?def test_", self.text, re.MULTILINE) is not None


def blocks_of(page: str, text: str | None = None) -> list[Block]:
    """The blocks of a page, or of a text that stands for it, in their order."""
    if text is None:
        text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        mark = match["mark"] or ""
        needs = tuple(mark.removeprefix("needs ").split()) if mark.startswith("needs ") else ()
        line = text.count("\n", 0, match.start("text")) + 1
        unrun = mark.startswith("not run: ")
        found.append(Block(page, line, match["language"], match["text"], match["output"], needs, unrun))
    return found


def put_files(block: Block, folder: Path) -> None:
    """Write the files that the page shows before the block."""
    for file in blocks_of(block.page):
        if file.name and file.line < block.line:
            (folder / file.name).write_text(file.text, encoding="utf-8")


def matches(expected: Sequence[str], lines: Sequence[str], *, anywhere: bool = False) -> bool:
    """Whether the lines are those that are expected, or have them somewhere, one behind the other."""
    pattern = "".join(r"(?:.*\n)*?" if line == "[...]" else _line_pattern(line) + r"[ \t]*\n" for line in expected)
    text = "".join(f"{line}\n" for line in lines)
    if anywhere:
        return re.search(f"^{pattern}", text, re.MULTILINE) is not None
    return re.fullmatch(pattern, text) is not None


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("[...]"))


def workplace(folder: Path, added: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """A folder to work in, and an environment in which `inetcli`, `mockservers` and `pytest` are ours."""
    scripts = folder / "bin"
    scripts.mkdir()
    for name in ("inetcli", "mockservers", "pytest"):
        strict = "" if name == "pytest" else " -W error"
        (scripts / name).write_text(f'#!/bin/sh\nexec {sys.executable}{strict} -m {name} "$@"\n')
        (scripts / name).chmod(0o755)
    work = folder / "work"
    work.mkdir()
    return work, environment({**added, "PATH": f"{scripts}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"})
