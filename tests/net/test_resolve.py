"""Name look-up with a limit, and with a function in place of the system's resolver."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from inetcli.errors import TimedOut, Unresolved
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import ANY, IPV4, IPV6, Address, resolve
from inetcli.net.wait import Cancel, Cancelled

REAL = socket.getaddrinfo


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], list]], None]:
    """Replaces the system's resolver by a function. The system still parses address literals."""

    def install(look_up: Callable[[str], list]) -> None:
        def getaddrinfo(host: bytes, port: int, family: int = 0, type: int = 0, *, flags: int = 0) -> list:
            if flags & socket.AI_NUMERICHOST:
                return REAL(host, port, family, type, flags=flags)
            return [(row_family, type, 6, "", (address, port)) for row_family, address in look_up(host.decode())]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return install


def no_look_up(host: str) -> list:
    raise AssertionError(f"{host} was looked up")


@pytest.mark.parametrize(
    ("host", "family", "shown"),
    [
        ("127.0.0.1", ANY, "127.0.0.1:21"),
        ("127.0.0.1", IPV4, "127.0.0.1:21"),
        ("::1", ANY, "[::1]:21"),
        ("::1", IPV6, "[::1]:21"),
        ("2001:db8::7", ANY, "[2001:db8::7]:21"),
    ],
)
def test_a_literal_is_not_looked_up(resolver, cancel: Cancel, host: str, family: int, shown: str) -> None:
    resolver(no_look_up)
    assert [str(address) for address in resolve(host, 21, family, Deadline(), cancel)] == [shown]


@pytest.mark.parametrize(
    ("host", "family", "expected"), [("::1", IPV4, "IPv4"), ("127.0.0.1", IPV6, "IPv6"), ("2001:db8::7", IPV4, "IPv4")]
)
def test_a_literal_of_the_other_family_is_an_error(
    resolver, cancel: Cancel, host: str, family: int, expected: str
) -> None:
    resolver(no_look_up)
    with pytest.raises(Unresolved) as caught:
        resolve(host, 21, family, Deadline(), cancel)
    assert caught.value.message == f"{host}: expected an {expected} address, got an address of the other family"


def test_the_order_of_the_resolver_is_kept_and_duplicates_are_removed(resolver, cancel: Cancel) -> None:
    resolver(lambda _: [(IPV4, "192.0.2.2"), (IPV4, "192.0.2.1"), (IPV4, "192.0.2.2")])
    addresses = resolve("two.test", 80, ANY, Deadline(), cancel)
    assert [str(address) for address in addresses] == ["192.0.2.2:80", "192.0.2.1:80"]


@pytest.mark.parametrize(
    ("code", "family", "words"),
    [
        (socket.EAI_NONAME, ANY, "name unknown"),
        (socket.EAI_NODATA, ANY, "name unknown"),
        (socket.EAI_NODATA, IPV6, "name unknown, or it has no IPv6 address"),
        (socket.EAI_AGAIN, ANY, "the name look-up failed: try later"),
    ],
)
def test_the_error_has_the_reason_of_the_resolver(resolver, cancel: Cancel, code: int, family: int, words: str) -> None:
    def refuse(_: str) -> list:
        raise socket.gaierror(code, "try later")

    resolver(refuse)
    with pytest.raises(Unresolved) as caught:
        resolve("nowhere.test", 80, family, Deadline(), cancel)
    assert caught.value.message == f"nowhere.test: {words}"


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test"])
def test_an_invalid_label_is_an_error(cancel: Cancel, host: str) -> None:
    with pytest.raises(Unresolved, match="a label is empty or longer than 63 bytes"):
        resolve(host, 80, ANY, Deadline(), cancel)


@pytest.fixture
def stuck(resolver) -> threading.Event:
    """A resolver that answers only after this event is set."""
    release = threading.Event()

    def look_up(_: str) -> list:
        release.wait(20)
        return [(IPV4, "192.0.2.1")]

    resolver(look_up)
    return release


def find_look_up_thread() -> threading.Thread:
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "look-up of slow.test")
    return thread


def test_a_look_up_that_hangs_times_out_and_is_abandoned(stuck: threading.Event, cancel: Cancel) -> None:
    with pytest.raises(TimedOut) as caught:
        resolve("slow.test", 80, ANY, Deadline().within(0.02, "timed out: not connected (--connect-timeout)"), cancel)
    assert caught.value.message == (
        "slow.test: the name look-up has not answered: timed out: not connected (--connect-timeout)"
    )
    thread = find_look_up_thread()
    assert thread.daemon
    stuck.set()  # A late answer must have no effect.
    thread.join(20)


def test_a_look_up_that_hangs_does_not_delay_cancel(stuck: threading.Event, cancel: Cancel) -> None:
    cancel.set()
    with pytest.raises(Cancelled):
        resolve("slow.test", 80, ANY, Deadline(), cancel)
    thread = find_look_up_thread()
    stuck.set()
    thread.join(20)


STUCK = """
import socket, threading
from inetcli.errors import TimedOut
from inetcli.net.deadline import Deadline
from inetcli.net.resolve import ANY, resolve
from inetcli.net.wait import Cancel

def getaddrinfo(*arguments, flags=0):
    if flags:
        raise socket.gaierror(socket.EAI_NONAME, "")
    threading.Event().wait()

socket.getaddrinfo = getaddrinfo
try:
    resolve("slow.test", 80, ANY, Deadline().within(0.01, ""), Cancel())
except TimedOut:
    print("timed out")
"""


def test_the_end_of_the_program_does_not_wait_for_a_look_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=20, env=dict(os.environ), check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "timed out\n", "")


def test_a_look_up_that_succeeds_closes_its_descriptors(resolver, cancel: Cancel) -> None:
    resolver(lambda _: [(IPV4, "192.0.2.1")])
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        resolve("a.test", 80, ANY, Deadline(), cancel)
    for thread in threading.enumerate():
        if thread.name == "look-up of a.test":
            thread.join(20)
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_address_keeps_its_zone_with_another_port() -> None:
    address = Address(IPV6, ("fe80::1", 21, 0, 3)).with_port(1024)
    assert (address.sockaddr, str(address), address.host, address.port) == (
        ("fe80::1", 1024, 0, 3),
        "[fe80::1]:1024",
        "fe80::1",
        1024,
    )
