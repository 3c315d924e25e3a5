"""The pytest plugin, by real runs of pytest in a project that is not ours."""

import importlib.metadata
import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.program import Finished, run_module

from mockservers.families import SERVERS

ROOT = Path(__file__).parents[2]
PLUGIN = ["-p", "mockservers.pytest_plugin"]

RunTests = Callable[..., Finished]


@pytest.fixture
def run_tests(tmp_path: Path) -> RunTests:
    """Run pytest on a test module; the plugins are those that are asked for and no others."""
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers -p no:cacheprovider\nfilterwarnings = error\n"
    )

    def run(source: str, *options: str, plugin: bool = True) -> Finished:
        (tmp_path / "test_it.py").write_text(textwrap.dedent(source))
        env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"}
        return run_module("pytest", *(PLUGIN if plugin else []), *options, cwd=tmp_path, env=env)

    return run


def outcome(done: Finished) -> str:
    """The last line, without its time: `1 failed, 2 passed`."""
    return re.sub(r" in [0-9.]+s.*|=+ ?", "", done.out.rstrip().splitlines()[-1])


def test_every_server_is_there_and_goes_with_its_test(run_tests: RunTests) -> None:
    done = run_tests("""
        import socket, threading
        import pytest
        from mockservers.families import SERVERS

        PORTS = []

        @pytest.mark.parametrize("name", SERVERS)
        def test_connects(mockservers, name):
            server = getattr(mockservers, name)()
            assert server.name == name
            with socket.create_connection((server.host, server.port), 5):
                PORTS.append(server.port)

        def test_all_are_gone():
            assert len(PORTS) == len(SERVERS)
            assert threading.active_count() == 1
            for port in PORTS:
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port), 5)

        def test_arguments_are_those_of_the_classes(mockservers):
            ftp = mockservers.ftp({"a": b"1"}, users={"ada": "x"}, faults=["connect:fin"])
            assert (set(ftp.files), ftp.users) == ({"/a"}, {"ada": "x"})
            with socket.create_connection((ftp.host, ftp.port), 5) as client:
                assert client.recv(1) == b""
            with pytest.raises(TypeError):
                mockservers.ftp(no_such_argument=1)
    """)
    assert outcome(done) == f"{len(SERVERS) + 2} passed", done.out


STRICT = """
    import ftplib, socket, urllib.error, urllib.request
    import pytest

    def test_a_fault_that_never_fires(mockservers):
        ftp = mockservers.ftp(faults=["RETR:rst@4096x1"])
        with ftplib.FTP() as client:
            client.connect(ftp.host, ftp.port, 5)
            client.login("user", "password")

    def test_a_handler_that_raises(mockservers):
        server = mockservers.time(clock=lambda: 1 / 0)
        with socket.create_connection((server.host, server.port), 5) as client:
            client.sendall(b"x\\n")

    def test_a_request_that_has_no_route(mockservers):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(mockservers.http().url + "/nowhere", timeout=5)

    def test_an_expectation_that_is_not_met(mockservers):
        mockservers.nntp().expect("QUIT")

    def test_what_is_said_last_counts(mockservers):
        server = mockservers.ftp()
        server.expect("QUIT")
        with socket.create_connection((server.host, server.port), 5) as client:
            client.recv(100)
            client.sendall(b"QUIT\\r\\n")  # and away, before the server has read it
"""


def test_strict_fails_a_test_that_passed_and_says_why(run_tests: RunTests) -> None:
    done = run_tests(STRICT, "-W", "ignore::ResourceWarning")
    assert outcome(done) == "4 failed, 1 passed", done.out
    told = [line.partition(" - ")[2] for line in done.out.splitlines() if line.startswith("FAILED")]
    assert [re.sub(r"(GET /nowhere).*", r"\1", line) for line in told] == [
        "Failed: mockservers: ftp: fault never fired: RETR:rst@4096x1",
        "Failed: mockservers: time: a handler raised ZeroDivisionError: division by zero",
        "Failed: mockservers: http: no such page: GET /nowhere",
        "Failed: mockservers: nntp: expected QUIT at least once, came 0 times",
    ]
    assert "server = mockservers.time(clock=lambda: 1 / 0)\n" in done.out  # where it raised
    # The servers' story is a section of its own, and no password is in it.
    assert re.search(r"^-+ mockservers: ftp -+\n\+0\.\d+ \+>\n\+0\.\d+ S> 220", done.out, re.MULTILINE)
    assert "C> PASS ***" in done.out
    assert "C> PASS password" not in done.out


