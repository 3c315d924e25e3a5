"""docs/architecture.md names only what exists: each path, and each name in brackets behind a path.

`net/session.py` (`Session.open`, `NOT_READY_ERRORS`)        below inetcli/
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pages import blocks_of

ROOT = Path(__file__).parent.parent
PAGE = "docs/architecture.md"
_PATH = re.compile(r"`([\w/]+\.py)`(?: \(((?:`[\w.]+`(?:, )?)+)[):,])?")


def references(page: str) -> list[tuple[str, str | None]]:
    """The paths of the page, each with a name that it is to have; None = the path stands alone."""
    found: list[tuple[str, str | None]] = []
    for path, names in _PATH.findall(page):
        found += [(path, name) for name in re.findall(r"`([\w.]+)`", names)] or [(path, None)]
    return list(dict.fromkeys(found))


def defined(tree: ast.AST, prefix: str = "") -> Iterator[str]:
    """The names that a module defines at its top, and those of its classes behind a dot."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef():
                yield prefix + node.name
                yield from defined(node, f"{prefix}{node.name}.")
            case ast.FunctionDef():
                yield prefix + node.name
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def missing(references: list[tuple[str, str | None]], root: Path) -> list[str]:
    """What is not there: `inetcli/` and `tests/` are looked through."""
    found = []
    for path, name in references:
        places = [place for place in (root / "inetcli" / path, root / path) if place.exists()]
        if not places:
            found.append(f"{path} does not exist")
        elif name and name not in set(defined(ast.parse(places[0].read_text(encoding="utf-8")))):
            found.append(f"{path} has no {name}")
    return found


TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
LATER = {block.place for block in blocks_of(PAGE)} | {"net/proxy.py"}
"""What the page speaks of as to be written."""


def test_every_name_on_the_page_exists() -> None:
    assert missing([(path, name) for path, name in references(TEXT) if path not in LATER], ROOT) == []


@pytest.mark.parametrize("floor", ["cli", "net", "wire", "protocols", "errors.py", "destination.py", "secret.py"])
def test_every_floor_is_on_the_page(floor: str) -> None:
    assert any(path.startswith(floor) and name for path, name in references(TEXT))


def test_names_that_do_not_exist_are_found(tmp_path: Path) -> None:
    (tmp_path / "inetcli").mkdir()
    (tmp_path / "inetcli" / "a.py").write_text("X: int = 1\nclass B:\n    Y = 2\n    def c(self): ...\ndef d(): ...\n")
    text = "`a.py` (`X`, `B.Y`, `B.c`), `a.py` (`d`): `a.py` and `b.py`, (`a.py`, `x`), `a.py` (`B.z`, `c`)"
    assert references(text)[:4] == [("a.py", "X"), ("a.py", "B.Y"), ("a.py", "B.c"), ("a.py", "d")]
    assert missing(references(text), tmp_path) == ["b.py does not exist", "a.py has no B.z", "a.py has no c"]
