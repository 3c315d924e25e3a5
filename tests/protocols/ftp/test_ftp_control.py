"""Conversations on the control connection, line by line: pipelining, the login, and resynchronisation."""

import pytest
from support.cutting import session_for
from support.ftpdata import FtpScript

from inetcli.errors import (
    EmptyReply,
    Incomplete,
    InetError,
    LoginDenied,
    ProtocolViolation,
    ReceiveFailed,
    Refused,
    TimedOut,
    TlsHandshake,
    TooLarge,
    Usage,
)
from inetcli.net.credentials import Credentials
from inetcli.net.session import Session
from inetcli.net.trust import TlsMode
from inetcli.protocols.ftp.connect import open_control
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.server_state import ANONYMOUS, ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command
from inetcli.secret import Secret
from inetcli.wire.replies import MAX_LINES
from mockservers import FtpServer

ADA = Credentials("ada", Secret("engine"), "--user")
NOBODY = Credentials("ada", None, "--user")
ASKED = [Command("TYPE", "I"), Command("SIZE", "a")]

LOSES_COUNT = "server does not support pipelining; sending commands one at a time"


def server_key(port: int, who: Credentials = ANONYMOUS, security: TlsMode = TlsMode.OFF, **options) -> ServerKey:
    return ServerKey("127.0.0.1", port, security, who, **options)


def converse(
    server: FtpScript,
    who: Credentials = ANONYMOUS,
    *,
    session: Session | None = None,
    server_state: ServerState | None = None,
) -> list[str]:
    """Send `ASKED`, quit, and return the replies."""
    control = open_control(session or session_for(), server_key(server.port, who), server_state or ServerState())
    try:
        return [str(reply) for reply in control.ask_all(ASKED)]
    finally:
        control.quit()


ANSWERS = ["200 binary", "213 5"]


def test_anonymous_login_is_pipelined_with_the_first_commands() -> None:
    with FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        C SIZE a
        S 331 name?
        S 230 in
        S 200 binary
        S 213 5
        C QUIT
    """) as server:
        assert converse(server) == ANSWERS


def test_password_is_sent_only_after_331() -> None:
    with FtpScript("""
        S 220 hello
        C USER ada
        S 331 and the password
        C PASS engine
        C TYPE I
        C SIZE a
        S 230 in
        S 200 binary
        S 213 5
        C QUIT
    """) as server:
        assert converse(server, ADA) == ANSWERS


@pytest.mark.parametrize(
    ("reply", "who"), [("230 come in", ADA), ("230 come in", NOBODY), ("232 your certificate will do", ADA)]
)
def test_password_is_not_sent_without_331(reply: str, who: Credentials) -> None:
    with FtpScript(f"""
        S 220 hello
        C USER ada
        S {reply}
        C TYPE I
        C SIZE a
        S 200 binary
        S 213 5
        C QUIT
    """) as server:
        assert converse(server, who) == ANSWERS


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("530 TLS first", 'ada: login denied: "530 TLS first"'),
        ("332 account?", "ada: the server requires an account (ACCT)"),
        ("550 no", 'ada: login denied: "550 no"'),
    ],
)
def test_password_is_not_sent_after_user_is_refused(reply: str, message: str) -> None:
    with FtpScript(f"""
        S 220 hello
        C USER ada
        S {reply}
        C QUIT
    """) as server:
        with pytest.raises(LoginDenied) as caught:
            converse(server, ADA)
        assert caught.value.message == message
        assert caught.value.reply == reply


@pytest.mark.parametrize(
    ("reply", "message"),
    [("530 wrong", 'ada: login denied: "530 wrong"'), ("332 account?", "ada: the server requires an account (ACCT)")],
)
def test_a_refused_password_is_not_sent_again(reply: str, message: str) -> None:
    with FtpScript(f"""
        S 220 hello
        C USER ada
        S 331 and?
        C PASS engine
        C TYPE I
        C SIZE a
        S {reply}
        S 530 log in first
        S 530 log in first
        C QUIT
    """) as server:
        session = session_for()
        with pytest.raises(LoginDenied) as caught:
            converse(server, ADA, session=session)
        assert caught.value.message == message
        assert session.attempt.retry_forbidden  # so that no retry sends it once more


def test_missing_password_is_reported() -> None:
    with (
        FtpScript("""
        S 220 hello
        C USER ada
        S 331 and?
        C QUIT
    """) as server,
        pytest.raises(LoginDenied, match="requires a password, and none was given"),
    ):
        converse(server, NOBODY)


def test_login_succeeds_with_230_to_user_whatever_the_reply_to_pass() -> None:
    with FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        C SIZE a
        S 230 in
        S 503 you are in already
        S 200 binary
        S 213 5
        C QUIT
    """) as server:
        assert converse(server) == ANSWERS


