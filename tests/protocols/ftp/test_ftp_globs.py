"""The shell's patterns: a table, the same answers as fnmatch's, and no pattern that takes long."""

import re
from fnmatch import translate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inetcli.protocols.ftp.tree import has_glob, match_glob

MATCHES = [
    ("*", "a", True),
    ("*", "", True),
    ("*", ".hidden", False),
    (".*", ".hidden", True),
    ("?hidden", ".hidden", False),
    ("[.]hidden", ".hidden", False),
    ("*.iso", "a.iso", True),
    ("*.iso", "a.iso.part", False),
    ("*.iso", "A.ISO", False),
    ("**", "a b", True),
    ("a**b", "ab", True),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("a?c", "a\ud800c", True),
    ("[a-c]x", "bx", True),
    ("[a-c]x", "dx", False),
    ("[!a-c]x", "dx", True),
    ("[!a-c]x", "ax", False),
    ("[]]", "]", True),
    ("[!]]", "]", False),
    ("[!]]", "a", True),
    ("[a-]", "-", True),
    ("[-a]", "-", True),
    ("[z-a]", "m", False),
    ("[!z-a]", "m", True),
    ("[*]", "*", True),
    ("[*]", "a", False),
    ("[", "[", True),
    ("a[b", "a[b", True),
    ("[]", "[]", True),
    ("[!]", "[!]", True),
    ("a\\*", "a\\b", True),
    ("", "", True),
    ("", "a", False),
    ("a", "ab", False),
    ("*a*b*c", "xaybzc", True),
    ("*a*b*c", "xaybzcd", False),
    ("line\nbreak*", "line\nbreak", True),
    ("*", "line\nbreak", True),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), MATCHES)
def test_match_glob(pattern: str, name: str, expected: bool) -> None:
    assert match_glob(pattern, name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*", True),
        ("a?", True),
        ("[ab]", True),
        ("a[b", False),
        ("a]b", False),
        ("[]", False),
        ("", False),
        ("a", False),
    ],
)
def test_has_glob(text: str, expected: bool) -> None:
    assert has_glob(text) is expected


@given(st.text("ab-c*?[]!.^\n", max_size=12), st.text("abc-]!.^[\n", max_size=10))
@example("*a*a*b", "aaaaaaaab")
@example("[!-a]", "-")
def test_match_glob_answers_as_fnmatch_does(pattern: str, name: str) -> None:
    hidden = name.startswith(".") and not pattern.startswith(".")
    assert match_glob(pattern, name) is (bool(re.match(translate(pattern), name)) and not hidden)


@given(st.text(max_size=8))
def test_a_name_without_a_glob_matches_itself_and_nothing_longer(name: str) -> None:
    if not has_glob(name):
        assert match_glob(name, name)
        assert not match_glob(name, name + "x")


@pytest.mark.parametrize("stars", ["*a", "*?", "*[a]", "**a", "?*", "*[!b]"])
@pytest.mark.parametrize("times", [10, 100, 1000])
def test_a_hostile_name_takes_no_more_than_so_much_work(stars: str, times: int) -> None:
    """A name has 255 characters at most where there is a file system, and 8192 where there is a row of a listing."""
    for length in (255, 8192):
        assert not match_glob(stars * times + "b", "a" * length)
        assert not match_glob(stars * times + "[b]", "a" * (length - 1) + "c")


def test_no_pattern_backtracks() -> None:
    """Were every star to give way in turn, this would take 2^100 steps, and the suite's time-out would tell."""
    assert not match_glob("*a" * 100 + "b", "a" * 4000)
    assert not match_glob("*?" * 100 + "[b]", "a" * 4000)
    assert match_glob("[" * 8000, "[" * 8000)
