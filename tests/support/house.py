"""The architecture rules, as checks of the syntax trees of the source. CONTRIBUTING.md describes them.

Each rule takes the modules and returns the violations, one line each. `tests/test_architecture.py` applies the rules to
the real source, and shows with planted violations that each rule finds one.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = 400
CLOCK_CALLS = {
    "now",
    "today",
    "utcnow",
    "monotonic",
    "monotonic_ns",
    "sleep",
    "perf_counter",
    "perf_counter_ns",
    "time_ns",
    "ctime",
    "localtime",
    "gmtime",
}
CLOCKS = {"time", "time.time"}
"""Calls of the clock that are compared by their whole names, because `reply.time()` is not a call of the clock."""
NETWORK_MODULES = {"socket", "ssl", "select", "selectors", "threading"}
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}
PROTOCOL_FILES = ("model", "wire", "client", "view", "jobs", "commands")
PURE = {"wire", "model", "view"}
FILES = {"destination", "partial", "payload"}
"""The modules that meet local files; they stand beside the floors."""

SHARED_CLASS_NAMES: Mapping[str, Mapping[str, int]] = {
    "inetcli": {},
    "mockservers": {
        "Answer": 2,
        "CannotRun": 2,
        "Cut": 2,
        "Missing": 2,
        "Outcome": 2,
        "Outgoing": 2,
        "Record": 2,
        "Refused": 2,
        "Reply": 2,
        "Session": 2,
    },
}
"""The class names that may occur more than once, and how often.

