"""A comparison of the start of inetcli with a bare Click program, and of its DNS look-up with dig. FTP: `ftp.py`."""

import sys
import tempfile
from pathlib import Path

from race import INETCLI, OURS, print_head, race

from mockservers import DnsServer

RUNS = 15
BARE = "import click\n@click.group()\ndef cli(): pass\n@cli.command()\ndef get(): pass\ncli()\n"


def main() -> None:
    """Run all comparisons."""
    print_head()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = folder / "bare.py"
        bare.write_text(BARE)
        for arguments in (["--version"], ["--help"], ["ftp", "get", "--help"]):
            contenders = {OURS: [*INETCLI, *arguments], "click": [sys.executable, str(bare), "--help"]}
            race(" ".join(arguments), contenders, folder=folder, runs=RUNS)
        with DnsServer() as dns:
            contenders = {
                OURS: [*INETCLI, "dns", "lookup", "www.example.test", "A", f"@127.0.0.1:{dns.port}"],
                "dig": ["dig", "-p", str(dns.port), "@127.0.0.1", "www.example.test", "A"],
            }
            race("dns lookup", contenders, folder=folder, runs=RUNS)


if __name__ == "__main__":
    main()
