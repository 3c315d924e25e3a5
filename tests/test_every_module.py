"""Every module of `inetcli` has its test module, or stands below with a reason and the place where it is tested."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent

TESTED_ELSEWHERE: dict[str, str] = {}


def modules(root: Path) -> list[str]:
    """Return the paths of all modules below `root` that hold code, relative to it."""
    return sorted(
        str(path.relative_to(root)) for path in root.glob("inetcli/**/*.py") if holds_code(path.read_text("utf-8"))
    )


def holds_code(text: str) -> bool:
    """Tell whether a module has more in it than a docstring."""
    return any(
        not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in ast.parse(text).body
    )


def test_module_of(module: str) -> str:
    """Return the place of a module's tests: the names of test modules are unique, so a protocol's bear its name."""
    _, *folders, name = module.removesuffix(".py").split("/")
    if folders[:1] == ["protocols"]:
        return "/".join(["tests", *folders[:2], f"test_{'_'.join([*folders[1:], name])}.py"])
    return "/".join(["tests", *folders, f"test_{name}.py"])
