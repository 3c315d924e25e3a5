"""What a command loads: the modules that are there after it has run, in an interpreter of its own, from any tree.

`tests/test_architecture.py` holds the real program to it, and shows on copies with a planted import that it bites.
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
"""What no plain command needs; `nntp` reads mail headers with `email`."""

INNER = ("inetcli.protocols.", "inetcli.net", "inetcli.wire.target")
"""What only a command that runs needs: neither help nor completion."""


def loaded(root: Path, script: str) -> set[str]:
    """The modules after a script whose `inetcli` and `mockservers` are those below `root`."""
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
    """The modules after a command that works."""
    return loaded(
        root,
        "import inetcli\n"
        f"assert inetcli.__file__.startswith({str(root)!r}), inetcli.__file__\n"
        "from inetcli.cli.app import run\n"
        f"assert run({list(arguments)!r}) == 0",
    )


def commands_load_nothing_heavy(root: Path, arguments: Sequence[str]) -> list[str]:
    """Rule 6 for a command without TLS, whose mock is there: what it loads and must not."""
    modules = after_command(root, arguments)
    allowed = {"email"} if arguments[0] == "nntp" else set()
    return [f"inetcli {' '.join(arguments[:2])} loads {name}" for name in HEAVY if name in modules - allowed]


def help_loads_no_protocol(root: Path, arguments: Sequence[str]) -> list[str]:
    """Rule 6 for help and completion, likewise."""
    modules = after_command(root, arguments)
    inner = [name for name in modules if name.startswith(INNER)]
    heavy = [name for name in (*HEAVY, "json", "socket") if name in modules]
    return [f"inetcli {' '.join(arguments)} loads {name}" for name in sorted(inner) + heavy]
