"""Wildmats: patterns of group names (RFC 3977 section 4).

    wildmat = ["!"] pattern *("," ["!"] pattern)

The last pattern that matches decides, and "!" makes it a refusal. `*` and `?` as everywhere; `[a-z]` and `[^a-z]` as
INN and the old readers have them.
"""

import fnmatch
import re

Pattern = re.Pattern[str]


class Wildmat:
    """A list of patterns; `matches` tells what the last one that fits says."""

    def __init__(self, text: str) -> None:
        self._patterns = [(not part.startswith("!"), _compile(part.removeprefix("!"))) for part in text.split(",")]

    def matches(self, name: str) -> bool:
        return next((wanted for wanted, pattern in reversed(self._patterns) if pattern.match(name)), False)


def one_pattern(text: str) -> Pattern:
    """A pattern in which comma and "!" are nothing special: XPAT's (RFC 2980 section 2.9)."""
    return _compile(text)


def _compile(text: str) -> Pattern:
    return re.compile(fnmatch.translate(text.replace("[^", "[!")))
