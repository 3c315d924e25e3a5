"""Passwords that a server knows are masked wherever they stand in what it shows; its log has the bytes."""

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from ftplib import FTP, error_perm
from http.client import HTTPConnection
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockservers import FtpServer, HttpServer, NntpServer, PyftpdlibServer
from mockservers.log import Kind, Log
from mockservers.passwords import MASK, Passwords

CANARY = "c4n4ry-s3cret"
BASIC = base64.b64encode(f"ada:{CANARY}".encode()).decode()
PLAIN = base64.b64encode(f"\0ada\0{CANARY}".encode()).decode()
ECHOES = (
    CANARY,
    "".join(f"%{ord(character):02x}" for character in CANARY),
    *(base64.b64encode(f"{user}:{CANARY}:".encode()).decode() for user in ("ada", "ab", "a")),
    base64.urlsafe_b64encode(f"???{CANARY}".encode()).decode(),
)
ECHO = " ".join(ECHOES)


def hearing(*lines: str, users: dict[str, str] | None = None) -> Passwords:
    passwords = Passwords()
    passwords.add(users or {})
    for line in lines:
        passwords.hear(1, line.encode())
    return passwords


@pytest.mark.parametrize(
    "lines",
    [
        [f"PASS {CANARY}"],
        ["USER ada", f"pass {CANARY}"],
        [f"ACCT {CANARY}"],
        [f"AUTHINFO PASS {CANARY}"],
        [f"authinfo  pass {CANARY} "],
        [f"AUTHINFO SASL PLAIN {PLAIN}"],
        [f"Authorization: Basic {BASIC}"],
        [f"proxy-authorization:basic {BASIC}"],
    ],
)
def test_a_password_that_a_client_sent_is_masked_in_every_form(lines: list[str]) -> None:
    masked = hearing(*lines).mask(f"530 no entry for {ECHO}.")
    assert masked == f"530 no entry for {' '.join(MASK for _ in ECHOES)}."


def test_the_passwords_of_users_are_masked_before_anybody_sends_them() -> None:
    assert hearing(users={"ada": CANARY, "bob": "another"}).mask(f"{CANARY}, another") == "***, ***"


def test_a_password_with_colons_and_one_outside_ascii_are_masked() -> None:
    password = "a:b:c gr\u00fcn"
    encoded = base64.b64encode(f"ada:{password}".encode()).decode()
    passwords = hearing(f"Authorization: Basic {encoded}")
    assert passwords.mask(f"{password}, {quote(password)}, a:b:c+gr%c3%bcn") == "***, ***, ***"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["USER ada", "PASS abc"], "530 abc"),
        (["USER anonymous", "PASS guest@example"], "530 guest@example"),
        (["USER FTP", "PASS guest"], "530 guest"),
        (["USER user", "PASS password"], "331 password please"),
        (["Authorization: Basic ***"], "Basic ***"),
        (["Authorization: Digest YWRhOmNhbmFyeQ=="], "canary"),
        (["AUTHINFO SASL PLAIN =", "PASSIVE canary", "PASS"], "canary PASS"),
    ],
)
def test_what_is_no_secret_is_shown(lines: list[str], text: str) -> None:
    assert hearing(*lines).mask(text) == text


def test_the_response_to_a_challenge_has_a_password() -> None:
    log = Log()
    log.add(Kind.FROM_CLIENT, "AUTHINFO SASL PLAIN", connection=1)
    log.add(Kind.TO_CLIENT, "383 =\r\n", connection=1)
    log.add(Kind.FROM_CLIENT, PLAIN, connection=1)
    log.add(Kind.TO_CLIENT, f"481 no {CANARY}\r\n", connection=1)
    assert "S> 481 no ***" in log.transcript()
    assert log.commands()[1] == PLAIN