def test_the_marker_asks_for_less(run_tests: RunTests) -> None:
    relaxed = "    pytestmark = pytest.mark.mockservers(strict=False)\n"
    source = STRICT.replace("    import pytest\n", "    import pytest\n" + relaxed)
    assert outcome(run_tests(source, "-W", "ignore::ResourceWarning")) == "5 passed"
    done = run_tests("""
        import pytest

        @pytest.mark.mockservers(strickt=False)
        def test_it(mockservers):
            pass
    """)
    assert outcome(done) == "1 failed"
    assert "@pytest.mark.mockservers takes strict=, got {'strickt': False}" in done.out


def test_every_failure_tells_what_the_servers_saw(run_tests: RunTests) -> None:
    done = run_tests("""
        import socket
        import pytest

        def talk(server):
            with socket.create_connection((server.host, server.port), 5) as client:
                client.sendall(b"QUIT\\r\\n")
                while client.recv(100):
                    pass

        @pytest.fixture
        def broken(mockservers):
            talk(mockservers.ftp())
            raise RuntimeError("in the setup")

        @pytest.fixture
        def late(mockservers):
            yield
            talk(mockservers.nntp())
            raise RuntimeError("in the teardown")

        def test_setup(broken): pass

        def test_teardown(late): pass

        def test_two_of_a_kind(mockservers):
            talk(mockservers.ftp())
            talk(mockservers.ftp())
            assert False

        def test_its_own_failure_comes_first(mockservers):
            mockservers.ftp(faults=["RETR:rst"])
            assert 1 == 2

        @pytest.mark.xfail(strict=True)
        def test_expected_to_fail(mockservers):
            mockservers.ftp(faults=["RETR:rst"])

        def test_skipped(mockservers):
            mockservers.ftp(faults=["RETR:rst"])
            pytest.skip("not today")

        def test_without_servers(): pass
    """)
    assert outcome(done) == "2 failed, 2 passed, 1 skipped, 1 xfailed, 2 errors", done.out
    assert done.out.count("- mockservers: ftp -") == 2
    assert done.out.count("- mockservers: ftp 2 -") == 1
    assert done.out.count("- mockservers: nntp -") == 1
    assert done.out.count("C> QUIT") == 4
    assert "assert 1 == 2" in done.out
    assert "never fired" not in done.out


def test_faults_for_parametrize(run_tests: RunTests) -> None:
    done = run_tests("""
        import socket
        import pytest
        from mockservers import faults

        @pytest.mark.parametrize("fault", faults("time"))
        def test_each(mockservers, fault):
            server = mockservers.time(faults=[fault])
            try:
                with socket.create_connection((server.host, server.port), 0.2) as client:
                    client.settimeout(0.2)
                    client.sendall(b"x\\n")
                    client.recv(10)
            except OSError:
                pass
    """)
    assert outcome(done) == "12 passed", done.out


def test_credentials_are_a_home_of_the_tests_own(run_tests: RunTests) -> None:
    done = run_tests("""
        import netrc, os, stat
        import pytest

        BEFORE = dict(os.environ)

        def test_login(mockservers):
            path = mockservers.credentials(mockservers.ftp(users={"ada": "canary"}))
            assert os.environ["HOME"] == str(path.parent) == os.path.expanduser("~")
            assert os.environ["NETRC"] == str(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert netrc.netrc().authenticators("127.0.0.1") == ("ada", "", "canary")

        def test_it_is_over():
            assert dict(os.environ) | {"PYTEST_CURRENT_TEST": ""} == BEFORE | {"PYTEST_CURRENT_TEST": ""}

        def test_an_empty_home(mockservers):
            assert netrc.netrc(mockservers.credentials()).hosts == {}

        def test_one_address_has_one_user(mockservers):
            other = mockservers.ftp(host="::1", users={"b": "c"})
            mockservers.credentials(mockservers.ftp(), mockservers.nntp(), other)
            with pytest.raises(ValueError, match="two users on 127.0.0.1"):
                mockservers.credentials(mockservers.ftp(), mockservers.ftp(users={"b": "c"}))
    """)
    assert outcome(done) == "4 passed", done.out


