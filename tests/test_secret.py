"""A canary goes in, and comes out by `reveal` alone."""

import copy
import json
import pickle
import traceback
from collections.abc import Callable

import pytest

from inetcli.secret import MASK, Secret

CANARY = "c4n4ry-p4ssw0rd"


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
