"""What is printed of a finished target: lines or JSON, notes, the failure."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from inetcli.cli.report import FinishedTarget, Report, common_fields
from inetcli.cli.task import TargetResult
from inetcli.errors import Incomplete, InetError, NotFound
from inetcli.net.session import Network, Session


@dataclass
class Printed:
    """A target's output that keeps what it is given."""

    out: list[str] = field(default_factory=list)
    json: list[dict[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def lines(self, lines: Any) -> None:
        self.out += lines

    def rows(self, rows: Any) -> None:
        self.json += json.loads(json.dumps(list(rows)))

    def status(self, line: str) -> None:
        self.told.append(f"({line})")

    def failure(self, text: str) -> None:
        self.told.append(text)

    def message(self, line: str) -> None:
        self.told.append(line)

    def flush(self) -> None:
        pass


@pytest.fixture
def session() -> Session:
    return Network().session()


def report(result: TargetResult | InetError, session: Session | None, **options: bool) -> tuple[int, Printed]:
    printed: Any = Printed()
    finished = FinishedTarget("t", result, session, {"path": "p"})
    return Report(**{"json": False, "timing": False, **options}).finish(finished, printed), printed


def test_a_result_is_its_lines_and_then_its_notes(session: Session) -> None:
    session.note("odd\x1b")
    code, printed = report(TargetResult(lines=["a", "b"], status_lines=["done"]), session)
    assert (code, printed.out) == (0, ["a", "b"])
    assert printed.told == [r"(inetcli: t: note: odd\x1b)", "(done)"]


def test_a_result_as_json_is_one_line_with_what_all_have(session: Session) -> None:
    session.note("odd")
    code, printed = report(TargetResult(lines=["a"], record={"size": 5}), session, json=True)
    (row,) = printed.json
    assert row.pop("timing_ms").keys() == {"total"}
    assert row == {"target": "t", "path": "p", "size": 5, "exit_code": 0, "notes": ["odd"]}
    assert (code, printed.out) == (0, [])


ROWS = [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("result", "kinds"),
    [
        (TargetResult(rows=ROWS), ["row", "row"]),
        (TargetResult(rows=ROWS, record={}), ["row", "row", "own"]),
        (TargetResult(rows=ROWS, error=Incomplete("x")), ["row", "row", "own"]),
        (TargetResult(rows=ROWS, error=Incomplete("x"), failure_in_rows=True), ["row", "row"]),
        (Incomplete("x"), ["own"]),
    ],
)
def test_rows_come_before_the_targets_own_line_if_it_has_one(
    result: TargetResult | InetError, kinds: list[str], session: Session
) -> None:
    _, printed = report(result, session, json=True)
    assert ["own" if "exit_code" in row else "row" for row in printed.json] == kinds
    assert all(row["target"] == "t" for row in printed.json)


@pytest.mark.parametrize(
    ("message", "line"),
    [("gone", "t: gone"), ("t: gone", "t: gone"), ("t.: gone", "t.: gone"), ("to\n: x", r"t: to\n: x")],
)
def test_a_failure_names_its_target_once(message: str, line: str, session: Session) -> None:
    code, printed = report(NotFound(message), session)
    assert (code, printed.told) == (78, [line])


def test_a_failure_as_json_has_the_peers_words(session: Session) -> None:
    error = NotFound("gone", reply_code=550, reply="550 no")
    (row,) = report(error, session, json=True)[1].json
    assert row["error"] == {"kind": "not_found", "message": "gone", "reply_code": 550, "reply": "550 no"}
    assert (row["exit_code"], row["path"]) == (78, "p")


def test_a_target_that_was_never_tried_has_neither_notes_nor_times() -> None:
    assert common_fields(None, None) == {"exit_code": 0, "notes": [], "timing_ms": {}}
    code, printed = report(NotFound("gone"), None, timing=True)
    assert (code, printed.told) == (78, ["t: gone"])


def test_timing_is_drawn_behind_the_result(session: Session) -> None:
    with_timing = report(TargetResult(lines=["a"]), session, timing=True)[1]
    assert with_timing.told
    assert "total" in with_timing.told[-1]
