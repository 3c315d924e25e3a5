"""The tree of errors: codes and kinds, what may pass, and the bug that nobody expected."""

import pytest

from inetcli import errors
from inetcli.errors import Bug, CertificateProblem, InetError, Refused, TimedOut

TREE = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, InetError)}
LEAVES = {name: kind for name, kind in TREE.items() if kind not in (InetError, CertificateProblem)}


def test_each_error_has_a_code_and_a_kind_of_its_own() -> None:
    assert len({kind.exit_code for kind in LEAVES.values()}) == len(LEAVES)
    assert len({kind.kind for kind in LEAVES.values()}) == len(LEAVES)


def test_codes_are_curls_up_to_98_and_ours_from_110() -> None:
    assert all(0 < kind.exit_code <= 98 or 110 <= kind.exit_code <= 121 for kind in LEAVES.values())


def test_only_what_time_may_mend_is_transient() -> None:
    assert {name for name, kind in TREE.items() if kind.transient} == {
        "Unresolved",
        "Unreachable",
        "TimedOut",
        "Incomplete",
        "EmptyReply",
        "SendFailed",
        "ReceiveFailed",
    }


def test_an_error_has_its_message_and_the_peers_words() -> None:
    error = Refused('x: "550 no"', reply_code=550, reply="550 no")
    assert (str(error), error.message, error.reply_code, error.reply) == ('x: "550 no"',) * 2 + (550, "550 no")
    assert (TimedOut("late").reply_code, TimedOut("late").reply) == (None, None)


def test_one_error_may_be_transient_and_its_class_stays_as_it_is() -> None:
    error = Refused("x")
    error.transient = True
    assert (error.transient, Refused("y").transient, Refused.transient) == (True, False, False)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("two\nlines"), "bug: ValueError: two\nlines (INETCLI_DEBUG=1 shows where)"),
        (KeyError(), "bug: KeyError (INETCLI_DEBUG=1 shows where)"),
    ],
)
def test_a_bug_names_the_exception(error: Exception, message: str) -> None:
    assert Bug.from_exception(error).message == message
    assert (Bug.exit_code, Bug.kind) == (1, "bug")
