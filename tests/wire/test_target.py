import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.errors import MalformedTarget
from inetcli.wire.target import (
    CLEAR_URL_PORTS,
    TLS_URL_PORTS,
    Target,
    bracket_host,
    decode_path,
    mask_target,
    parse_host_port,
    parse_host_target,
    parse_target,
)

FTP = {"ftp": 21, "ftpes": 21, "ftps": 990}
HTTP = {"http": 80, "https": 443}
TALK = {"talk": None}


def ftp(text: str) -> Target:
    return parse_target(text, FTP, "ftp")


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "path"),
    [
        ("host", "ftp", "host", 21, None),
        ("host/", "ftp", "host", 21, ""),
        ("host/a/b.txt", "ftp", "host", 21, "a/b.txt"),
        ("host//etc/motd", "ftp", "host", 21, "/etc/motd"),
        ("host:2121/a", "ftp", "host", 2121, "a"),
        ("host:00021", "ftp", "host", 21, None),
        ("192.0.2.7/a", "ftp", "192.0.2.7", 21, "a"),
        ("[2001:db8::7]/a", "ftp", "2001:db8::7", 21, "a"),
        ("[2001:db8::7]:2121/a", "ftp", "2001:db8::7", 2121, "a"),
        ("[::ffff:192.0.2.7]", "ftp", "::ffff:192.0.2.7", 21, None),
        ("[fe80::1%eth0]/a", "ftp", "fe80::1%eth0", 21, "a"),
        ("ftp://host/a", "ftp", "host", 21, "a"),
        ("FTPS://Host/a", "ftps", "Host", 990, "a"),
        ("ftpes://host:2121", "ftpes", "host", 2121, None),
        ("host/what?#is this", "ftp", "host", 21, "what?#is this"),
        ("ftp://host/a?b#c", "ftp", "host", 21, "a?b#c"),
        ("host/a:b@c", "ftp", "host", 21, "a:b@c"),
        ("host/http://x", "ftp", "host", 21, "http://x"),
        ("host/100%25", "ftp", "host", 21, "100%25"),
        ("under_score.test./a", "ftp", "under_score.test.", 21, "a"),
        ("xn--bcher-kva.test", "ftp", "xn--bcher-kva.test", 21, None),
        ("bücher.test/a", "ftp", "xn--bcher-kva.test", 21, "a"),
        ("faß.test", "ftp", "xn--fa-hia.test", 21, None),
    ],
)
def test_a_target(text: str, scheme: str, host: str, port: int, path: str | None) -> None:
    assert ftp(text) == Target(text, scheme, host, port, path, None, None)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("http://host?q=1", "?q=1"),
        ("http://host#top", "#top"),
        ("http://host/a?q=/b", "a?q=/b"),
        ("http://host?to=http://other/", "?to=http://other/"),
        ("host/a?q", "a?q"),
    ],
)
def test_in_http_a_query_needs_no_slash(text: str, path: str) -> None:
    target = parse_target(text, HTTP, "http")
    assert (target.host, target.path) == ("host", path)


