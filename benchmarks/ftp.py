"""A comparison of FTP downloads by inetcli, curl, lftp and wget from vsftpd: large, small, and with a delay.

    python benchmarks/ftp.py [--runs N] [--size BYTES] [--folder DIR] [large] [tls] [small] [delay]

Needs root and vsftpd, like tests/interop (CONTRIBUTING.md).
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median

from race import INETCLI, OURS, Command, print_head, race, races

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.ftpservers import FtpPeer, Wanted, ftp_server
from support.relay import ADDRESS, Relay

SMALL = 300
SMALL_SIZE = 4096
DELAY_S = 0.025
ROUND_TRIP_S = 2 * DELAY_S
LIMITS = {1: 4.5, 20: 45.0}
"""The maximum number of round trips, by number of small files."""


def one_file(url: str, ca_file: Path | None) -> dict[str, Command]:
    """Return the commands that download one file into the working folder, by program."""
    ours = ["--ca", str(ca_file)] if ca_file else []
    curl = ["--ssl-reqd", "--cacert", str(ca_file)] if ca_file else []
    plain = url.replace("ftpes://", "ftp://")
    secure = f"set ssl:ca-file {ca_file}; set ftp:ssl-force true; set ftp:ssl-allow-anonymous true; "
    server, _, path = plain.removeprefix("ftp://").partition("/")
    wget = [f"--ca-certificate={ca_file}", url.replace("ftpes://", "ftps://")] if ca_file else [plain]
    return {
        OURS: [*INETCLI, "ftp", "get", "-q", *ours, url],
        "curl": ["curl", "-sS", *curl, "-O", plain],
        "lftp": ["lftp", "-c", f"{secure if ca_file else ''}open ftp://{server}; get {path}"],
        "wget": ["wget", "-q", *wget],
    }


def files(urls: list[str], work: Path, *, jobs: int) -> dict[str, Command]:
    """Return the best command of each program to download many files, with `jobs` files at a time where possible."""
    listed, config = work / "urls", work / "curl"
    listed.write_text("".join(f"{url}\n" for url in urls))
    config.write_text("".join(f'url = "{url}"\n' for url in urls))
    server, _, path = urls[0].removeprefix("ftp://").partition("/")
    folder = path.rpartition("/")[0]
    ours = [*INETCLI, "ftp", "get", "-q", "-j", str(jobs)]
    curl = ["curl", "-sS", "--remote-name-all", "-K", str(config)]
    at_a_time: dict[str, Command] = {
        "inetcli -r": [*ours, "-r", f"ftp://{server}/{folder}"],
        "curl -Z": [*curl, "--no-progress-meter", "-Z", "--parallel-max", str(jobs)],
    }
    return {
        OURS: [*ours, "-i", str(listed)],
        "curl": curl,
        "lftp": ["lftp", "-c", f"open ftp://{server}; set cmd:interactive false; mirror --parallel={jobs} {folder} ."],
        "wget": ["wget", "-q", "-i", str(listed)],
        **(at_a_time if jobs > 1 else {}),
    }


def check_sizes(count: int, size: int, folder: Path) -> None:
    """Check that the folder has so many files of this size."""
    sizes = [path.stat().st_size for path in folder.iterdir() if not path.name.startswith(".")]
    if sizes != [size] * count:
        raise AssertionError(f"{folder}: expected {count} files of {size} bytes, got {sizes}")


class Benchmark:
    """The races, with their common settings."""

    def __init__(self, folder: Path, runs: int, size: int) -> None:
        self._folder = folder
        self._runs = runs
        self._size = size

    def large(self, tls: str | None = None) -> None:
        """Run the race with one large file."""
        with ftp_server(Wanted("vsftpd", tls)) as peer:
            with (peer.root / "pub" / "large").open("wb") as file:
                chunk = bytes(range(256)) * 4096
                for _ in range(self._size // len(chunk)):
                    file.write(chunk)
            title = f"{self._size >> 20} MiB{', TLS' if tls else ''}"
            contenders = one_file(peer.url("pub/large"), peer.ca_file)
            race(title, contenders, folder=self._folder, runs=self._runs, check=partial(check_sizes, 1, self._size))

    def tls(self) -> None:
        """Run the race with one large file over TLS."""
        self.large("TLSv1.3")

    def small(self) -> None:
        """Run the race with many small files."""
        with ftp_server(Wanted("vsftpd")) as peer, tempfile.TemporaryDirectory() as work:
            urls = [peer.url(f"pub/{name}") for name in _fill(peer, SMALL)]
            check = partial(check_sizes, SMALL, SMALL_SIZE)
            race(f"{SMALL} files", files(urls, Path(work), jobs=4), folder=self._folder, runs=self._runs, check=check)

    def delay(self) -> None:
        """Run the races with one and with twenty small files, with and without a delay, and print the round trips."""
        lines = []
        with ExitStack() as stack:
            ends = {}
            for delay_s in (0.0, DELAY_S):
                relay = stack.enter_context(Relay(delay_s=delay_s))
                peer = stack.enter_context(ftp_server(Wanted("vsftpd", passive=relay.data, host=ADDRESS)))
                ends[delay_s] = peer, relay.forward(peer.port)
            for count, limit in LIMITS.items():
                groups = {}
                for delay_s, (peer, port) in ends.items():
                    urls = [peer.url(f"pub/{name}", host=ADDRESS, port=port) for name in _fill(peer, count)]
                    work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                    contenders = one_file(urls[0], None) if count == 1 else files(urls, work, jobs=1)
                    groups[f"{count} small, {2000 * delay_s:.0f} ms"] = contenders
                check = partial(check_sizes, count, SMALL_SIZE)
                without, delayed = races(groups, folder=self._folder, runs=self._runs, check=check).values()
                for name in delayed:
                    pairs = zip(delayed[name], without[name], strict=True)
                    trips = median(slow.wall_s - fast.wall_s for slow, fast in pairs) / ROUND_TRIP_S
                    verdict = f" (at most {limit:g})" if name == OURS else ""
                    lines.append(f"{count} small: {name}: {trips:.1f} round trips{verdict}")
        print("\n" + "\n".join(lines))


def _fill(peer: FtpPeer, count: int) -> list[str]:
    names = [f"{number:03d}" for number in range(count)]
    for name in names:
        (peer.root / "pub" / name).write_bytes(bytes(SMALL_SIZE))
    return names


def main() -> None:
    """Run the races that the arguments name, or all."""
    parser = argparse.ArgumentParser(description="Compare FTP downloads by inetcli, curl, lftp and wget.")
    parser.add_argument("races", nargs="*", metavar="large|tls|small|delay", help="races to run (default: all)")
    parser.add_argument("--runs", type=int, default=7, help="rounds of each race (default: 7)")
    parser.add_argument("--size", type=int, default=1 << 30, help="bytes of the large file (default: 1 GiB)")
    parser.add_argument("--folder", type=Path, help="folder for the downloaded files, which are removed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        benchmark = Benchmark(Path(folder), options.runs, options.size)
        races: dict[str, Callable[[], None]] = {
            "large": benchmark.large,
            "tls": benchmark.tls,
            "small": benchmark.small,
            "delay": benchmark.delay,
        }
        print_head()
        for name in options.races or races:
            races[name]()


if __name__ == "__main__":
    main()
