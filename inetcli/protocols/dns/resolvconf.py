"""The system's name servers: resolv.conf(5).

    nameserver ADDRESS        up to three count, the first first
    ; and # begin comments

Only the servers are used: names are asked for as they are written, without the search list.
"""

from inetcli.errors import LocalRead

PATH = "/etc/resolv.conf"
MAX_SERVERS = 3
"""MAXNS of the C library's resolver."""

_MAX_BYTES = 1 << 16
_DEFAULT = "127.0.0.1"


def parse_resolv_conf(text: str) -> list[str]:
    """The name servers' addresses; the local host when none is named, as resolv.conf(5) has it."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            servers.append(words[1])
    return servers[:MAX_SERVERS] or [_DEFAULT]


def system_servers(path: str = PATH) -> list[str]:
    """The name servers of this machine. `LocalRead` when the file cannot be read; without a file, the local host."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse_resolv_conf(file.read(_MAX_BYTES))
    except FileNotFoundError:
        return [_DEFAULT]
    except OSError as error:
        raise LocalRead(f"{path}: cannot be read: {error.strerror}") from error
