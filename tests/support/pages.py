"""The code blocks of the documentation pages, and a comparison of real output with the output that a page shows.

```console                        commands with their output, see `test_readme.py`
```python, followed by ```text    a script and its whole output; or tests, and a part of pytest's report
```ini or ```toml                 a file for the following blocks, like any block that begins with `# NAME`
# FOLDER/NAME                     a file in a copy of the tree, see `build_places`; in ```markdown <!-- FOLDER/NAME -->
# FOLDER/NAME, in TABLE           lines for a dict, a list or a block of the module
<!-- needs curl -->               on the line before a block: skip the block if the program is missing
<!-- not run: reason -->          on the line before a block: do not run the block
[...]                             in the output: any text within the line; alone on a line, any lines
"""

import ast
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
_PLACE = re.compile(r"(?:#|<!--) (?P<path>[\w./-]+/[\w.-]+)(?:, in (?P<table>\w+))?(?: -->)?\n")


@dataclass(frozen=True)
class Block:
    """A block of code. `line`: the number of its first line. `output`: the output that the page shows."""

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
        """The name of the file, if the block is a file."""
        named = _NAME.match(self.text)
        return named[1] if named else None

    @property
    def place(self) -> str | None:
        """The path of the file in a copy of the tree that the block contains or extends."""
        placed = _PLACE.match(self.text)
        return placed["path"] if placed else None

    @property
    def tests(self) -> bool:
        """Whether the block has tests for pytest."""
        return re.search(r"^(async )?def test_", self.text, re.MULTILINE) is not None


def blocks_of(page: str, text: str | None = None) -> list[Block]:
    """Return the blocks of a page in their order. `text`: a text to use in place of the page."""
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
    """Write the files that the page has before the block."""
    for file in blocks_of(block.page):
        if file.name and file.line < block.line:
            (folder / file.name).write_text(file.text, encoding="utf-8")


def build_places(page: str, root: Path, text: str | None = None) -> list[str]:
    """Follow the steps of a page in a copy of the tree: write its files, add its lines. Returns the paths, in order."""
    paths = []
    for block in blocks_of(page, text):
        if placed := _PLACE.match(block.text):
            path, content = root / placed["path"], block.text[placed.end() :]
            if placed["table"] is None:
                assert not path.exists(), f"{block}: {placed['path']} is there already"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            else:
                before = path.read_text(encoding="utf-8")
                path.write_text(_with_lines(before, placed["table"], content), encoding="utf-8")
            paths.append(placed["path"])
    return paths


def _with_lines(source: str, table: str, added: str) -> str:
    """Return a module with lines added at the end of a dict, a list or an `if` of its top level."""
    for node in ast.parse(source).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", getattr(node, "test", None))]
        )
        if node.end_lineno and any(isinstance(target, ast.Name) and target.id == table for target in targets):
            end = node.end_lineno if isinstance(node, ast.If) else node.end_lineno - 1
            lines = source.splitlines(keepends=True)
            return "".join([*lines[:end], added, *lines[end:]])
    raise AssertionError(f"there is no {table} to add to")


def matches(expected: Sequence[str], lines: Sequence[str], *, anywhere: bool = False) -> bool:
    """Return whether the lines match the expected ones. `anywhere`: whether they contain them, in a row."""
    pattern = "".join(r"(?:.*\n)*?" if line == "[...]" else _line_pattern(line) + r"[ \t]*\n" for line in expected)
    text = "".join(f"{line}\n" for line in lines)
    if anywhere:
        return re.search(f"^{pattern}", text, re.MULTILINE) is not None
    return re.fullmatch(pattern, text) is not None


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split("[...]"))


def workplace(folder: Path, added: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """Make a working folder, and an environment with the `inetcli`, `mockservers` and `pytest` of this tree."""
    scripts = folder / "bin"
    scripts.mkdir()
    for name in ("inetcli", "mockservers", "pytest"):
        strict = "" if name == "pytest" else " -W error"
        (scripts / name).write_text(f'#!/bin/sh\nexec {sys.executable}{strict} -m {name} "$@"\n')
        (scripts / name).chmod(0o755)
    work = folder / "work"
    work.mkdir()
    return work, environment({**added, "PATH": f"{scripts}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"})