@pytest.mark.parametrize(
    ("text", "user", "password", "shown"),
    [
        ("ada@host/a", "ada", None, "ada@host/a"),
        ("ada:pw@host/a", "ada", "pw", "ada:***@host/a"),
        ("ftp://ada:pw@host:21/a", "ada", "pw", "ftp://ada:***@host:21/a"),
        ("ftp://ada:@host", "ada", "", "ftp://ada:***@host"),
        ("ftp://a%40b:p%2Fw%3a@[::1]/a", "a@b", "p/w:", "ftp://a%40b:***@[::1]/a"),
        ("ftp://ada:p@w:x@host/a", "ada", "p@w:x", "ftp://ada:***@host/a"),
        ("ftp://ada:%C3%A9%FF@host", "ada", "é\udcff", "ftp://ada:***@host"),
    ],
)
def test_user_and_password(text: str, user: str, password: str | None, shown: str) -> None:
    target = ftp(text)
    assert (target.host, target.user, target.text) in (("host", user, shown), ("::1", user, shown))
    assert (target.password and target.password.reveal()) == password
    assert "pw" not in repr(target)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "host missing"),
        ("/a", "host missing"),
        (":21/a", "host missing"),
        ("ada@/a", "host missing"),
        ("http://host/", "unsupported scheme http://; expected ftp://, ftpes:// or ftps://"),
        ("ftp:///a", "host missing"),
        ("ho st/a", '"ho st" is not a valid host name'),
        ("host?x", '"host?x" is not a valid host name'),
        ("host\\x/a", "is not a valid host name"),
        ("h%6Fst/a", "is not a valid host name"),
        ("a" * 255, "is not a valid host name"),
        ("::1/a", "an IPv6 address must be in brackets"),
        ("2001:db8::1", "an IPv6 address must be in brackets"),
        ("[::1/a", '"[::1" is not an IPv6 address in brackets'),
        ("[127.0.0.1]/a", "is not an IPv6 address in brackets"),
        ("[]/a", "is not an IPv6 address in brackets"),
        ("[:::]/a", "is not an IPv6 address in brackets"),
        ("[1:2]", "is not an IPv6 address in brackets"),
        ("[::1%]", "is not an IPv6 address in brackets"),
        ("[::1]x/a", '"x" after the bracket; expected :port'),
        ("host:/a", "invalid port; expected a number from 1 to 65535"),
        ("host:0", "invalid port"),
        ("host:65536", "invalid port"),
        ("host:-1", "invalid port"),
        ("host:+1", "invalid port"),
        ("host:2 1", "invalid port"),
        ("host:²", "invalid port"),
        ("[::1]:", "invalid port"),
        ("[::1]:x", "invalid port"),
        ("host/a\r", "contains \\r"),
        ("host/a\nQUIT", "contains \\n"),
        ("host/\0", "contains \\x00"),
        ("ada%0d%0aDELE@host/", "bad percent-encoding in the user name or password"),
        ("ada:%zz@host/", "bad percent-encoding in the user name or password"),
        ("\N{SNOWMAN}\u200b\N{SNOWMAN}..test/a", "is not a valid international domain name"),
    ],
)
def test_a_malformed_target_is_refused(text: str, words: str) -> None:
    with pytest.raises(MalformedTarget) as caught:
        ftp(text)
    assert words in caught.value.message
    assert caught.value.exit_code == 3


def test_a_port_may_be_needed() -> None:
    assert parse_target("host:7", TALK, "talk").port == 7
    with pytest.raises(MalformedTarget, match="port missing; expected host:port"):
        parse_target("host", TALK, "talk")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("host/a", "host/a"),
        ("host:21/a@b", "host:21/a@b"),
        ("host/a:b@c", "host/a:b@c"),
        ("http://host/?q=a:b@c", "http://host/?q=a:b@c"),
        ("[::1]:21/a@b", "[::1]:21/a@b"),
        ("[::1]/a:b@c", "[::1]/a:b@c"),
        ("ada@host/a", "ada@host/a"),
        ("ada:pw@host/a", "ada:***@host/a"),
        ("gopher://ada:pw@host/a", "gopher://ada:***@host/a"),
        ("ada:p/w@host/a", "ada:***@host/a"),
        ("ada:/pw@host/a", "ada:***@host/a"),
        ("ftp://ada:p/w@host", "ftp://ada:***@host"),
        ("ada:p@w/x@host", "ada:***@w/x@host"),
        ("ada:pw", "ada:***"),
        ("host:", "host:"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_mask_target_hides_the_password(text: str, shown: str) -> None:
    assert mask_target(text) == shown


@pytest.mark.parametrize("text", ["ada:pass@host:port/a", "ada:pass@ho st", "x://ada:pass@host", "ada:pass/word@host"])
def test_no_refusal_shows_a_password(text: str) -> None:
    with pytest.raises(MalformedTarget) as caught:
        ftp(text)
    assert "pass" not in caught.value.message


@pytest.mark.parametrize(
    ("path", "decoded"),
    [
        ("", ""),
        ("a/b", "a/b"),
        ("a%20b%2Fc%25", "a b/c%"),
        ("%e2%82%ac", "€"),
        ("%ff", "\udcff"),
        ("é", "é"),
        ("\udcff", "\udcff"),
        ("a+b", "a+b"),
    ],
)
def test_a_path_is_decoded(path: str, decoded: str) -> None:
    assert decode_path(path, "host/...") == decoded


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("100%", '"%": % must be followed by two hex digits'),
        ("%2", '"%2": % must'),
        ("%zz", '"%zz": % must'),
        ("%%41", '"%%4": % must'),
        ("a%0db", "contains %0D"),
        ("a%0Ab", "contains %0A"),
        ("a%00b", "contains %00"),
    ],
)
def test_a_path_that_lies_is_refused(path: str, words: str) -> None:
    with pytest.raises(MalformedTarget) as caught:
        decode_path(path, "host/...")
    assert caught.value.message.startswith("host/...: ")
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("host", 53, ("host", 53)),
        ("host:5353", 53, ("host", 5353)),
        ("[::1]", 53, ("::1", 53)),
        ("[::1]:5353", None, ("::1", 5353)),
    ],
)
def test_host_and_port(text: str, default: int | None, expected: tuple[str, int]) -> None:
    assert parse_host_port(text, default) == expected


