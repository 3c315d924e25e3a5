"""The judge: what a client has made of a fault.

What is right depends on the fault (`faultkinds.Outcome`). Whoever succeeds has to bring the true thing, whatever went
wrong; whoever fails must leave nothing under the file's name; nobody leaves anything else behind. A fault that has not
fired, because the client never did what sets it off, has changed nothing: then only success is right.
"""

from dataclasses import dataclass
from enum import Enum

from mockservers.errands import Check
from mockservers.faultkinds import Armed, Outcome
from mockservers.trial import Trial


class Verdict(Enum):
    """`FAIL` = an error where the thing was there to be had; `PARTIAL` also = other files left behind."""

    RIGHT = "right"
    LIE = "lie"
    HANG = "hang"
    PARTIAL = "partial"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, and why it is not `RIGHT`."""

    verdict: Verdict
    why: str = ""


def expected_of(armed: Armed, outcome: Outcome, *, fired: bool) -> Outcome:
    """What is right, when `outcome` is for the fault as such: one that passes, or comes later, leaves a second try its
    chance."""
    if not fired:
        return Outcome.SUCCESS
    passes = armed.times is not None or armed.skip > 0
    return Outcome.EITHER if passes and outcome is Outcome.FAILURE else outcome


def judge(trial: Trial, expected: Outcome, check: Check, *, by_file: bool, usual: frozenset[str]) -> Judgement:
    """The verdict on a run. `by_file`: what counts is the file, not standard output; `usual` = the names that it leaves
    behind when all is well."""
    if trial.exit_code is None:
        return Judgement(Verdict.HANG, "killed at the limit")
    strays = ", ".join(sorted(name.encode("unicode_escape").decode("ascii") for name in trial.left - usual))
    if trial.exit_code != 0:
        return _judge_failure(trial, expected, strays)
    brought = trial.file if by_file else trial.stdout
    wrong = check(brought) if brought is not None else "no file"
    if wrong and expected is not Outcome.ANY:
        return Judgement(Verdict.LIE, f"success with {wrong}")
    if expected is Outcome.FAILURE:
        return Judgement(Verdict.LIE, "success where only an error is right")
    if strays:
        return Judgement(Verdict.PARTIAL, f"left behind: {strays}")
    return Judgement(Verdict.RIGHT)


def _judge_failure(trial: Trial, expected: Outcome, strays: str) -> Judgement:
    if trial.file is not None:
        return Judgement(Verdict.PARTIAL, f"failed, and kept the file, {len(trial.file)} bytes")
    if strays:
        return Judgement(Verdict.PARTIAL, f"left behind: {strays}")
    if expected is Outcome.SUCCESS:
        return Judgement(Verdict.FAIL, "failed, though it was all there")
    return Judgement(Verdict.RIGHT)
