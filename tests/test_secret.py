"""A canary goes in, and comes out by `reveal` alone; one that a peer sends back is masked."""

import base64
import copy
import json
import pickle
import time
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from inetcli.secret import MASK, MIN_MASKED, Secret, SecretMasker
from inetcli.wire.escape import abbreviate, escape

CANARY = "c4n4ry-p4ssw0rd"

PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=MIN_MASKED, max_size=20)


@pytest.mark.parametrize(
    "show",
    [
        str,
        repr,
        "{}".format,
        "{!r}".format,
        "{!s}".format,
        "{!a}".format,
        "{:>40}".format,
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the old way must be safe, too
        lambda secret: f"{secret=}",
        lambda secret: repr({"password": [secret]}),
        lambda secret: json.dumps({"password": secret}, default=str),
        lambda secret: str(ValueError(secret)),
    ],
)
def test_secret_is_masked_wherever_it_is_shown(show: Callable[[Secret], str]) -> None:
    shown = show(Secret(CANARY))
    assert CANARY not in shown
    assert MASK in shown


def test_secret_is_masked_in_a_traceback() -> None:
    with pytest.raises(ValueError, match="login failed") as caught:
        _fail(Secret(CANARY))
    whole = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert CANARY not in "".join(whole.format())


def _fail(secret: Secret) -> None:
    raise ValueError("login failed", secret)


def test_secret_is_given_to_who_asks() -> None:
    assert Secret(CANARY).reveal() == CANARY


def test_secrets_are_equal_when_their_texts_are() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert hash(Secret(CANARY)) == hash(Secret(CANARY))
    assert Secret(CANARY) != Secret("another")
    assert Secret(CANARY) != CANARY


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="not to be stored"):
        pickle.dumps(Secret(CANARY), protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_secret_is_not_copied(duplicate: Callable[[Secret], Secret]) -> None:
    with pytest.raises(TypeError, match="not to be stored"):
        duplicate(Secret(CANARY))


def test_secret_has_no_other_attributes() -> None:
    secret = Secret(CANARY)
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        json.dumps(secret)


def masker(*passwords: str, encoding: str | None = None) -> SecretMasker:
    secrets = SecretMasker()
    for password in passwords:
        secrets.add(Secret(password), encoding)
    return secrets


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("530 no entry for PASS hunter2", "530 no entry for PASS ***"),
        ("hunter2", "***"),
        ("hunter2hunter2.hunter2", "******.***"),
        ("/a/hunter%32?q=%68%75%6E%74%65%72%32", "/a/***?q=***"),
        ("%68%75%6e%74%65%72%32", "***"),
        ("Authorization: Basic YWRhOmh1bnRlcjI=", "Authorization: Basic ***"),
        ("ZWxsYTpodW50ZXIy.", "***."),
        ("aHVudGVyMjpydXRo,", "***,"),
        ("hunter", "hunter"),
        ("HUNTER2", "HUNTER2"),
        ("", ""),
    ],
)
def test_a_password_is_masked_wherever_it_stands(text: str, masked: str) -> None:
    assert masker("hunter2").mask(text) == masked


@pytest.mark.parametrize(
    ("password", "text", "masked"),
    [
        ("p\xe4sswort", "p\xe4sswort", "***"),
        ("p\xe4sswort", b"p\xe4sswort".decode("utf-8", "surrogateescape"), "***"),
        ("p\xe4sswort", escape(b"p\xe4sswort".decode("utf-8", "surrogateescape")), "***"),
        ("p\xe4sswort", "p\xe4sswort".encode().decode("latin-1"), "***"),
        ("p\xe4sswort", repr("p\xe4sswort".encode()), "b'***'"),
        ("p\xe4sswort", quote("p\xe4sswort"), "***"),
        ("p\xe4sswort", quote("p\xe4sswort", encoding="latin-1"), "***"),
        ("p\xe4sswort", base64.b64encode("p\xe4sswort".encode("latin-1")).decode(), "***"),
        ("a b+c/d", quote_plus("a b+c/d"), "***"),
        ("a b+c/d", quote("a b+c/d", safe=""), "***"),
        ("tab\tbed", r"tab\tbed", "***"),
        ('it\'s "so"', repr('it\'s "so"'), "'***'"),
        ("back\\slash", repr("back\\slash"), "'***'"),
        ("(a|b)*$", "x(a|b)*$y", "x***y"),
        ("hunter2 ", "530 hunter2", "530 ***"),
        ("\udce4bcde", "\udce4bcde", "***"),
        ("\ud800abcd", "never sent", "never sent"),
        ("\xfb\xff\xfe\xfa\xfb", "-_" + base64.urlsafe_b64encode("\xfb\xff\xfe\xfa\xfb".encode()).decode(), "***"),
    ],
)
def test_a_password_is_found_in_each_form(password: str, text: str, masked: str) -> None:
    assert masker(password).mask(text) == masked


