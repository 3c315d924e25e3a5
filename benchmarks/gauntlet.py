"""Runs of common clients against all faults, which make the tables of docs/gauntlet.md in a few minutes.

    python benchmarks/gauntlet.py            all tables, into docs/gauntlet.md
    python benchmarks/gauntlet.py DNS        the tables of one heading, on standard output

Each client is called as in a script: without retries, and with a timeout of three seconds, if it has such options. A
client that is not installed is left out, and a line below the table names it.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import inetcli
from mockservers.families import rows
from mockservers.faultkinds import Armed
from mockservers.faulttext import parse_fault
from mockservers.gauntlet import Run, gauntlet_faults, run_gauntlet
from mockservers.verdict import Verdict

PAGE = Path(__file__).parent.parent / "docs" / "gauntlet.md"
MARK = "<!-- From here on made by benchmarks/gauntlet.py. -->\n"
LIMIT_S = 20
JOBS = 6
"""The number of runs at a time. Most runs only wait for a timeout."""

PYTHON = [sys.executable, "-I", "-W", "ignore", "-c"]
INETCLI = [sys.executable, "-m", "inetcli"]
SILENCE = ["-q", "--connect-timeout", "3", "--timeout", "3"]

FTPLIB = """
from ftplib import FTP
ftp = FTP(timeout=3)
ftp.connect("{host}", {port})
ftp.login()
with open("{out}", "wb") as file:
    ftp.retrbinary("RETR pub/data.bin", file.write)
ftp.quit()
"""
FTP_TLS = """
from ftplib import FTP_TLS
from ssl import create_default_context
ftp = FTP_TLS(timeout=3, context=create_default_context(cafile="{ca}"))
ftp.connect("{host}", {port})
ftp.login()
ftp.prot_p()
with open("{out}", "wb") as file:
    ftp.retrbinary("RETR pub/data.bin", file.write)
ftp.quit()
"""
NNTPLIB = """
from nntplib import NNTP
news = NNTP("{host}", {port}, timeout=3)
_, count, first, last, name = news.group("misc.test")
_, article = news.article(last)
for line in article.lines:
    print(line.decode("utf-8", "replace"))
news.quit()
"""
LFTP = "set net:timeout 3; set net:max-retries 1; set net:reconnect-interval-base 1; "
LFTP_TLS = (
    LFTP
    + "set ssl:ca-file {ca}; "
    + "".join(f"set ftp:ssl-{name} yes; " for name in ("force", "allow-anonymous", "protect-data"))
)
S_CLIENT = "openssl s_client -verify_return_error -verify_ip {host} -CAfile {ca} -connect {host}:{port}"


@dataclass(frozen=True, slots=True)
class Client:
    """A client and its command. `package`: its Debian package; None = a part of this Python."""

    name: str
    package: str | None
    command: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page: a server, the families of its faults (empty = all), and the clients."""

    title: str
    server: str
    clients: list[Client]
    families: tuple[str, ...] = ()

    def faults(self) -> list[Armed]:
        """Return the faults of the table."""
        if not self.families:
            return gauntlet_faults(self.server)
        return [parse_fault(row.example) for row in rows(self.server) if row.server in self.families]


CURL = ["curl", "-sS", "--connect-timeout", "5", "--max-time", "10"]
WGET = ["wget", "-q", "-T", "3", "-t", "1"]
TABLES = [
    Table(
        "FTP",
        "ftp",
        [
            Client("inetcli", None, [*INETCLI, "ftp", "get", *SILENCE, "{url}"]),
            Client("curl", "curl", [*CURL, "-o", "{out}", "{url}"]),
            Client("wget", "wget", [*WGET, "{url}"]),
            Client("lftp", "lftp", ["lftp", "-c", LFTP + "get {url} -o {out}"]),
            Client("aria2", "aria2", ["aria2c", "-q", "--connect-timeout=3", "--timeout=3", "-m", "1", "{url}"]),
            Client("tnftp", "tnftp", ["tnftp", "-q", "3", "-o", "{out}", "{url}"]),
            Client("ftplib", None, [*PYTHON, FTPLIB]),
        ],
    ),
    Table(
        "FTP over TLS",
        "ftpes",
        [
            Client("inetcli", None, [*INETCLI, "ftp", "get", *SILENCE, "--ca", "{ca}", "{url}"]),
            Client(
                "curl",
                "curl",
                [*CURL, "--ssl-reqd", "--cacert", "{ca}", "-o", "{out}", "ftp://{host}:{port}/pub/data.bin"],
            ),
            Client("lftp", "lftp", ["lftp", "-c", LFTP_TLS + "get ftp://{host}:{port}/pub/data.bin -o {out}"]),
            Client("ftplib", None, [*PYTHON, FTP_TLS]),
        ],
        ("ftps", "tls"),
    ),
    Table(
        "NNTP",
        "nntp",
        [
            Client("inetcli", None, [*INETCLI, "nntp", "latest", *SILENCE, "--filter", "none", "{url}"]),
            Client("nntplib", None, [*PYTHON, NNTPLIB]),
        ],
    ),
    Table(
        "HTTP",
        "http",
        [
            Client("inetcli", None, [*INETCLI, "http", "raw", *SILENCE, "--body", "--expect-status", "200", "{url}"]),
            Client("curl", "curl", [*CURL, "-fL", "-o", "{out}", "{url}"]),
            Client("wget", "wget", [*WGET, "{url}"]),
            Client(
                "httpie",
                "httpie",
                ["http", "--ignore-stdin", "--check-status", "--timeout", "3", "-Fbo", "{out}", "{url}"],
            ),
        ],
    ),
    Table(
        "TLS",
        "tls",
        [
            Client(
                "inetcli",
                None,
                [*INETCLI, "tls", "hello", *SILENCE, "--ca", "{ca}", "--send", "hello", "--reply-bytes", "6", "{url}"],
            ),
            Client("s_client", "openssl", ["sh", "-c", f"(echo hello; sleep 3) | {S_CLIENT}"]),
        ],
    ),
    Table(
        "HTTPS: the faults of TLS",
        "https",
        [
            Client("curl", "curl", [*CURL, "-fL", "--cacert", "{ca}", "-o", "{out}", "{url}"]),
            Client(
                "inetcli",
                None,
                [*INETCLI, "http", "raw", *SILENCE, "--ca", "{ca}", "--body", "--expect-status", "200", "{url}"],
            ),
        ],
        ("tls",),
    ),
    Table(
        "DNS",
        "dns",
        [
            Client("inetcli", None, [*INETCLI, "dns", "lookup", *SILENCE, "www.example.test", "A", "@{url}"]),
            Client(
                "dig",
                "bind9-dnsutils",
                ["dig", "+tries=1", "+timeout=3", "@{host}", "-p", "{port}", "www.example.test", "A"],
            ),
            Client(
                "kdig",
                "knot-dnsutils",
                ["kdig", "+retry=0", "+timeout=3", "@{host}", "-p", "{port}", "www.example.test", "A"],
            ),
            Client("drill", "ldnsutils", ["drill", "-p", "{port}", "@{host}", "www.example.test", "A"]),
        ],
    ),
]