MANY = """
    import ftplib, socket, ssl
    import pytest

    @pytest.mark.parametrize("number", range(40))
    def test_it(mockservers, number):
        ftp = mockservers.ftp({"a": str(number).encode()})
        got = []
        with ftplib.FTP() as client:
            client.connect(ftp.host, ftp.port, 5)
            client.login()
            client.retrbinary("RETR a", got.append)
        assert b"".join(got) == str(number).encode()

    def test_tls(mockservers):
        server = mockservers.tls(host="::1")
        trusting = ssl.create_default_context(cafile=server.ca_file)
        with socket.create_connection((server.host, server.port), 5) as plain:
            with trusting.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"x\\n")
                assert client.recv(10) == b"x\\n"

    @pytest.mark.parametrize("name", ["dns", "time", "pyftpdlib", "http", "nntp"])
    def test_others(mockservers, name):
        server = getattr(mockservers, name)()
        with socket.create_connection((server.host, server.port), 5):
            pass

    def test_down(mockservers):
        server = mockservers.time()
        with server.down(), pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port), 5)
"""


def test_in_parallel(run_tests: RunTests) -> None:
    done = run_tests(MANY, "-p", "xdist", "-n", "2")
    assert outcome(done) == "47 passed", done.out


def test_beside_pytest_socket(run_tests: RunTests) -> None:
    allowed = ["--disable-socket", "--allow-hosts=127.0.0.1,::1", "--allow-unix-socket"]
    done = run_tests(MANY, "-p", "pytest_socket", *allowed)
    assert outcome(done) == "47 passed", done.out
    refused = run_tests(
        """
        import socket
        import pytest_socket, pytest

        def test_it_is_at_work(mockservers):
            with pytest.raises((pytest_socket.SocketConnectBlockedError, UserWarning)):
                socket.create_connection(("192.0.2.1", 9), 1)
        """,
        *["-p", "pytest_socket", *allowed],
    )
    assert outcome(refused) == "1 passed", refused.out


def test_it_is_inert_until_it_is_used(run_tests: RunTests) -> None:
    source = """
        import sys

        def test_nothing_is_loaded():
            loaded = {name for name in sys.modules if name.startswith("mockservers")}
            assert loaded == {"mockservers", "mockservers.pytest_plugin"}
            assert not {"asyncio", "ssl", "trustme", "cryptography", "pyftpdlib"} & set(sys.modules) - BEFORE
    """
    # What pytest itself loads is not ours to judge.
    done = run_tests("import sys\n\ndef test_it():\n    print(*sys.modules)\n", "-s", plugin=False)
    before = set(done.out.split())
    done = run_tests(f"BEFORE = {sorted(before)!r}\nBEFORE = set(BEFORE)\n" + textwrap.dedent(source))
    assert outcome(done) == "1 passed", done.out
    assert "mockservers(strict=False): " in run_tests("", "--markers").out


def test_pytest_finds_it_by_itself() -> None:
    """By its entry point, in what is installed here; an installation that is older has none, and is to be renewed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"mockservers": "mockservers.pytest_plugin"}
    installed = {point.name: point.value for point in importlib.metadata.entry_points(group="pytest11")}
    assert declared.items() <= installed.items(), "pip install -e . has to be run again"


@pytest.mark.parametrize("autoload", [True, False])
def test_by_its_short_name_it_may_be_asked_for_twice(autoload: bool, tmp_path: Path) -> None:
    """`-p mockservers`, whether plugins are loaded by themselves or not."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p mockservers\n")
    (tmp_path / "test_it.py").write_text("def test_it(mockservers):\n    assert mockservers.time().port\n")
    done = run_module("pytest", cwd=tmp_path, env={} if autoload else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    assert outcome(done) == "1 passed", done.out + done.err


def test_the_fixture_works_in_our_own_tests(mockservers) -> None:  # type: ignore[no-untyped-def]
    assert mockservers.time().name == "time"