def test_the_encoding_of_commands_counts() -> None:
    shown = escape("\u043f\u0430\u0440\u043e\u043b\u044c".encode("koi8-r").decode("utf-8", "surrogateescape"))
    assert masker("\u043f\u0430\u0440\u043e\u043b\u044c", encoding="koi8-r").mask(shown) == MASK
    assert masker("\u043f\u0430\u0440\u043e\u043b\u044c").mask(shown) == shown


@pytest.mark.parametrize("password", ["", "a", "abc", "***"])
def test_a_short_password_is_not_looked_for(password: str) -> None:
    secrets = masker(password)
    assert secrets.mask(f"abc {password} ***") == f"abc {password} ***"


def test_a_password_that_is_short_without_its_blanks_is_looked_for_with_them() -> None:
    assert masker("  ab  ").mask("cab,  ab  ,") == f"cab,{MASK},"


@pytest.mark.parametrize("passwords", [("hunt", "hunter2"), ("hunter2", "hunt"), ("hunter", "ter2")])
def test_passwords_that_overlap_are_masked_together(passwords: tuple[str, str]) -> None:
    assert masker(*passwords).mask("<hunter2>") == "<***>"


@pytest.mark.parametrize("length", range(2, len("hunter2") + 1))
def test_the_beginning_of_a_password_is_masked_where_text_is_cut(length: int) -> None:
    text = f"530 {'x' * 20} "
    cut = abbreviate(f"{text}hunter2 and more", len(text) + length)
    assert masker("hunter2").mask(f'got "{cut}"') == f'got "{text}***..."'
    assert masker("hunter2").mask(f"{cut[:-3]!r}...") == f"'{text}***'..."


def test_the_beginning_of_a_password_in_base64_is_masked_where_text_is_cut() -> None:
    encoded = base64.b64encode(b"ada:hunter2").decode()
    for length in range(10, len(encoded)):
        assert masker("hunter2").mask(abbreviate(f"Basic {encoded}", 6 + length)) == "Basic ***..."


def test_a_password_that_began_before_the_text_is_masked() -> None:
    secrets = masker("hunter2")
    assert secrets.mask("er2 and hunter2", before="PASS hunt") == "*** and ***"
    assert secrets.mask(" and more", before="PASS hunter2") == " and more"
    assert secrets.mask("er2", before="PASS ") == "er2"


PASSWORDS = st.text(st.characters(exclude_characters="*", exclude_categories=()), min_size=4, max_size=30)
TEXTS = st.text(st.characters(exclude_characters="*.", exclude_categories=("Cs",)), max_size=60)


@given(PASSWORDS.filter(lambda text: len(text.strip()) >= 4), TEXTS, TEXTS)
@example("aaaa", "aaa", "a")
@example("%25%", "%", "25%25")
@example("\\\\\\\\", "\\", "\\")
def test_no_password_is_left_in_any_text(password: str, before: str, after: str) -> None:
    assume(not any("\ud800" <= character <= "\udc7f" or "\udd00" <= character <= "\udfff" for character in password))
    raw = password.encode("utf-8", "surrogateescape")
    forms = [
        password,
        escape(password),
        quote(raw, safe=""),
        *(base64.b64encode(b"u" * size + b":" + raw).decode() for size in range(3)),
    ]
    for form in forms:
        shown = masker(password).mask(f"{before} {form} {after}")
        assert MASK in shown
        assert form.strip() not in shown


@given(st.text("abcdefgh", min_size=4, max_size=10), st.text("ijkl ./%+=\\'\u00e4\udce4\n", max_size=80))
def test_text_without_the_password_stays(password: str, text: str) -> None:
    assert masker(password).mask(text) == text


@pytest.mark.parametrize("password", ["hunter2", "a" * 30, "\\" * 30 + "x", "%25" * 10, "p\xe4 p\xe4 p\xe4"])
@pytest.mark.parametrize("unit", ["hunter ", "a", "\\", "%25", ".", "YWFh", "\xe4"])
def test_a_long_line_takes_linear_time(password: str, unit: str) -> None:
    """A megabyte in seconds; what is quadratic would take hours."""
    secrets = masker(password)
    began = time.process_time()
    text = unit * (1_000_000 // len(unit))
    assert secrets.mask(f"{text} {password}").endswith(MASK)
    assert time.process_time() - began < 20


def test_many_passwords_cost_no_more_each_than_a_few() -> None:
    """Each is compiled once: a list of targets may have as many."""
    secrets = masker(*(f"password-{number:04}" for number in range(1000)))
    assert secrets.mask("530 password-0999 password-1000") == "530 *** password-1000"


@given(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=MIN_MASKED, max_size=20),
    st.text(max_size=9),
)
def test_the_quick_look_at_json_misses_no_password(password: str, other: str) -> None:
    """Whatever masking finds in the text of a JSON line is found by the quick look, too."""
    secrets = SecretMasker()
    secrets.add(Secret(password))
    raw = password.encode()
    for text in (
        password,
        base64.b64encode(b"user:" + raw).decode(),
        base64.b64encode(raw).decode(),
        quote(password, safe=""),
    ):
        line = json.dumps({"a": f"{other}{text}{other}"})
        if secrets.mask(line) != line:
            assert secrets.may_occur_in_json(line)
