"""The name servers Knot, NSD and BIND with a zone of the test: their configuration and their start."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.foreign import Running, program, serving

SERVERS = ("knotd", "nsd", "named")

KNOT = """server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{folder}/db"
zone:
  - domain: example.test
    file: "{folder}/zone"
    zonefile-sync: -1
    journal-content: none
    dnssec-signing: {signing}
"""
NSD = """server:
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: "{folder}/nsd.pid"
    zonelistfile: "{folder}/zone.list"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    server-count: 1
    minimal-responses: yes
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: example.test
    zonefile: zone
"""
BIND = """options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    managed-keys-directory "{folder}";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; minimal-responses yes; dnssec-validation no; notify no;
}};
controls {{ }};
zone "example.test" {{ type primary; check-names ignore; file "{folder}/zone"; }};
"""
PROBE = b"\x12\x34\x01\x00\x00\x01\0\0\0\0\0\0\x07example\x04test\0\0\x06\0\x01"


def answers(port: int) -> bool:
    """Return whether the server answers for the zone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(("127.0.0.1", port))
            probe.send(PROBE)
            return probe.recv(4096)[3] & 15 == 0
        except OSError:
            return False


@contextmanager
def nameserver(kind: str, folder: Path, zone: str, *, signing: bool = False) -> Iterator[Running]:
    """Start one of `SERVERS` with a zone for example.test, which Knot can sign."""
    name = program(kind)
    (folder / "zone").write_text(zone)
    (folder / "db").mkdir()

    def command(port: int) -> list[str]:
        config = str(folder / "config")
        text = {"knotd": KNOT, "nsd": NSD, "named": BIND}[kind]
        (folder / "config").write_text(text.format(folder=folder, port=port, signing="on" if signing else "off"))
        return {
            "knotd": [name, "-c", config],
            "nsd": [name, "-d", "-c", config],
            "named": [name, "-g", "-n", "1", "-c", config],
        }[kind]

    with serving(folder, command, ready=answers) as running:
        yield running
