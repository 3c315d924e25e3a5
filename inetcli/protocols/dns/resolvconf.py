"""The system's name servers: resolv.conf(5).

    nameserver ADDRESS        at most three, the first is queried first
    ; and # begin comments

Only the servers are used: names are queried as given, without the search list.
"""

from inetcli.errors import read_error

PATH = "/etc/resolv.conf"
MAX_SERVERS = 3
"""MAXNS of the C library's resolver."""

_MAX_BYTES = 1 << 16
_DEFAULT = "127.0.0.1"


def parse_resolv_conf(text: str) -> list[str]:
    """Return the addresses of the name servers; the local host if there is none, as resolv.conf(5) specifies."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            servers.append(words[1])
    return servers[:MAX_SERVERS] or [_DEFAULT]


def system_servers(path: str = PATH) -> list[str]:
    """Return the name servers of this machine; without the file, the local host. `LocalRead` if the file cannot be
    read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse_resolv_conf(file.read(_MAX_BYTES))
    except FileNotFoundError:
        return [_DEFAULT]
    except OSError as error:
        raise read_error(path, error) from error