def test_a_password_is_masked_where_a_line_is_cut() -> None:
    log = Log()
    log.add_passwords({"ada": CANARY})
    log.add(Kind.TO_CLIENT, b"x" * 195 + CANARY.encode() + b"y" * 100 + b"\r\n")
    assert f"{'x' * 195}***yy... (" in log.transcript()


def test_a_password_outlives_the_event_that_told_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockservers.log.KEPT", 1)
    log = Log()
    log.add(Kind.FROM_CLIENT, f"PASS {CANARY}")
    log.add(Kind.TO_CLIENT, f"530 no {CANARY}\r\n")
    assert log.transcript().endswith("S> 530 no ***")


@given(st.text("abcdefgh", min_size=4, max_size=10), st.text("ijkl ./%+=\\'\u00e4\n", max_size=80))
def test_text_without_a_password_stays(password: str, text: str) -> None:
    assert hearing(f"PASS {password}").mask(text) == text


@pytest.mark.parametrize("unit", ["a", "YWFh", "%61", "PASS "])
def test_a_long_text_takes_linear_time(unit: str) -> None:
    passwords = hearing(f"PASS {'a' * 20}")
    began = time.process_time()
    assert passwords.mask(unit * (1_000_000 // len(unit)) + " " + "a" * 20).endswith(MASK)
    assert time.process_time() - began < 20


def assert_masked(shown: str) -> None:
    assert MASK in shown
    assert not any(form in shown for form in ECHOES)


@pytest.fixture(params=["mock", "pyftpdlib"])
def ftp(request: pytest.FixtureRequest) -> Iterator[FtpServer | PyftpdlibServer]:
    kind = FtpServer if request.param == "mock" else PyftpdlibServer
    with kind(users={"ada": CANARY}, greeting=f"hello {ECHO}") as server:
        yield server


def test_the_transcript_of_an_ftp_server_is_masked(ftp: FtpServer | PyftpdlibServer) -> None:
    with FTP() as client:
        client.connect(ftp.host, ftp.port, timeout=10)
        client.login("ada", CANARY)
        with pytest.raises(error_perm):
            client.sendcmd(f"CWD {CANARY}")
        client.quit()
    assert_masked(ftp.transcript())
    assert f"CWD {CANARY}" in ftp.log.commands()
    if isinstance(ftp, FtpServer):  # pyftpdlib's greeting is not in its log
        assert any(ECHO in event.data.decode() for event in ftp.log.events(Kind.TO_CLIENT))


def test_the_transcript_of_an_http_server_is_masked() -> None:
    with HttpServer() as server:
        client = HTTPConnection(server.host, server.port, timeout=10)
        client.request("GET", f"/{CANARY}", headers={"Authorization": f"Basic {BASIC}"})
        assert client.getresponse().status == 404
        client.close()
        assert_masked(server.transcript())
        (problem,) = server.problems()
    assert problem == "no such page: GET /***"


def test_expectations_and_timeouts_are_masked() -> None:
    with NntpServer(users={"ada": CANARY}, faults=[f"GROUP:reply(411 {ECHO})"]) as server:
        server.expect(f"GROUP {CANARY}")
        with pytest.raises(TimeoutError) as raised:
            server.wait_for(f"GROUP {CANARY}", timeout=0)
        problems = server.problems()
    assert len(problems) == 2
    assert_masked("\n".join(problems))
    assert CANARY not in str(raised.value)


def test_the_tail_that_run_prints_is_masked() -> None:
    program = (
        "import os, sys; from ftplib import FTP; f = FTP(); f.connect('127.0.0.1', int(os.environ['MOCK_FTP_PORT']))\n"
        f"f.sendcmd('USER ada')\ntry: f.sendcmd('PASS {CANARY}')\nexcept Exception: sys.exit(3)"
    )
    fault = f"PASS:reply(530 no entry for PASS {ECHO})"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mockservers",
            "run",
            "ftp",
            "--fault",
            f"ftp:{fault}",
            "--",
            sys.executable,
            "-c",
            program,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "C> PASS ***" in done.stderr
    assert_masked(done.stderr)
