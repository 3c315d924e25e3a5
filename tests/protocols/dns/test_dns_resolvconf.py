"""The system's name servers, from resolv.conf."""

from pathlib import Path

import pytest

from inetcli.errors import LocalRead
from inetcli.protocols.dns.resolvconf import parse_resolv_conf, system_servers


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("nameserver 192.0.2.1\nnameserver 2001:db8::1\n", ["192.0.2.1", "2001:db8::1"]),
        ("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\noptions ndots:2\n", ["127.0.0.1"]),
        (
            "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4",
            ["1.1.1.1", "2.2.2.2", "3.3.3.3"],
        ),
        ("", ["127.0.0.1"]),
        ("nameserver", ["127.0.0.1"]),
    ],
)
def test_parse_resolv_conf(text: str, servers: list[str]) -> None:
    assert parse_resolv_conf(text) == servers


def test_system_servers_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "resolv.conf"
    assert system_servers(str(path)) == ["127.0.0.1"]
    path.write_bytes(b"# \xff\nnameserver 192.0.2.1\n")
    assert system_servers(str(path)) == ["192.0.2.1"]


def test_a_file_that_cannot_be_read_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(LocalRead, match=f"{tmp_path}: cannot be read: "):
        system_servers(str(tmp_path))