inetcli: none. A noun of an RFC that two protocols share would stand here with its reason. mockservers: debts, which may
become fewer, and not more.
"""

KNOWN_CIRCLES = {
    frozenset({"mockservers.certs", "mockservers.tls.issuing"}),
    frozenset({"mockservers.log", "mockservers.transcript"}),
}
"""Circles of imports that are there: debts, likewise. Each is broken by one late import."""


@dataclass(frozen=True)
class Module:
    """A source file: its dotted name, its number of lines, and its syntax tree."""

    name: str
    lines: int
    tree: ast.Module

    @property
    def parts(self) -> list[str]:
        """The parts of the dotted name."""
        return self.name.split(".")

    @property
    def protocol(self) -> str | None:
        """The protocol to whose folder the module belongs; None = no protocol."""
        return self.parts[2] if self.name.startswith("inetcli.protocols.") else None

    def imports(self, *, for_types: bool = False) -> Iterator[str]:
        """Yield the dotted names of all imports, also late ones; those under TYPE_CHECKING only with `for_types`."""
        skipped = set() if for_types else set(map(id, _type_checking(self.tree)))
        for node in ast.walk(self.tree):
            if id(node) in skipped:
                continue
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    @property
    def package(self) -> str:
        """The package to which the module belongs."""
        return self.parts[0]

    def classes(self) -> Iterator[str]:
        """Return the names of the classes at the top level of the module."""
        return (node.name for node in self.tree.body if isinstance(node, ast.ClassDef))

    def calls(self) -> Iterator[tuple[int, str]]:
        """Yield the calls in the module: the line, and the name as written."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, ast.unparse(node.func)

    def attributes(self) -> Iterator[tuple[int, str]]:
        """Yield the attributes that the module uses: the line, and the name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield node.lineno, node.attr


def read_modules(root: Path) -> list[Module]:
    """Read all modules of the two packages below `root`."""
    modules = []
    for path in sorted([*root.glob("inetcli/**/*.py"), *root.glob("mockservers/**/*.py")]):
        text = path.read_text(encoding="utf-8")
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        modules.append(Module(name, text.count("\n"), ast.parse(text, str(path))))
    return modules


def click_stays_at_the_command_line(modules: list[Module]) -> list[str]:
    """Check that only cli/ and commands.py import Click."""
    return [
        f"{module.name} imports {name}"
        for module in modules
        if module.name.startswith("inetcli") and not _is_command_line(module)
        for name in module.imports()
        if _top(name) == "click"
    ]


def only_net_meets_the_network_and_the_clock(modules: list[Module]) -> list[str]:
    """Check that only net/ uses sockets, ssl, select, threads and the clock; the meter may use the last two."""
    found = []
    for module in modules:
        if not module.name.startswith("inetcli") or module.name.startswith("inetcli.net"):
            continue
        allowed = {"threading"} if module.name == "inetcli.cli.meter" else set()
        names = {_top(name) for name in module.imports()} & NETWORK_MODULES - allowed
        found += [f"{module.name} imports {name}" for name in sorted(names)]
        if module.name != "inetcli.cli.meter":
            found += [
                f"{module.name}:{line} calls {call}"
                for line, call in module.calls()
                if (call.rpartition(".")[2] in CLOCK_CALLS or call in CLOCKS)
                and "clock" not in call
                and call != "self.now"
            ]
    return found


def imports_are_absolute(modules: list[Module]) -> list[str]:
    """Check that no import is relative (`from ..net import x`), because the rules compare absolute names."""
    return [
        f"{module.name}:{node.lineno} imports by dots"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]


def protocols_keep_to_themselves(modules: list[Module]) -> list[str]:
    """Check that no protocol imports another one."""
    return [
        f"{module.name} imports {name}"
        for module in modules
        if module.protocol
        for name in module.imports(for_types=True)
        if name.startswith("inetcli.protocols.") and name.split(".")[2] != module.protocol
    ]


def the_packages_never_meet(modules: list[Module]) -> list[str]:
    """Check that mockservers and inetcli never import each other: no test would find a mistake in shared code."""
    other = {"inetcli": "mockservers", "mockservers": "inetcli"}
    return [
        f"{module.name} imports {name}"
        for module in modules
        for name in module.imports(for_types=True)
        if _top(name) == other[module.parts[0]]
    ]


def no_drawers_for_odds_and_ends(modules: list[Module]) -> list[str]:
    """Check that no module is called utils, common, helpers or misc."""
    return [f"{module.name} has no subject" for module in modules if module.parts[-1] in BANNED_NAMES]


def protocols_have_their_files(modules: list[Module]) -> list[str]:
    """Check that each protocol has model, wire, client, view, jobs and commands."""
    names = {module.name for module in modules}
    protocols = sorted({module.protocol for module in modules if module.protocol})
    return [
        f"{protocol} has no {part}.py"
        for protocol in protocols
        for part in PROTOCOL_FILES
        if f"inetcli.protocols.{protocol}.{part}" not in names
    ]


def protocols_are_whole(root: Path) -> list[str]:
    """Check that a protocol has six files, a page, tests, a mock, and a line in the table of the root group.

    A protocol that has one of these must have all of them.
    """
    folders = {path.name for path in root.glob("inetcli/protocols/*") if any(path.glob("*.py"))}
    table = _keys_of(root / "inetcli/cli/app.py", "GROUPS") - {"completion"}
    mocks = _keys_of(root / "mockservers/registry.py", "KINDS")
    found = protocols_have_their_files(read_modules(root))
    for name in sorted(folders | table):
        lacks = {
            "folder": name not in folders,
            "line in the table": name not in table,
            "page": not (root / "docs" / f"{name}.md").exists(),
            "tests": not any((root / "tests/protocols" / name).glob("test_*.py")),
            "mock": _MOCKS.get(name, name) not in mocks,
        }
        found += [f"{name} has no {part}" for part, missing in lacks.items() if missing]
    return found


_MOCKS = {"talk": "time"}
"""The mock of a protocol, where the names differ."""


def arrows_point_down(modules: list[Module]) -> list[str]:
    """Check that imports point to lower floors only.

    wire/ and net/ import nothing above them; cli/ imports no protocol; model, wire and view do not import net/; only
    commands and jobs import cli/.
    """
    found = []
    for module in modules:
        for name in module.imports():
            if not name.startswith("inetcli."):
                continue
            floor = name.split(".")[1]
            if module.name.startswith("inetcli.wire") and floor in {"net", "cli", "protocols", *FILES}:
                found.append(f"{module.name} imports {name}")
            if module.name.startswith("inetcli.net") and floor in {"cli", "protocols", *FILES}:
                found.append(f"{module.name} imports {name}")
            if module.name.startswith("inetcli.cli") and floor == "protocols":
                found.append(f"{module.name} imports {name}")
            if module.protocol and module.parts[-1] in PURE and floor in {"cli", *FILES}:
                found.append(f"{module.name} imports {name}")
            if module.protocol and module.parts[-1] in PURE and floor == "net" and name not in _FACTS:
                found.append(f"{module.name} imports {name}")
            if module.protocol and not {"commands", "jobs"} & set(module.parts[3:]) and floor == "cli":
                found.append(f"{module.name} imports {name}")
    return sorted(set(found))


_FACTS = {"inetcli.net.tlsfacts.TlsFacts"}
"""Models in net/ that views may import: `TlsFacts`, which stands beside the private hooks that fill it."""


def only_the_command_line_prints_and_exits(modules: list[Module]) -> list[str]:
    """Check that only cli/ prints, and only cli/app.py ends the process."""
    found = []
    for module in modules:
        if not module.name.startswith("inetcli"):
            continue
        for line, call in module.calls():
            if call in ("print", "click.echo", "sys.stdout.write", "sys.stderr.write") and not module.name.startswith(
                "inetcli.cli"
            ):
                found.append(f"{module.name}:{line} calls {call}")
            if call in ("sys.exit", "os._exit", "os.kill", "exit") and module.name != "inetcli.cli.app":
                found.append(f"{module.name}:{line} calls {call}")
    return found


CONNECTING = {"connect", "connect_address", "with_verification"}
"""Attributes of sessions and sockets that connect. Only `Session.open` may use them, also by another name."""

DATA_CONNECTIONS = ("inetcli.protocols.ftp.data", "connect_address")
"""FTP's passive data connections: the address is known, and TLS follows later, as on the control connection."""