def test_denied_anonymous_login_reports_the_first_refusal() -> None:
    with FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        C SIZE a
        S 530 members only
        S 503 USER first
        S 530 no
        S 530 no
        C QUIT
    """) as server:
        with pytest.raises(LoginDenied) as caught:
            converse(server)
        assert caught.value.message == 'anonymous: login denied: "530 members only"'


def test_greeting_may_be_delayed_and_have_several_lines() -> None:
    with FtpScript("""
        S 120 in five minutes
        S 220-hello
        S 220-230 this is no login
        S  220 nor the end
        S 220 now
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        C SIZE a
        S 230-in
        S 331 this is text
        S 230 in
        S 230 again
        S 200 binary
        S 213 5
        C QUIT
    """) as server:
        assert converse(server) == ANSWERS


# FtpPeers that stumble

IN_THE_MIDDLE = """
    S 220 hello
    C USER anonymous
    C PASS anonymous@
    C TYPE I
    C SIZE a
    S 331 name?
"""


@pytest.mark.parametrize("probed", ["S 211 no features", "S 530 log in first"])
def test_pipelining_recovers_if_the_server_drops_commands(probed: str) -> None:
    server_state = ServerState()
    with FtpScript(f"""{IN_THE_MIDDLE}
        C FEAT
        {probed}
        C PASS anonymous@
        S 230 in
        C TYPE I
        S 200 binary
        C SIZE a
        S 213 5
        C QUIT
    """) as server:
        session = session_for(silence_s=0.2)
        assert converse(server, session=session, server_state=server_state) == ANSWERS
        assert session.attempt.notes == [LOSES_COUNT]
    assert not server_state.pipelines
    with FtpScript("""
        S 220 hello
        C USER anonymous
        S 331 name?
        C PASS anonymous@
        S 230 in
        C TYPE I
        S 200 binary
        C SIZE a
        S 213 5
        C QUIT
    """) as server:
        assert converse(server, server_state=server_state) == ANSWERS


@pytest.mark.parametrize("probed", ["S 211 no features", "S 550 no features"])
def test_pipelining_does_not_repeat_commands_for_a_slow_server(probed: str) -> None:
    server_state, session = ServerState(), session_for(silence_s=0.2)
    with FtpScript(f"""{IN_THE_MIDDLE}
        C FEAT
        S 230 in
        S 200 binary
        S 213 5
        {probed}
        C QUIT
    """) as server:
        assert converse(server, session=session, server_state=server_state) == ANSWERS
    assert server_state.pipelines
    assert session.attempt.notes == []


@pytest.mark.parametrize(
    "replies",
    [
        ["230 in", "230 welcome", "200 binary", "213 7"],  # once too often
        ["230 in", "213 5"],  # TYPE is passed over
        ["331 name?", "230 in", "200 binary", "213 7"],  # USER is answered twice, and counts all the same
        ["230 in", "150 what?"],
    ],
)
def test_pipelining_recovers_from_wrong_reply_counts_without_a_second_login(replies: list[str]) -> None:
    said = "".join(f"S {reply}\n" for reply in replies)
    with FtpScript(f"""{IN_THE_MIDDLE}
        {said}
        C FEAT
        S 211 no features
        C TYPE I
        S 200 binary
        C SIZE a
        S 213 5
        C QUIT
    """) as server:
        session = session_for()
        assert converse(server, session=session) == ANSWERS
        assert session.attempt.notes == [LOSES_COUNT]


def test_login_refusal_counts_in_any_order_of_replies() -> None:
    with (
        FtpScript(f"""{IN_THE_MIDDLE}
        S 331 name?
        S 530 no
        S 503 no
        S 503 no
        C FEAT
        S 211 no features
        C TYPE I
        S 530 no
        C SIZE a
        S 530 no
        C QUIT
    """) as server,
        pytest.raises(LoginDenied, match='anonymous: login denied: "530 no"'),
    ):
        converse(server)


def test_pipelining_fails_if_only_a_part_of_the_login_is_answered() -> None:
    with (
        FtpScript(f"""{IN_THE_MIDDLE}
        S 331 name?
        C FEAT
        S 211 no features
        C QUIT
    """) as server,
        pytest.raises(ProtocolViolation, match=r'a reply to the login, got "331 name\?"'),
    ):
        converse(server)


def test_pipelining_fails_if_replies_cannot_be_matched() -> None:
    with (
        FtpScript(f"""{IN_THE_MIDDLE}
        S 230 in
        S 150 what?
        C FEAT
        S 200 one
        S 200 two
        S 200 three
        S 200 four
        C QUIT
    """) as server,
        pytest.raises(ProtocolViolation, match='expected a reply to FEAT, got "200 three"'),
    ):
        converse(server)


def test_probe_after_the_login_is_pwd() -> None:
    with FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        S 230 in
        S 230 in
        C TYPE I
        C SIZE a
        S 213 5
        C PWD
        S 257 "/"
        C TYPE I
        S 200 binary
        C SIZE a
        S 213 5
        C QUIT
    """) as server:
        control = open_control(session_for(), server_key(server.port), ServerState())
        control.ask_all([])
        assert [str(reply) for reply in control.ask_all(ASKED)] == ANSWERS
        control.quit()