def version(client: Client) -> str | None:
    """Return the version of a client; None = not installed."""
    if client.name == "inetcli":
        return inetcli.__version__
    if client.package is None:
        return f"Python {platform.python_version()}" if has_library(client.name) else None
    asked = ["dpkg-query", "-W", "-f", "${Version}", client.package]
    if shutil.which(client.command[0]) is None or shutil.which("dpkg-query") is None:
        return None
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def has_library(name: str) -> bool:
    """Return whether this Python has a library. Python 3.13 has no nntplib."""
    return subprocess.run([*PYTHON, f"import {name}"], capture_output=True, check=False).returncode == 0


def write_table(table: Table) -> Iterator[str]:
    """Yield the section of the page for one table."""
    yield f"## {table.title}\n\n"
    there = [(client, found) for client in table.clients if (found := version(client))]
    faults = table.faults()
    runs = {
        client.name: list(run_gauntlet(table.server, client.command, chosen=faults, limit=LIMIT_S, jobs=JOBS))
        for client, _ in there
    }
    yield f"`mockservers gauntlet {table.server}`, {len(faults)} faults.\n\n"
    titles = ["client", "version", *(verdict.value for verdict in Verdict), "not met"]
    yield f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}\n"
    for client, found in there:
        counts = Counter(run.verdict for run in runs[client.name])
        cells = [str(counts[verdict]) for verdict in Verdict]
        unmet = sum(not run.fired for run in runs[client.name])
        yield f"| {client.name} | {found} | {' | '.join(cells)} | {unmet} |\n"
    missing = [client.name for client in table.clients if client.name not in runs]
    if missing:
        yield f"\nNot installed: {', '.join(missing)}.\n"
    for client, _ in there:
        yield from write_client(client, runs[client.name])
    yield "\n"


def write_client(client: Client, runs: Iterable[Run]) -> Iterator[str]:
    """Yield the command of a client and its wrong runs. Faults with the same verdict and reason share a row."""
    yield f"\n**{client.name}**: `{format_command(client)}`\n"
    wrong = sorted((run for run in runs if not run.right), key=lambda run: (list(Verdict).index(run.verdict), run.why))
    if not wrong:
        yield "\nRight throughout.\n"
        return
    yield "\n| verdict | why | faults |\n|---|---|---|\n"
    for (verdict, why), same in groupby(wrong, key=lambda run: (run.verdict, run.why)):
        named = ", ".join(f"`{run.fault.replace('|', chr(92) + '|')}`" for run in same)
        yield f"| {verdict.value} | {why} | {named} |\n"


def format_command(client: Client) -> str:
    """Return the command as typed in a shell. For a Python script, return the library call."""
    scripts = {FTPLIB: "FTP.retrbinary", FTP_TLS: "FTP_TLS.retrbinary", NNTPLIB: "NNTP.group, NNTP.article"}
    if client.command[-1] in scripts:
        return scripts[client.command[-1]]
    words = (
        ["inetcli", *client.command[len(INETCLI) :]] if client.command[: len(INETCLI)] == INETCLI else client.command
    )
    return " ".join(f"'{word}'" if set(word) & set(" ;|") else word for word in words)


def main() -> None:
    """Write the whole page, or print the tables that the arguments name."""
    os.environ["PYTHONWARNINGS"] = "ignore"
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home  # The clients must not use the files of the real home.
        if sys.argv[1:]:
            for table in TABLES:
                if table.title in sys.argv[1:]:
                    sys.stdout.writelines(write_table(table))
            return
        made = "".join("".join(write_table(table)) for table in TABLES).rstrip() + "\n"
    head = PAGE.read_text().partition(MARK)[0]
    system = f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    PAGE.write_text(f"{head}{MARK}\nOn {system}.\n\n{made}")


if __name__ == "__main__":
    main()