def protocols_connect_through_the_session(modules: list[Module]) -> list[str]:
    """Check that a protocol opens connections with `Session.open` and `Session.start_tls`, and in no other way."""
    found = []
    for module in modules:
        if not module.protocol:
            continue
        found += [
            f"{module.name} imports {name}"
            for name in module.imports()
            if name.startswith("inetcli.net.dial")
            or (name.startswith("inetcli.net.tlsstream") and name != "inetcli.net.tlsstream.TlsStream")
        ]
        found += [
            f"{module.name}:{line} uses {attribute}"
            for line, attribute in module.attributes()
            if attribute in CONNECTING and (module.name, attribute) != DATA_CONNECTIONS
        ]
        found += [
            f"{module.name}:{line} makes a {call}"
            for line, call in module.calls()
            if call.rpartition(".")[2] in ("SocketStream", "TlsStream")
        ]
    return found


def class_names_are_unique(modules: list[Module]) -> list[str]:
    """Check that a top-level class name is unique within its package, so that each use names one class."""
    places: dict[tuple[str, str], list[str]] = {}
    for module in modules:
        for name in module.classes():
            places.setdefault((module.package, name), []).append(module.name)
    return [
        f"{name} is a class of {' and '.join(found)}"
        for (package, name), found in places.items()
        if len(found) > SHARED_CLASS_NAMES[package].get(name, 1)
    ]


def imports_make_no_circle(modules: list[Module]) -> list[str]:
    """Check that no module imports itself through other modules, late imports included."""
    return [
        f"{' and '.join(sorted(circle))} import each other"
        for circle in circles(modules)
        if circle not in KNOWN_CIRCLES
    ]


def circles(modules: list[Module]) -> list[frozenset[str]]:
    """Return the sets of modules that import each other, directly or through other modules of the set."""
    names = {module.name for module in modules}
    reached = {
        module.name: {target for name in module.imports() if (target := _module_of(name, names))} - {module.name}
        for module in modules
    }
    for middle in names:  # Warshall's transitive closure
        for targets in reached.values():
            if middle in targets:
                targets.update(reached[middle])
    found = {
        frozenset(other for other in targets if name in reached[other]): None
        for name, targets in sorted(reached.items())
        if name in targets
    }
    return list(found)


def _module_of(name: str, modules: set[str]) -> str:
    """Return the module of an imported name; empty for a module that is not in the set."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def modules_fit_in_a_head(modules: list[Module]) -> list[str]:
    """Check that a module has at most 400 lines, and a docstring."""
    long = [f"{module.name} has {module.lines} lines" for module in modules if module.lines > MAX_LINES]
    return long + [f"{module.name} has no docstring" for module in modules if not ast.get_docstring(module.tree)]


RULES = (
    click_stays_at_the_command_line,
    only_net_meets_the_network_and_the_clock,
    imports_are_absolute,
    protocols_keep_to_themselves,
    the_packages_never_meet,
    no_drawers_for_odds_and_ends,
    protocols_have_their_files,
    arrows_point_down,
    only_the_command_line_prints_and_exits,
    protocols_connect_through_the_session,
    class_names_are_unique,
    imports_make_no_circle,
    modules_fit_in_a_head,
)


def _keys_of(path: Path, variable: str) -> set[str]:
    """Return the keys of a dict at the top level of a module, from its source; none if there is no such module."""
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == variable:
            value = node.value  # type: ignore[attr-defined]
            return {str(key.value) for key in value.keys if isinstance(key, ast.Constant)}
    return set()


def _top(name: str) -> str:
    return name.partition(".")[0]


def _is_command_line(module: Module) -> bool:
    return module.name.startswith("inetcli.cli") or (module.protocol is not None and module.parts[-1] == "commands")


def _type_checking(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes below `if TYPE_CHECKING:`, which never run."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for inner in node.body:
                yield from ast.walk(inner)
