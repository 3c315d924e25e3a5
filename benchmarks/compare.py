"""inetcli beside its peers: each pair in turn, A B A B ..., and the median of the ratios of their wall times."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mockservers import DnsServer, FtpServer

RUNS = 15
OURS = [sys.executable, "-m", "inetcli"]
BARE = "import click\n@click.group()\ndef cli(): pass\n@cli.command()\ndef get(): pass\ncli()\n"
SIZE = 256 << 20


def timed(command: Sequence[str], cwd: str) -> float:
    """Seconds of wall time; the command must succeed."""
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def compare(what: str, ours: Sequence[str], peer: Sequence[str], *, runs: int = RUNS) -> None:
    """Print the median ratio of our time to the peer's, after a round that is not counted."""
    if shutil.which(peer[0]) is None:
        print(f"{what:<44} {os.path.basename(peer[0])} is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        pairs = [(timed(ours, folder), timed(peer, folder)) for _ in range(runs + 1)][1:]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(times) * 1000 for times in zip(*pairs, strict=True))
    print(f"{what:<44} {ratio:5.2f} x  ({mine:.0f} ms, {os.path.basename(peer[0])} {theirs:.0f} ms)", flush=True)


def main() -> None:
    """Compare everything."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.py")
        bare.write_text(BARE)
        for arguments in (["--version"], ["--help"], ["ftp", "get", "--help"]):
            compare(f"start: {' '.join(arguments)}", [*OURS, *arguments], [sys.executable, str(bare), "--help"])
    with FtpServer({"big": bytes(SIZE)}) as ftp:
        target = f"ftp://127.0.0.1:{ftp.port}/big"
        get = [*OURS, "ftp", "get", "--force", "-q", target]
        compare("ftp get, 256 MiB to a file", get, ["curl", "-sS", "-o", "big", target], runs=5)
        compare("ftp get, 256 MiB to a file", get, ["wget", "-q", "-O", "big", target], runs=5)
    with DnsServer() as dns:
        ours = [*OURS, "dns", "lookup", "www.example.test", "A", f"@127.0.0.1:{dns.port}"]
        compare("dns lookup, one name", ours, ["dig", "-p", str(dns.port), "@127.0.0.1", "www.example.test", "A"])


if __name__ == "__main__":
    main()