def test_unsolicited_replies_are_dropped() -> None:
    with FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C TYPE I
        C SIZE a
        S 230 in
        S 230 in
        S 200 binary
        S 213 5
        S 200 by the way
        C NOOP
        S 250 nothing done
        C QUIT
    """) as server:
        control = open_control(session_for(), server_key(server.port), ServerState())
        control.ask_all(ASKED)
        assert str(control.ask("NOOP")) == "250 nothing done"
        control.quit()


# Ends and limits


@pytest.mark.parametrize(
    ("end", "error", "message"),
    [
        ("S 421 shutting down\nX", Refused, 'the server closes the connection: "421 shutting down"'),
        ("X", Incomplete, None),
        ("R", ReceiveFailed, None),
        ("S 230-in\nX", InetError, None),
        ("S ten\nC QUIT", ProtocolViolation, 'expected a reply with a three-digit code from 100 to 599, got "ten"'),
        ("S 600 no\nC QUIT", ProtocolViolation, None),
        ("S $long\nC QUIT", TooLarge, "a reply line exceeds 8192 bytes"),
        ("S $endless\nC QUIT", TooLarge, f'a reply exceeds {MAX_LINES} lines; first line "230-in"'),
        ("C FEAT", TimedOut, "timed out: the peer was silent for 0.3 s (--timeout)"),
    ],
)
def test_invalid_or_truncated_conversations_raise(end: str, error: type[InetError], message: str | None) -> None:
    data = {"long": b"230 " + b"x" * 9000, "endless": b"230-in\r\n" * (MAX_LINES + 10)}
    text = f"{IN_THE_MIDDLE}\n{end}" + ("\nC QUIT" if end == "C FEAT" else "")
    with FtpScript(text, data=data) as server:
        with pytest.raises(error) as caught:
            converse(server, session=session_for(silence_s=0.3))
        assert message is None or caught.value.message == message


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        ("S 421 too many\nC", Refused),
        ("S 500 no\nC", Refused),
        ("S 230 no\nC", Refused),
        ("X", EmptyReply),
        ("S SSH-2.0-OpenSSH_9.6\nC", ProtocolViolation),
        ("S $long\nC", TooLarge),
    ],
)
def test_greeting_that_is_no_reply(greeting: str, error: type[InetError]) -> None:
    text = greeting.removesuffix("\nC")  # nothing is said to it
    with FtpScript(text, data={"long": b"x" * 9000}) as server, pytest.raises(error) as caught:
        open_control(session_for(), server_key(server.port), ServerState())
    assert caught.value.transient == (greeting in ("X", "S 421 too many\nC"))


# TLS


def test_clear_text_after_the_reply_to_auth_is_a_violation() -> None:
    with (
        FtpScript("""
        S 220 hello
        C AUTH TLS
        S 234 go on
        S 230 you are in
    """) as server,
        pytest.raises(ProtocolViolation, match="in clear between its answer and the TLS handshake"),
    ):
        open_control(session_for(), server_key(server.port, ADA, TlsMode.EXPLICIT), ServerState())


@pytest.mark.parametrize("reply", ["500 AUTH?", "534 no TLS here", "334 more"])
def test_refused_auth_tls_is_an_error(reply: str) -> None:
    with FtpScript(f"""
        S 220 hello
        C AUTH TLS
        S {reply}
    """) as server:
        with pytest.raises(TlsHandshake) as caught:
            open_control(session_for(), server_key(server.port, ADA, TlsMode.EXPLICIT), ServerState())
        assert caught.value.message == f'AUTH TLS refused: "{reply}"'


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
def test_password_is_pipelined_with_tls(tls: str) -> None:
    with FtpServer(tls=tls, users={"ada": "engine"}) as server:
        control = log_in(server, ADA)
        control.quit()
        server.wait_for("QUIT")
        asked = ["USER ada", "PASS engine", "PBSZ 0", "PROT P", "TYPE I", "QUIT"]
        assert server.log.commands() == (["AUTH TLS", *asked] if tls == "explicit" else asked)


@pytest.mark.parametrize("fault", ["PBSZ:reply(500 what?)", "PROT:reply(536 no)", "PROT:reply(431 not now)"])
def test_refused_prot_is_an_error(fault: str) -> None:
    server = FtpServer(tls="explicit", users={"ada": "engine"}, faults=[fault])
    with server, pytest.raises(TlsHandshake, match="refused") as caught:
        log_in(server, ADA)
    assert caught.value.reply_code


def log_in(server: FtpServer, who: Credentials) -> Control:
    control = open_control(session_for(server), server_key(server.port, who, TlsMode(server.tls)), ServerState())
    try:
        control.ask_all([Command("TYPE", "I")])
    except BaseException:
        control.quit()
        raise
    return control


# Names


@pytest.mark.parametrize("name", ["a\r\nDELE b", "a\nb", "a\0b"])
def test_an_argument_that_would_end_the_command_is_never_sent(name: str) -> None:
    with FtpScript("""
        S 220 hello
        C QUIT
    """) as server:
        control = open_control(session_for(), server_key(server.port), ServerState())
        with pytest.raises(Usage, match="SIZE: the argument contains a CR, LF or NUL"):
            control.ask("SIZE", name)
        control.quit()


FEAT = """
    S 220 hello
    C USER anonymous
    C PASS anonymous@
    C FEAT
    C OPTS UTF8 ON
    S 230 in
    S 230 in
