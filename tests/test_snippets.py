"""Every `python` block of the pages is run: as a script, or by pytest when it has tests, in a folder of its own.

`pages` says how blocks are marked. A `text` block behind one is what a script prints, or a part of pytest's report; a
report with a line that begins with FAILED is that of tests that are to fail. Files that a page shows (`# client.py`,
`# pytest.ini`) are there for the blocks behind them. Blocks that are files of a tree (`# inetcli/errors.py`) belong to
the test that builds it.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from support import foreign
from support.pages import PAGES, Block, blocks_of, build_places, matches, put_files, workplace
from support.program import LIMIT_S

ALL = {page: blocks_of(page) for page in PAGES}
FILES = [block for blocks in ALL.values() for block in blocks if block.name]
RUN = [
    block
    for blocks in ALL.values()
    for block in blocks
    if block.language == "python" and not block.name and not block.place and not block.unrun
]
UNRUN = 1
"""Blocks in all the pages that may be for reading only."""

BUILT = {"docs/architecture.md"}
"""Pages whose blocks are files of a tree: `test_new_protocol` builds it."""


@pytest.mark.parametrize("block", RUN, ids=str)
def test_snippet_does_what_the_page_says(block: Block, tmp_path: Path) -> None:
    for name in block.needs:
        foreign.program(name)
    folder, env = workplace(tmp_path, {})
    (folder / "pytest.ini").write_text("[pytest]\n")  # else pytest would find ours, above
    put_files(block, folder)
    (folder / "test_it.py").write_text(block.text)
    how = ["-m", "pytest", "-p", "no:cacheprovider"] if block.tests else ["-W", "error"]
    done = subprocess.run(
        [sys.executable, *how, "test_it.py"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=folder,
        timeout=LIMIT_S,
        check=False,
    )
    shown = done.stdout.decode()
    expected = (block.output or "").splitlines()
    assert matches(expected, shown.splitlines(), anywhere=block.tests), f"{block}:\n{shown}"
    fails = block.tests and any(line.startswith("FAILED") for line in expected)
    assert done.returncode == fails, f"{block}:\n{shown}"


def test_hardly_a_block_is_not_run() -> None:
    known = {"console", "python", "ini", "toml", "sh", "text", "markdown"}
    for blocks in ALL.values():
        for block in blocks:
            assert block.language in known, block
            assert block.language != "text", f"{block}: it stands behind no block that prints it"
            assert block.language not in ("ini", "toml") or block.name, f"{block}: which file is it?"
            assert block.language != "markdown" or block.place, f"{block}: which file is it?"
    assert sum(block.unrun for blocks in ALL.values() for block in blocks) <= UNRUN


def test_files_of_a_tree_stand_where_a_test_builds_them() -> None:
    assert {page for page, blocks in ALL.items() for block in blocks if block.place} == BUILT


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_file_that_is_shown_is_used(file: Block) -> None:
    """By a block behind it that imports it; a configuration, by tests."""
    later = [block for block in RUN if block.page == file.page and block.line > file.line]
    module = str(file.name).removesuffix(".py")
    assert any(block.tests if file.language != "python" else f"from {module} import" in block.text for block in later)


STEPS = """
```markdown
<!-- docs/a.md -->
# A
```

```python
# b/c.py
X = 1
```

```python
# b/t.py, in TABLE
    "c": 3,
```

```python
# b/t.py, in TYPE_CHECKING
    import c
```
"""


def test_steps_of_a_page_build_files_and_add_lines(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    table = tmp_path / "b" / "t.py"
    table.write_text("if TYPE_CHECKING:\n    import b\n\nTABLE: D = {\n    'b': 2,\n}\nX = [\n]\n")
    assert build_places("p.md", tmp_path, STEPS) == ["docs/a.md", "b/c.py", "b/t.py", "b/t.py"]
    assert (tmp_path / "docs" / "a.md").read_text() == "# A\n"
    assert (tmp_path / "b" / "c.py").read_text() == "X = 1\n"
    assert table.read_text() == (
        "if TYPE_CHECKING:\n    import b\n    import c\n\nTABLE: D = {\n    'b': 2,\n    \"c\": 3,\n}\nX = [\n]\n"
    )
    with pytest.raises(AssertionError, match="there already"):
        build_places("p.md", tmp_path, STEPS)
    with pytest.raises(AssertionError, match="no Y to add to"):
        build_places("p.md", tmp_path, "```python\n# b/t.py, in Y\n    1,\n```\n")


def test_blocks_are_found_and_what_they_show_is_compared() -> None:
    shown = "a\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n"
    marked = "<!-- needs curl dig -->\n```console\n$ x\n```\n\n```\nfigure\n```\n"
    first, second = blocks_of("p.md", shown + marked)
    assert (first.line, first.text, first.output, first.tests) == (4, "print(1)\n", "1\n", False)
    assert (second.line, second.language, second.needs) == (13, "console", ("curl", "dig"))
    assert matches(["a[...]c", "[...]", "z"], ["abbc", "1", "2", "z"])
    assert matches(["[...]"], [])
    assert not matches(["a[...]c"], ["abb"])
    assert not matches(["a"], ["a", "b"])
    assert not matches([], ["a"])
    assert matches(["b", "c"], ["a", "b", "c", "d"], anywhere=True)
    assert not matches(["b", "d"], ["a", "b", "c", "d"], anywhere=True)
    assert not matches(["b"], ["ab", "ba"], anywhere=True)
