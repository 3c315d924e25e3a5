"""Checks of CONTRIBUTING.md: its map against the tree, its glossary against the words of the source, and its sentences.

The map is the first block below "The house": a line a module or folder, each below the folder that it is in. A folder
of `inetcli/protocols` has the six files of a protocol without naming them. The glossary is a table of words.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from support.house import PROTOCOL_FILES

PAGE = "CONTRIBUTING.md"
PROTOCOLS = "inetcli/protocols/"

_MAP = re.compile(r"^## The house\n.*?^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_GLOSSARY = re.compile(r"^## Glossary\n.*?^\|---\|---\|\n(.*?)\n\n", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"( *)(\S+)(?:  +(\S.*))?")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_IT = re.compile(r"\bIt\b")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def places_on_map(page: str) -> list[str]:
    """Return the paths of the map, in its order; a folder ends in a slash."""
    found = _MAP.search(page)
    return list(_below_their_folders(found[1].splitlines() if found else []))


def _below_their_folders(lines: Iterable[str]) -> Iterator[str]:
    folders: list[tuple[int, str]] = []
    for line in lines:
        entry = _ENTRY.fullmatch(line)
        assert entry, f"{PAGE}: no line of a map: {line!r}"
        depth, name = len(entry[1]), entry[2]
        while folders and folders[-1][0] >= depth:
            folders.pop()
        assert entry[3], f"{PAGE}: the map says nothing of {name}"
        path = (folders[-1][1] if folders else "") + name
        if name.endswith("/"):
            folders.append((depth, path))
        yield path


def places_in_tree(root: Path) -> set[str]:
    """Return the paths that the map must have: the modules of `inetcli`, the folders of `mockservers` and `tests`."""
    modules = {path.relative_to(root).as_posix() for path in root.glob("inetcli/**/*.py")}
    own = {f"{Path(path).parent.as_posix()}/" if path.endswith("/__init__.py") else path for path in modules}
    own = {path for path in own if not _is_one_of_the_six(path, modules)}
    others = [*root.glob("mockservers/**/*.py"), *root.glob("tests/*.py"), *root.glob("tests/*/**/*.py")]
    folders = {folder for path in others for folder in path.relative_to(root).parents if folder.parts}
    return own | {f"{path.as_posix()}/" for path in folders if path.parts[0] == "mockservers" or len(path.parts) <= 2}


def _is_one_of_the_six(path: str, modules: set[str]) -> bool:
    if not path.startswith(PROTOCOLS):
        return False
    protocol, _, rest = path.removeprefix(PROTOCOLS).partition("/")
    return rest in {f"{part}.py" for part in PROTOCOL_FILES} and f"{PROTOCOLS}{protocol}/__init__.py" in modules


def differences(root: Path) -> list[str]:
    """Return the differences between the map and the tree."""
    on_map = places_on_map((root / PAGE).read_text(encoding="utf-8"))
    tree = places_in_tree(root)
    return [
        *(f"{place} is not on the map" for place in sorted(tree - set(on_map))),
        *(f"{place} is on the map, and does not exist" for place in sorted(set(on_map) - tree)),
        *(f"{place} is on the map {times} times" for place, times in Counter(on_map).items() if times > 1),
    ]


def glossary(page: str) -> list[str]:
    """Return the words of the glossary, in its order."""
    found = _GLOSSARY.search(page)
    rows = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in found[1].splitlines()] if found else []
    assert all(len(row) == 2 and all(row) for row in rows), f"{PAGE}: a row of the glossary is no word and its meaning"
    return [word for row in rows for word in row[0].split(", ")]


def words_of(text: str) -> str:
    """Split a text into lower-case words, each between blanks: `WaitLimits` and `wait_limits` are two words."""
    return f" {' '.join(word.lower() for word in _WORD.findall(text))} "


def modules_with(word: str, texts: Sequence[str]) -> int:
    """Count the texts, from `words_of`, in which a word of the glossary occurs, in singular or plural."""
    plain = words_of(word).rstrip()
    return sum(any(f"{plain}{ending} " in text for ending in ("", "s", "es")) for text in texts)


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, of its parts and of their attributes, each with its first line's number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def sentences_with_it(text: str, first_line: int = 1) -> list[int]:
    """Return the numbers of the lines on which a sentence begins with "It" instead of its subject.

    Only a sentence begins with a capital letter there. Code is not looked at.
    """
    plain = _CODE.sub(lambda code: "\n" * code[0].count("\n"), text)
    return [first_line + plain.count("\n", 0, match.start()) for match in _IT.finditer(plain)]
