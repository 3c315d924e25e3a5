"""The sum of the many parts of one target."""

import pytest

from inetcli.cli.parts import PartsSummary
from inetcli.cli.report import FinishedTarget
from inetcli.cli.task import Parts, SkippedPart, TargetResult, Task
from inetcli.errors import Denied, Incomplete, InetError, NotFound, TimedOut

UNSAFE = SkippedPart("a/b", "its name cannot be used here", unsafe=True)
UNSEEN = SkippedPart("sub", "it cannot be listed", error=Denied("sub: denied"))
LEFT_OUT = SkippedPart("x", "excluded")


def done(size: int) -> FinishedTarget:
    return FinishedTarget("t", TargetResult(record={"bytes": size}))


def there() -> FinishedTarget:
    return FinishedTarget("t", TargetResult(record={"skipped": True, "bytes": 99}))


def failed(error: InetError) -> FinishedTarget:
    return FinishedTarget("t", error)


def no_task(_: object) -> Task:
    pytest.fail("the sum attempts no part")


def total(*parts: FinishedTarget | SkippedPart, on_terminal: bool = False) -> TargetResult:
    summary = PartsSummary()
    for part in parts:
        if isinstance(part, SkippedPart):
            summary.skip(part)
        else:
            summary.add(part)
    whole = TargetResult(record={"path": "pub"}, status_lines=["before"], parts=Parts([], str, no_task))
    return summary.total(whole, on_terminal=on_terminal)


@pytest.mark.parametrize(
    ("parts", "counts"),
    [
        ([], (0, 0, 0, 0)),
        ([done(5), done(7)], (2, 12, 0, 0)),
        ([done(5), there(), there()], (1, 5, 2, 0)),
        ([done(5), failed(NotFound("a"))], (1, 5, 0, 1)),
        ([FinishedTarget("t", TargetResult())], (1, 0, 0, 0)),
        ([FinishedTarget("t", TargetResult(record={"bytes": 3}, error=Incomplete("x")))], (0, 0, 0, 1)),
        ([UNSAFE, UNSEEN, LEFT_OUT], (0, 0, 0, 0)),
    ],
)
def test_parts_are_counted_in_the_record(
    parts: list[FinishedTarget | SkippedPart], counts: tuple[int, int, int, int]
) -> None:
    result = total(*parts)
    names = ("files", "bytes", "skipped", "failed")
    assert result.record == {"path": "pub", **dict(zip(names, counts, strict=True))}
    assert result.parts is None


def test_on_a_terminal_the_sum_is_a_line() -> None:
    assert total(done(5), there()).status_lines == ["before"]
    assert total(done(5), there(), on_terminal=True).status_lines == [
        "before",
        "1 files, 5 bytes; 1 skipped, 0 failed",
    ]


def test_the_first_part_that_failed_gives_class_and_words_and_is_not_tried_again() -> None:
    first = TimedOut("b: late", reply_code=421, reply="421 bye")
    error = total(done(1), there(), failed(first), failed(NotFound("c")), UNSEEN).error
    assert type(error) is TimedOut
    assert error.message == "2 of 4 files failed, the first: b: late"
    assert (error.reply_code, error.reply, error.transient) == (421, "421 bye", False)
    assert first.transient


@pytest.mark.parametrize(
    ("parts", "kind", "message"),
    [
        ([done(1), UNSAFE, UNSAFE], Incomplete, "2 listed names cannot be used as local file names"),
        ([UNSAFE, UNSEEN], Denied, "sub: denied"),
    ],
)
def test_without_a_failure_what_could_not_be_seen_or_named_counts(
    parts: list[FinishedTarget | SkippedPart], kind: type[InetError], message: str
) -> None:
    error = total(*parts).error
    assert type(error) is kind
    assert error.message == message


def test_what_was_left_out_on_purpose_is_no_failure() -> None:
    assert total(done(1), there(), LEFT_OUT).error is None
