"""The gauntlet's verdicts on clients that others wrote are what is known of them."""

import pytest
from support.foreign import program

from mockservers.faulttext import parse_fault
from mockservers.gauntlet import run_gauntlet

TRUNCATED = "RETR:partial(226)@4096"
"""All is well, the server says, after less than SIZE has told."""

CURL = ["curl", "-sS", "--max-time", "15", "-o", "{out}"]
WGET = ["wget", "-q", "-T", "15", "-t", "1"]
LFTP = ["lftp", "-c", "set net:timeout 15; set net:max-retries 1; get {url} -o {out}"]
DIG = ["dig", "+tries=1", "+timeout=2", "@{host}", "-p", "{port}", "www.example.test", "A"]


@pytest.mark.parametrize(
    ("server", "fault", "command", "verdict", "code"),
    [
        ("ftp", TRUNCATED, [*CURL, "{url}"], "partial", 18),
        ("ftp", TRUNCATED, [*CURL, "--remove-on-error", "{url}"], "right", 18),
        ("ftp", TRUNCATED, [*WGET, "{url}"], "lie", 0),
        ("ftp", TRUNCATED, LFTP, "partial", 1),
        ("ftp", "RETR:partial(426)@4096", [*WGET, "{url}"], "partial", 4),
        ("ftp", "RETR:late_final_reply(0.1)", [*WGET, "{url}"], "right", 0),
        ("http", "GET /:fin@400", [*CURL, "{url}"], "partial", 18),
        ("http", "GET /:status(503)", [*CURL, "{url}"], "lie", 0),
        ("http", "GET /:status(503)", [*CURL, "-f", "{url}"], "right", 22),
        ("https", "connect:expired", [*CURL, "--cacert", "{ca}", "{url}"], "right", 60),
        ("https", "connect:expired", [*CURL, "-k", "{url}"], "lie", 0),
        ("dns", "*:rcode(SERVFAIL)", DIG, "lie", 0),
        ("dns", "*:forge_first(id)", DIG, "right", 0),
        ("dns", "*:tc", DIG, "right", 0),
    ],
)
def test_verdict(server: str, fault: str, command: list[str], verdict: str, code: int) -> None:
    program(command[0])
    (run,) = run_gauntlet(server, command, chosen=[parse_fault(fault)])
    assert (run.verdict.value, run.exit_code, run.fired) == (verdict, code, True)
