"""Patterns of the shell, for one component of a path (POSIX.1-2024 XCU 2.14).

    *        any number of characters, also none; ** is the same
    ?        one character
    [a-z_]   one of these, [!a-z_] one of all others; a "]" that comes first stands for itself
    other    itself; so does a "[" without its "]"

As in the shell, a dot at the start of a name is matched only by a dot at the start of the pattern. Case counts. There
is no escape: a character is taken literally in brackets, `[*]`. Matching takes at most len(pattern) x len(name) steps:
on a mismatch only the last star gives way, which is enough, since an earlier one that ate more could not help.
"""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class _OneOf:
    """A bracket expression: the ranges of characters it names, or, negated, all others."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def matches(self, character: str) -> bool:
        return any(first <= character <= last for first, last in self.ranges) != self.negated


_ANY = _OneOf((), negated=True)
_STAR = None
_Step = str | _OneOf | None
"""A literal character, one of several, or the star."""


def has_glob(text: str) -> bool:
    """Whether `text` is a pattern, and not just a name."""
    return any(not isinstance(step, str) for step in _steps(text))


def match_glob(pattern: str, name: str) -> bool:
    """Whether the whole of `name` matches `pattern`."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    steps = _steps(pattern)
    at = here = 0
    star, resume = -1, 0
    while here < len(name):
        step = steps[at] if at < len(steps) else ""
        if step is _STAR:
            star, resume = at, here
            at += 1
        elif step == name[here] or (isinstance(step, _OneOf) and step.matches(name[here])):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(step is _STAR for step in steps[at:])


@lru_cache(maxsize=32)
def _steps(pattern: str) -> tuple[_Step, ...]:
    """A pattern taken apart; kept, as one pattern meets all names of a directory."""
    steps: list[_Step] = []
    at = 0
    closable = True  # once no "]" follows, none does later: without this, many "[" would each look for it to the end
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            if not steps or steps[-1] is not _STAR:
                steps.append(_STAR)
        elif character == "?":
            steps.append(_ANY)
        elif character == "[" and closable:
            first = at + 1 if pattern[at : at + 1] == "!" else at
            end = pattern.find("]", first + 1)
            closable = end >= 0
            steps.append(_bracket(pattern[first:end], first > at) if closable else character)
            at = end + 1 if closable else at
        else:
            steps.append(character)
    return tuple(steps)


def _bracket(inside: str, negated: bool) -> _OneOf:
    """What stands between brackets. A "-" at either end stands for itself; a range that runs backwards is empty."""
    ranges = []
    at = 0
    while at < len(inside):
        last = inside[at + 2] if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside) else None
        ranges.append((inside[at], last or inside[at]))
        at += 3 if last else 1
    return _OneOf(tuple(ranges), negated)