"""


@pytest.mark.parametrize(
    ("features", "encoding", "name", "sent"),
    [
        ("S 211-these\nS  UTF8\nS 211 end", "latin-1", "grün", "grün"),
        ("S 211-these\nS  MDTM\nS 211 end", "latin-1", "grün", "gr\\xfcn"),
        ("S 502 no", None, "grün", "grün"),
        ("S 502 no", None, "gr\udcfcn", "gr\\xfcn"),
        ("S 211 none", "cp1250", "ascii", "ascii"),
    ],
)
def test_encoding_of_names(features: str, encoding: str | None, name: str, sent: str) -> None:
    with FtpScript(f"""{FEAT}
        {features}
        S 200 as you like
        C SIZE {sent}
        S 213 5
        C QUIT
    """) as server:
        control = open_control(session_for(), server_key(server.port, encoding=encoding), ServerState())
        control.negotiate_utf8(name)
        control.ask("SIZE", name)
        control.negotiate_utf8(name)  # once is enough
        control.quit()


def test_unencodable_name_is_never_sent() -> None:
    with FtpScript(f"""{FEAT}
        S 502 no
        S 502 no
        C QUIT
    """) as server:
        control = open_control(session_for(), server_key(server.port, encoding="latin-1"), ServerState())
        control.negotiate_utf8("Ω")
        with pytest.raises(Usage, match="SIZE: latin-1 has no bytes for 'Ω'"):
            control.ask("SIZE", "Ω")
        control.quit()
