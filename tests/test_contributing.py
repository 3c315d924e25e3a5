"""The map of the house is the tree, the glossary has the words of the source, and sentences name their subjects."""

from collections import Counter
from pathlib import Path

import pytest
from support.contributing import (
    PAGE,
    differences,
    docstrings,
    glossary,
    modules_with,
    places_on_map,
    sentences_with_it,
    words_of,
)
from support.house import PROTOCOL_FILES, read_modules
from support.pages import PAGES

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
WORDS = glossary(TEXT)
MODULES = 3
"""A word stands in the glossary when it occurs in as many modules."""


def test_the_map_is_the_tree() -> None:
    assert differences(ROOT) == []


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A house with a map that is right."""
    for place in [
        *("inetcli/__init__.py", "inetcli/errors.py", "inetcli/protocols/__init__.py", "mockservers/core.py"),
        *(f"inetcli/protocols/gopher/{part}.py" for part in (*PROTOCOL_FILES, "__init__", "menu")),
        *("mockservers/gopher/server.py", "tests/test_a.py", "tests/wire/test_b.py", "tests/wire/deep/test_c.py"),
    ]:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("")
    lines = [
        *("inetcli/  1", "  errors.py  2", "  protocols/  3", "    gopher/  4", "      menu.py  5"),
        *("mockservers/  6", "  gopher/  7", "tests/  8", "  wire/  9"),
    ]
    (tmp_path / PAGE).write_text("\n".join(["## The house", "", "```", *lines, "```", ""]))
    return tmp_path


def test_a_map_that_is_right_has_no_differences(small: Path) -> None:
    assert differences(small) == []
    assert places_on_map((small / PAGE).read_text())[3:6] == [
        "inetcli/protocols/gopher/",
        "inetcli/protocols/gopher/menu.py",
        "mockservers/",
    ]


@pytest.mark.parametrize(
    ("line", "instead", "found"),
    [
        ("  errors.py  2\n", "", ["inetcli/errors.py is not on the map"]),
        ("  errors.py  2\n", "  errors.py  2\n" * 2, ["inetcli/errors.py is on the map 2 times"]),
        ("  errors.py  2\n", "  errors.py  2\n  a.py  3\n", ["inetcli/a.py is on the map, and does not exist"]),
        ("      menu.py  5\n", "", ["inetcli/protocols/gopher/menu.py is not on the map"]),
        (
            "      menu.py  5\n",
            "      menu.py  5\n      view.py  6\n",
            ["inetcli/protocols/gopher/view.py is on the map"],
        ),
        ("  gopher/  7\n", "", ["mockservers/gopher/ is not on the map"]),
        ("  wire/  9\n", "", ["tests/wire/ is not on the map"]),
    ],
)
def test_a_difference_is_found(line: str, instead: str, found: list[str], small: Path) -> None:
    text = (small / PAGE).read_text()
    assert text.count(line) == 1
    (small / PAGE).write_text(text.replace(line, instead))
    assert [difference[: len(begin)] for difference, begin in zip(differences(small), found, strict=True)] == found


def test_the_glossary_is_in_the_order_of_the_alphabet() -> None:
    assert sorted(WORDS, key=str.lower) == WORDS
    assert [word for word, times in Counter(WORDS).items() if times > 1] == []


@pytest.fixture(scope="module")
def sources() -> list[str]:
    """The words of each module of `inetcli`."""
    return [words_of(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "inetcli").rglob("*.py"))]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_glossary_is_used_in_three_modules(word: str, sources: list[str]) -> None:
    assert modules_with(word, sources) >= MODULES


def test_the_class_names_of_three_modules_are_in_the_glossary() -> None:
    """Errors stand in a tree of their own, and so do the nouns of one protocol in its model."""
    modules = [module for module in read_modules(ROOT) if module.package == "inetcli"]
    shared = {
        name
        for module in modules
        if module.protocol is None and module.name != "inetcli.errors"
        for name in module.classes()
    }
    users = Counter(
        name for module in modules for name in {imported.rpartition(".")[2] for imported in module.imports()} & shared
    )
    known = {words_of(word) for word in WORDS} | {words_of(f"{word}s") for word in WORDS}
    assert [name for name, times in users.items() if times >= MODULES and words_of(name) not in known] == []


def test_words_are_found_in_names_and_in_sentences() -> None:
    texts = [
        words_of(text) for text in ("class WaitLimits:", "wait_limits(x)", "A wait has limits.", "TLS modes", "TlsMode")
    ]
    assert [modules_with(word, texts) for word in ("wait limits", "TLS mode", "wait", "imit")] == [2, 2, 3, 0]


def test_no_sentence_of_a_docstring_begins_with_it() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "inetcli").rglob("*.py"))
        for first, text in docstrings(path.read_text(encoding="utf-8"))
        for line in sentences_with_it(text, first)
    ]
    assert found == []


@pytest.mark.parametrize("page", [*PAGES, PAGE, "CHANGELOG.md"])
def test_no_sentence_of_a_page_begins_with_it(page: str) -> None:
    assert sentences_with_it((ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("It waits.", [1]),
        ("A wait ends.\nIt has a limit.\n\n- It is short; it ends. **It** is", [2, 4, 4]),
        ("A thing. It's here", [1]),
        ("```text\nIt works!\n```\nIt is\n", [4]),
        ("A wait, and it ends; `It is` is code. Italy, IT, `wait` it", []),
    ],
)
def test_a_sentence_that_begins_with_it_is_found(text: str, lines: list[int]) -> None:
    assert sentences_with_it(text) == lines


def test_every_docstring_is_looked_at() -> None:
    source = '''"""Of a module."""
LIMIT = 5
"""Of an attribute."""
class A:
    """Of a class."""
    async def f(self):
        """Of a
        function."""
        return "no docstring"
'''
    assert sorted(docstrings(source)) == [
        (1, "Of a module."),
        (3, "Of an attribute."),
        (5, "Of a class."),
        (7, "Of a\n        function."),
    ]
