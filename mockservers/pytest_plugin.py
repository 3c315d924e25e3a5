"""pytest: the fixture `mockservers`, whose methods bear the servers' names and take their classes' arguments.

    def test_resumes(mockservers):
        ftp = mockservers.ftp(files={"a.bin": b"x" * 9000}, faults=["RETR:rst@4096x1"])
        assert fetch(ftp.url + "/a.bin") == b"x" * 9000

    @pytest.mark.parametrize("fault", faults("ftp"))            # from mockservers import faults
    def test_never_lies(mockservers, fault): ...

Servers live as long as their test, and cost a fraction of a millisecond. It is strict: a test that passed is FAILED all
the same when a handler raised, an HTTP request had no route, an expectation was not met, or a fault never fired;
`@pytest.mark.mockservers(strict=False)` asks for less. Each report of a failure has the transcript of each server.

Importing this module imports nothing but pytest, and the hooks do nothing for tests without the fixture: it may be
installed where nobody uses it.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockservers.fixture import Mockservers

SERVERS = pytest.StashKey["Mockservers"]()
"""The servers of a test."""

MARKER = "mockservers"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{MARKER}(strict=False): let a fault that never fired, or an unexpected request, not fail the test"
    )


@pytest.fixture
def mockservers(request: pytest.FixtureRequest) -> "Generator[Mockservers]":
    """Servers for this test, by their names: `mockservers.ftp(files={...}, faults=[...])`."""
    from mockservers.fixture import Mockservers

    with Mockservers(lambda: request.getfixturevalue("tmp_path_factory").mktemp("home")) as servers:
        request.node.stash[SERVERS] = servers
        yield servers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Judge the servers in the call itself: so the test is FAILED; a teardown could only make it an ERROR."""
    result = yield
    servers = item.stash.get(SERVERS, None)
    if servers is not None and _strict(item):
        problems = servers.problems()
        if problems:
            pytest.fail("\n".join(f"mockservers: {problem}" for problem in problems), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the transcripts to the report of a failure, whatever it was that failed."""
    report = yield
    servers = item.stash.get(SERVERS, None)
    if servers is not None and report.failed:
        report.sections += [(f"mockservers: {name}", text) for name, text in servers.transcripts()]
    return report


def _strict(item: pytest.Item) -> bool:
    marker = item.get_closest_marker(MARKER)
    if marker is None:
        return True
    if marker.args or set(marker.kwargs) - {"strict"}:
        pytest.fail(f"@pytest.mark.{MARKER} takes strict=, got {marker.args or marker.kwargs}", pytrace=False)
    return bool(marker.kwargs.get("strict", True))
