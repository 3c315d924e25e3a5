"""The modules that a command loads, measured after the command has run in an interpreter of its own, from any tree.

`tests/test_architecture.py` applies the rules to the real program, and shows on copies with a planted import that each
rule finds a violation.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.program import LIMIT_S, environment

HEAVY = (
    "asyncio",
    "cryptography",
    "email",
    "encodings.idna",
    "http.client",
    "importlib.metadata",
    "rich",
    "ssl",
    "urllib.request",
)
"""Modules that no command without TLS may load; only `nntp` may load `email`, for article headers."""

INNER = ("inetcli.protocols.", "inetcli.net", "inetcli.wire.target")
"""Prefixes of modules that help and completion must not load."""


def loaded(root: Path, script: str) -> set[str]:
    """Return the modules that are loaded after a script has run with the packages below `root`."""
    code = f"import sys\n{script}\nprint(' '.join(sys.modules), file=sys.__stderr__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
        cwd=root,
        check=False,
        timeout=LIMIT_S,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def after_command(root: Path, arguments: Sequence[str]) -> set[str]:
    """Return the modules that are loaded after a command has succeeded."""
    return loaded(
        root,
        "import inetcli\n"
        f"assert inetcli.__file__.startswith({str(root)!r}), inetcli.__file__\n"
        "from inetcli.cli.app import run\n"
        f"assert run({list(arguments)!r}) == 0",
    )


def commands_load_nothing_heavy(root: Path, arguments: Sequence[str]) -> list[str]:
    """Check rule 6 for a command without TLS. Returns the modules that the command loads and must not load."""
    modules = after_command(root, arguments)
    allowed = {"email"} if arguments[0] == "nntp" else set()
    return [f"inetcli {' '.join(arguments[:2])} loads {name}" for name in HEAVY if name in modules - allowed]


def help_loads_no_protocol(root: Path, arguments: Sequence[str]) -> list[str]:
    """Check rule 6 for help and completion. Returns the modules that they load and must not load."""
    modules = after_command(root, arguments)
    inner = [name for name in modules if name.startswith(INNER)]
    heavy = [name for name in (*HEAVY, "json", "socket") if name in modules]
    return [f"inetcli {' '.join(arguments)} loads {name}" for name in sorted(inner) + heavy]
