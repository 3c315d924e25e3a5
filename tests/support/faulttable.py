"""The table of all faults in docs/faults.md, generated from the output of `mockservers faults --json`.

`python tests/support/faulttable.py` writes the table; `test_docs.py` checks that the page has the current one.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from support.program import run_module

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- the table: python tests/support/faulttable.py -->\n", "<!-- the table ends -->\n"

HEADS = {
    "any": "Every TCP server: the transport (`silent`, `delay` and `garbage` for datagrams, too)",
    "tls": "Wherever TLS is spoken",
    "ftp": "FTP: `ftp`, `ftpes`, `ftps`",
    "ftps": "FTP with TLS: `ftpes`, `ftps`",
    "nntp": "NNTP: `nntp`, `nntps`",
    "http": "HTTP: `http`, `https`",
    "dns": "DNS: `dns`, `dot`, `doh`",
    "line": "Lines: `tls`, `time`",
}


def faults() -> list[dict[str, Any]]:
    """Return all rows of `mockservers faults --json`."""
    return run_module("mockservers", "faults", "--json").rows


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Format the rows as tables, one below the heading of each server. KeyError for a server without a heading."""
    groups: dict[str, list[str]] = {head: [] for head in HEADS}
    for row in rows:
        # The line servers have one fault of their own: `reply`.
        group = "line" if row["name"] == "reply" and row["server"] in ("tls", "time") else row["server"]
        args = ", ".join(row["args"])
        line = f"| `{row['example']}` | {args} | {row['sees']} |\n"
        if line not in groups[group]:
            groups[group].append(line)
    head = "\n| example | arguments | what a plain client sees |\n|---|---|---|\n"
    return "".join(f"\n### {HEADS[group]}\n{head}{''.join(lines)}" for group, lines in groups.items())


def with_table(page: str, rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the page with its table replaced by a new one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN!r} and {END!r} in {PAGE}")
    return f"{before}{begin}{table(rows)}\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), faults()), encoding="utf-8")