@pytest.mark.parametrize("text", ["host", "", "::1", "host:x", "a/b:1"])
def test_a_malformed_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(MalformedTarget):
        parse_host_port(text, None)


def test_an_ipv6_address_is_bracketed_before_a_port() -> None:
    assert (bracket_host("::1"), bracket_host("host")) == ("[::1]", "host")
    assert ftp("[::1]/a").authority == "[::1]:21"


@given(
    st.text(max_size=30)
    | st.lists(
        st.sampled_from(["ftp://", "host", "@", ":", "/", "[", "]", "::1", "%", "%0a", "21", "ü", "?", "#", "\\"]),
        max_size=10,
    ).map("".join)
)
def test_anything_is_a_target_or_malformed(text: str) -> None:
    try:
        target = ftp(text)
        path = decode_path(target.path or "", target.text)
    except MalformedTarget:
        return
    assert target.host
    assert target.host.isascii()
    assert 1 <= target.port <= 65535
    assert not set("\r\n\0") & set(path + (target.user or ""))


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("host", "host", 443),
        ("host:1", "host", 1),
        ("[::1]:1", "::1", 1),
        ("tls://host", "host", 443),
        ("https://host", "host", 443),
        ("HTTPS://host/", "host", 443),
        ("https://host:8443/a/b?c=d#e", "host", 8443),
        ("https://host?c=http://other/", "host", 443),
        ("https://host#e", "host", 443),
        ("https://[2001:db8::1]/x", "2001:db8::1", 443),
        ("https://ada:secret@host/x", "host", 443),
        ("https://ada:%zz@host/x", "host", 443),
        ("tls://ada@host/%zz", "host", 443),
        ("imaps://host", "host", 993),
        ("ftps://host/pub/", "host", 990),
        ("nntps://host/group", "host", 563),
        ("ldaps://host", "host", 636),
        ("smtps://host", "host", 465),
        ("pop3s://host", "host", 995),
        ("http://host:8080/x", "host", 8080),
        ("tcp://host:7", "host", 7),
        ("ssh://git@host:22/x", "host", 22),
        ("postgresql://ada:secret@[::1]:5432/db?a=b", "::1", 5432),
        ("git+ssh://host:22", "host", 22),
    ],
)
def test_of_a_pasted_url_the_host_and_the_port_count(text: str, host: str, port: int) -> None:
    target = parse_host_target(text, {"tls": 443}, "tls", pasted=TLS_URL_PORTS)
    assert (target.host, target.port) == (host, port)
    assert (target.path, target.user, target.password) == (None, None, None)
    assert "secret" not in target.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://host/x", "port missing; expected host:port or http://host:port"),
        ("ssh://git:secret@host/x", "port missing; expected host:port or ssh://host:port"),
        ("postgresql:///db", "host missing"),
        ("https:///x", "host missing"),
        ("https://", "host missing"),
        ("https://host:x/", "invalid port"),
        ("https://::1/", "an IPv6 address must be in brackets"),
        ("https://host/\r\nx", "contains \\r"),
        ("https://user:secret/pass@host", "invalid port"),
    ],
)
def test_a_pasted_url_without_a_clear_host_and_port_is_refused(text: str, words: str) -> None:
    with pytest.raises(MalformedTarget) as caught:
        parse_host_target(text, {"tls": 443}, "tls", pasted=TLS_URL_PORTS)
    assert words in caught.value.message
    assert "secret" not in caught.value.message


def test_the_schemes_of_pasted_urls_stand_once_in_the_order_of_their_ports() -> None:
    for table in (TLS_URL_PORTS, CLEAR_URL_PORTS):
        assert list(table.values()) == sorted(table.values())
    assert not set(TLS_URL_PORTS) & set(CLEAR_URL_PORTS)
