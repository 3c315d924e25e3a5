"""The error classes that a source raises, found in its syntax tree.

A class counts as raised if its name is used as a value: called, raised, stored in a table, passed to a function. Uses
that only distinguish errors (`except`, `isinstance`, `case`) and type annotations do not count.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "inetcli"


def raised_names() -> set[str]:
    """Return the names that `inetcli` uses as values, except in the module with the error classes."""
    return {
        name
        for path in SOURCE.rglob("*.py")
        if path.name != "errors.py" or path.parent != SOURCE
        for name in used_as_values(path.read_text(encoding="utf-8"))
    }


def used_as_values(source: str) -> Iterator[str]:
    """Yield the names that a source uses as values, including attribute names."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        waiting += _values_in(node)


def _values_in(node: ast.AST) -> Iterable[ast.AST]:
    match node:
        case ast.ExceptHandler():
            return node.body
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[first, *_]):
            return [first]
        case ast.MatchClass():
            return []
        case ast.AnnAssign():
            return [node.value] if node.value else []
        case ast.FunctionDef():
            return [*node.body, *node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        case ast.ClassDef():
            return [*node.body, *node.decorator_list]
        case _:
            return ast.iter_child_nodes(node)
