"""The words of HTTP: heads, and text for comparing."""

import pytest

from inetcli.protocols.http.model import Head, ascii_lower


def head(status: int, *headers: tuple[str, str]) -> Head:
    return Head(status, "", "1.1", headers, 0, 0)


@pytest.mark.parametrize(
    ("status", "interim"), [(99, False), (100, True), (101, False), (103, True), (199, True), (200, False)]
)
def test_an_interim_response_is_followed_by_another(status: int, interim: bool) -> None:
    assert head(status).interim is interim


def test_values_come_in_order_and_names_ignore_case_where_it_is_ascii() -> None:
    kelvin = "\u212a"
    response = head(200, ("X-Kind", "one"), ("x-kind", "two"), (f"X-{kelvin}ind", "no"), ("X-KIND", "three"))
    assert response.values("x-kind") == ["one", "two", "three"]
    assert response.values("other") == []


@pytest.mark.parametrize(("text", "lower"), [("ChunKed", "chunked"), ("chun\u212aed", "chun\u212aed"), ("É", "É")])
def test_ascii_lower_leaves_the_rest_alone(text: str, lower: str) -> None:
    assert ascii_lower(text) == lower
